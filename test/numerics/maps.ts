/** Convolutions, pools, resizing and normalisation in plain loops over doubles. */
import { doubles, fill, indices, reading, reduce, zip } from "./array.ts";
import type { Doubles } from "./array.ts";

export interface Window {
  readonly strides: readonly [number, number];
  readonly dilations: readonly [number, number];
  /** Top, left, bottom, right. */
  readonly pads: readonly [number, number, number, number];
  readonly groups: number;
}

const at4 = (x: Doubles) => {
  const read = reading(x);
  const [, , Y = 0, X = 0] = x.shape;
  return (b: number, c: number, y: number, i: number) =>
    y < 0 || i < 0 || y >= Y || i >= X ? 0 : read([b, c, y, i]);
};

export function conv(
  x: Doubles,
  weight: Doubles,
  bias: Doubles | undefined,
  { strides: [sY, sX], dilations: [dY, dX], pads: [top, left, bottom, right], groups }: Window,
): Doubles {
  const [B = 0, C = 0, Y = 0, X = 0] = x.shape;
  const [O = 0, I = 0, kY = 0, kX = 0] = weight.shape;
  const rows = Math.floor((Y + top + bottom - dY * (kY - 1) - 1) / sY) + 1;
  const columns = Math.floor((X + left + right - dX * (kX - 1) - 1) / sX) + 1;
  /** What one channel of `x` adds under the window at `row`, `column`. */
  const seen = (plane: number, kernel: number, row: number, column: number): number => {
    let total = 0;
    for (let ky = 0; ky < kY; ky++) {
      const y = row * sY + ky * dY - top;
      if (y < 0 || y >= Y) continue;
      for (let kx = 0; kx < kX; kx++) {
        const at = column * sX + kx * dX - left;
        if (at < 0 || at >= X) continue;
        total += (weight.data[kernel + ky * kX + kx] ?? 0) * (x.data[plane + y * X + at] ?? 0);
      }
    }
    return total;
  };
  return fill([B, O, rows, columns], ([b = 0, o = 0, row = 0, column = 0]) => {
    const first = b * C + Math.floor(o / (O / groups)) * I;
    let total = bias?.data[o] ?? 0;
    for (let i = 0; i < I; i++)
      total += seen((first + i) * Y * X, (o * I + i) * kY * kX, row, column);
    return total;
  });
}

export function convTranspose(
  x: Doubles,
  weight: Doubles,
  bias: Doubles | undefined,
  { strides: [sY, sX], dilations: [dY, dX], pads: [top, left, bottom, right], groups }: Window,
): Doubles {
  const [B = 0, C = 0, Y = 0, X = 0] = x.shape;
  const [, each = 0, kY = 0, kX = 0] = weight.shape;
  const rows = (Y - 1) * sY + dY * (kY - 1) + 1 - top - bottom;
  const columns = (X - 1) * sX + dX * (kX - 1) + 1 - left - right;
  const [read, W] = [reading(x), reading(weight)];
  const shape = [B, each * groups, rows, columns];
  const out = bias ? fill(shape, ([, o = 0]) => bias.data[o] ?? 0) : doubles(shape);
  for (const [b = 0, c = 0, y = 0, i = 0] of indices([B, C, Y, X])) {
    const group = Math.floor(c / (C / groups));
    for (const [o = 0, ky = 0, kx = 0] of indices([each, kY, kX])) {
      const [r, s] = [y * sY + ky * dY - top, i * sX + kx * dX - left];
      if (r < 0 || s < 0 || r >= rows || s >= columns) continue;
      const at = ((b * each * groups + group * each + o) * rows + r) * columns + s;
      out.data[at] = (out.data[at] ?? 0) + read([b, c, y, i]) * W([c, o, ky, kx]);
    }
  }
  return out;
}

export function pool(
  how: "mean" | "max",
  x: Doubles,
  [kY, kX]: readonly [number, number],
  { strides: [sY, sX], pads: [top, left, bottom, right] }: Window,
): { values: Doubles; places: Doubles } {
  const [B = 0, C = 0, Y = 0, X = 0] = x.shape;
  const rows = Math.floor((Y + top + bottom - kY) / sY) + 1;
  const columns = Math.floor((X + left + right - kX) / sX) + 1;
  const read = reading(x);
  const shape = [B, C, rows, columns];
  const places = doubles(shape);
  let n = 0;
  const values = fill(shape, ([b = 0, c = 0, r = 0, s = 0]) => {
    let [total, best, place] = [0, -Infinity, 0];
    for (const [y = 0, i = 0] of indices([kY, kX])) {
      const [py, px] = [r * sY + y - top, s * sX + i - left];
      if (py < 0 || px < 0 || py >= Y || px >= X) continue;
      const value = read([b, c, py, px]);
      total += value;
      if (value > best) [best, place] = [value, ((b * C + c) * Y + py) * X + px];
    }
    places.data[n++] = place;
    return how === "max" ? best : total / (kY * kX);
  });
  return { values, places };
}

/** Nearest by rounding down, bilinear between pixel centres. */
export function resize(
  x: Doubles,
  [rows, columns]: readonly [number, number],
  how: "nearest" | "bilinear",
): Doubles {
  const [B = 0, C = 0, Y = 0, X = 0] = x.shape;
  const read = reading(x);
  return fill([B, C, rows, columns], ([b = 0, c = 0, r = 0, s = 0]) => {
    if (how === "nearest")
      return read([b, c, Math.floor((r * Y) / rows), Math.floor((s * X) / columns)]);
    const along = (i: number, from: number, to: number) => {
      const place = Math.min(Math.max(((i + 0.5) * from) / to - 0.5, 0), from - 1);
      const low = Math.floor(place);
      return [low, Math.min(low + 1, from - 1), place - low] as const;
    };
    const [y0, y1, v] = along(r, Y, rows);
    const [x0, x1, u] = along(s, X, columns);
    const row = (y: number) => read([b, c, y, x0]) * (1 - u) + read([b, c, y, x1]) * u;
    return row(y0) * (1 - v) + row(y1) * v;
  });
}

/** Bilinear, zeros outside, half-pixel centres. */
export function gridSample(x: Doubles, grid: Doubles): Doubles {
  const [B = 0, C = 0, Y = 0, X = 0] = x.shape;
  const [read, at] = [at4(x), reading(grid)];
  const [, rows = 0, columns = 0] = grid.shape;
  return fill([B, C, rows, columns], ([b = 0, c = 0, r = 0, s = 0]) => {
    const px = ((at([b, r, s, 0]) + 1) * X - 1) / 2;
    const py = ((at([b, r, s, 1]) + 1) * Y - 1) / 2;
    const [x0, y0] = [Math.floor(px), Math.floor(py)];
    const [u, v] = [px - x0, py - y0];
    const row = (y: number) => read(b, c, y, x0) * (1 - u) + read(b, c, y, x0 + 1) * u;
    return row(y0) * (1 - v) + row(y0 + 1) * v;
  });
}

/** Over the last axis. */
export function layerNorm(
  x: Doubles,
  scale: Doubles,
  bias: Doubles | undefined,
  eps: number,
): { values: Doubles; mean: Doubles; inverse: Doubles } {
  const last = [x.shape.length - 1];
  const mean = reduce(x, last, "mean");
  const centred = zip((a, b) => a - b, x, mean);
  const variance = reduce(
    zip((a) => a * a, centred),
    last,
    "mean",
  );
  const inverse = zip((v) => 1 / Math.sqrt(v + eps), variance);
  const shift = bias ?? doubles([], [0]);
  const values = zip((c, i, s, b) => c * i * s + b, centred, inverse, scale, shift);
  return { values, mean, inverse };
}

import { fc, test } from "@fast-check/vitest";
import { describe, expect } from "vitest";
import type { Pixels, Window } from "../../datasets/index.ts";
import { resample, sourceWindow, taps } from "../../pipeline/resample.ts";

/** A whole raster, and windows of it resampled to a grid of another size. */
function rasterOf(width: number, height: number, seed: number, holes: boolean) {
  let state = seed;
  const next = (): number => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
  const band = Float32Array.from({ length: width * height }, () => next() * 1000);
  const valid = holes
    ? Uint8Array.from({ length: width * height }, () => (next() < 0.7 ? 1 : 0))
    : undefined;
  const cut = <A extends Float32Array | Uint8Array>(from: A, w: Window): A => {
    const out = from.slice(0, w.width * w.height) as A;
    for (let y = 0; y < w.height; y++) {
      out.set(
        from.subarray((w.y + y) * width + w.x, (w.y + y) * width + w.x + w.width),
        y * w.width,
      );
    }
    return out;
  };
  const read = (w: Window): Pixels => ({
    width: w.width,
    height: w.height,
    bands: [cut(band, w)],
    valid: valid === undefined ? undefined : cut(valid, w),
  });
  const to = (targetWidth: number, targetHeight: number, w: Window): Pixels => {
    const x = taps(width, targetWidth, w.x, w.width);
    const y = taps(height, targetHeight, w.y, w.height);
    return resample(read(sourceWindow(x, y)), x, y);
  };
  return { to, band };
}

const sizes = fc.record({
  width: fc.integer({ min: 1, max: 40 }),
  height: fc.integer({ min: 1, max: 40 }),
  targetWidth: fc.integer({ min: 1, max: 90 }),
  targetHeight: fc.integer({ min: 1, max: 90 }),
  seed: fc.integer({ min: 1, max: 1e6 }),
  holes: fc.boolean(),
});

describe("resample", () => {
  test.prop([
    sizes,
    fc.tuple(...Array.from({ length: 4 }, () => fc.double({ min: 0, max: 1, noNaN: true }))),
  ])(
    "a pixel does not depend on the window it is computed for",
    ({ width, height, targetWidth, targetHeight, seed, holes }, [u = 0, v = 0, p = 0, q = 0]) => {
      const raster = rasterOf(width, height, seed, holes);
      const whole = raster.to(targetWidth, targetHeight, {
        x: 0,
        y: 0,
        width: targetWidth,
        height: targetHeight,
      });
      const x = Math.floor(u * (targetWidth - 1));
      const y = Math.floor(v * (targetHeight - 1));
      const w = {
        x,
        y,
        width: 1 + Math.floor(p * (targetWidth - x - 1)),
        height: 1 + Math.floor(q * (targetHeight - y - 1)),
      };
      const part = raster.to(targetWidth, targetHeight, w);
      for (let row = 0; row < w.height; row++) {
        for (let column = 0; column < w.width; column++) {
          const there = (w.y + row) * targetWidth + w.x + column;
          expect(part.bands[0]?.[row * w.width + column]).toBe(whole.bands[0]?.[there]);
          expect(part.valid?.[row * w.width + column]).toBe(whole.valid?.[there]);
        }
      }
    },
  );

  test.prop([sizes])("values stay within the values they are made of", (c) => {
    const raster = rasterOf(c.width, c.height, c.seed, false);
    const out = raster.to(c.targetWidth, c.targetHeight, {
      x: 0,
      y: 0,
      width: c.targetWidth,
      height: c.targetHeight,
    });
    const [lo, hi] = [Math.min(...raster.band), Math.max(...raster.band)];
    expect([...(out.bands[0] ?? [])].every((v) => v >= lo - 1e-3 && v <= hi + 1e-3)).toBe(true);
  });

  test("a coarser grid keeps the mean", () => {
    const raster = rasterOf(35, 28, 7, false);
    const out = raster.to(10, 9, { x: 0, y: 0, width: 10, height: 9 });
    const mean = (values: ArrayLike<number>): number =>
      Array.from(values).reduce((a, b) => a + b, 0) / values.length;
    expect(mean(out.bands[0] ?? [])).toBeCloseTo(mean(raster.band), 2);
  });

  test("a third is the mean of three by three", () => {
    const raster = rasterOf(9, 9, 3, false);
    const out = raster.to(3, 3, { x: 1, y: 2, width: 1, height: 1 });
    const nine = [6, 7, 8].flatMap((y) => [3, 4, 5].map((x) => raster.band[y * 9 + x] ?? 0));
    expect(out.bands[0]?.[0]).toBeCloseTo(nine.reduce((a, b) => a + b) / 9, 3);
  });

  test("doubling a ramp gives the ramp at half-pixel centres, as PyTorch's bilinear does", () => {
    const x = taps(4, 8, 0, 8);
    const y = taps(1, 1, 0, 1);
    const ramp: Pixels = {
      width: 4,
      height: 1,
      bands: [Float32Array.of(0, 1, 2, 3)],
      valid: undefined,
    };
    // torch.nn.functional.interpolate(…, scale_factor=2, mode="bilinear", align_corners=False)
    expect([...(resample(ramp, x, y).bands[0] ?? [])]).toEqual([
      0, 0.25, 0.75, 1.25, 1.75, 2.25, 2.75, 3,
    ]);
  });

  test("nodata has no weight, and NaN under it does not spread", () => {
    const x = taps(4, 2, 0, 2);
    const y = taps(1, 1, 0, 1);
    const source: Pixels = {
      width: 4,
      height: 1,
      bands: [Float32Array.of(8, Number.NaN, Number.NaN, Number.NaN)],
      valid: Uint8Array.of(1, 0, 0, 0),
    };
    const out = resample(source, x, y);
    expect([...(out.bands[0] ?? [])]).toEqual([8, 0]);
    expect([...(out.valid ?? [])]).toEqual([1, 0]);
  });

  test("at the scene's own size pixels are handed on untouched", () => {
    const source: Pixels = { width: 2, height: 1, bands: [Uint16Array.of(5, 6)], valid: undefined };
    expect(resample(source, taps(2, 2, 0, 2), taps(1, 1, 0, 1))).toBe(source);
  });
});

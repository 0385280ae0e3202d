/** What a convolution's input and kernel gain, as nodes that ONNX Runtime runs fast on a CPU. */
import type { NamedValue } from "../graph.ts";
import { range } from "./operation.ts";
import type { Writer } from "./operation.ts";
import { bandGradient } from "./band-gradient.ts";
import { concat, cut, pad, reshape, sum, swapLast, transpose } from "./write.ts";
import { reach } from "./window.ts";
import type { Span } from "./window.ts";

const size = (value: NamedValue, axis: number): number => value.shape[axis] ?? 0;

/** The pixels that taps see: `[B C Y X]` with the columns of a stride laid apart. */
interface Seen {
  /** `[stride, B, C, rows, stride, columns]`: which column of a stride, which row of one. */
  readonly map: NamedValue;
  readonly s: readonly [Span, Span];
  /** Windows down and across. */
  readonly count: readonly [number, number];
}

/**
 * Lays columns that a stride steps over apart, so that what a tap sees lies without gaps: a slice with steps takes four
 * times as long as one without. As one transposed matrix: with a matrix for every row, ONNX Runtime (1.30) would have
 * its threads meet for each of them, which takes seven times as long as one thread alone.
 */
function apart(w: Writer, padded: NamedValue, s: readonly [Span, Span]): NamedValue {
  const [B = 0, C = 0, Y = 0, X = 0] = padded.shape;
  const [down, across] = [s[0].stride, s[1].stride];
  const pairs = reshape(w, padded, [(B * C * Y * X) / across, across]);
  const split = across === 1 ? pairs : swapLast(w, pairs);
  return reshape(w, split, [across, B, C, Y / down, down, X / across]);
}

/** The windows of one tap of the kernel: every `stride`-th pixel from the tap's place. */
function tap(w: Writer, { map, s, count }: Seen, y: number, x: number): NamedValue {
  const [row, column] = [y * s[0].dilation, x * s[1].dilation];
  const [down, across] = [s[0].stride, s[1].stride];
  const [B = 0, C = 0] = map.shape.slice(1);
  const starts = [column % across, 0, 0, Math.floor(row / down), row % down];
  return cut(w, map, [...starts, Math.floor(column / across)], [1, B, C, count[0], 1, count[1]]);
}

/**
 * The gradient of a kernel `[O, I, kY, kX]`: what `x` shows under every tap, times what comes back at `g`.
 *
 * A depthwise kernel comes out of products of rows, see {@link bandGradient}; strided or dilated ones are a convolution
 * of `x` with `g` as kernel. Others are one matrix product a tap, which is faster in ONNX Runtime on a CPU than a
 * convolution with `x` and `g` transposed (`test/bench/gradients.bench.ts`).
 */
export function kernelGradient(
  w: Writer,
  x: NamedValue,
  g: NamedValue,
  kernel: readonly number[],
  s: readonly [Span, Span],
  groups: number,
): NamedValue {
  const [B, C, O] = [size(x, 0), size(x, 1), size(g, 1)];
  const [kY, kX] = [kernel[2] ?? 1, kernel[3] ?? 1];
  const count = [size(g, 2), size(g, 3)] as const;
  const isDepthwise = groups === C && O === C && groups > 1;
  // Up to the last pixel that a window sees; for taps, up to a whole stride.
  const after = s.map((d, i) => {
    const used = reach(d) + ((count[i] ?? 1) - 1) * d.stride;
    return (isDepthwise ? used : Math.ceil(used / d.stride) * d.stride) - d.size - d.before;
  });
  const padded = pad(w, x, [0, 0, s[0].before, s[1].before], [0, 0, ...after]);
  if (isDepthwise) return depthwiseGradient(w, padded, g, kernel, s);
  const seen = { map: apart(w, padded, s), s, count };
  const pixels = count[0] * count[1];
  const taps = range(kY * kX).map((i) =>
    reshape(w, tap(w, seen, Math.floor(i / kX), i % kX), [B, groups, C / groups, pixels]),
  );
  const back = reshape(w, g, [B, groups, O / groups, pixels]);
  return reshape(w, products(w, taps, back), kernel);
}

/** Rows that a matrix product should have at least: fewer leave most of its unit idle. */
const FEW_ROWS = 8;

/** `[G, O, I, taps]` of `taps` `[B, G, I, N]` and `back` `[B, G, O, N]`: summed over images and pixels. */
function products(w: Writer, taps: readonly NamedValue[], back: NamedValue): NamedValue {
  const [first = back] = taps;
  const [G, O, I] = [size(back, 1), size(back, 2), size(first, 2)];
  // One transposed operand serves all taps; of a single product the smaller one is transposed.
  if (taps.length === 1 && I < O) {
    return sum(w, w.node("MatMul", [back, swapLast(w, first)]), [0]);
  }
  const turned = swapLast(w, back);
  const times = (seen: NamedValue) => w.node("MatMul", [seen, turned]);
  const each = I < FEW_ROWS ? times(concat(w, taps, 2)) : concat(w, taps.map(times), 2);
  const all = reshape(w, sum(w, each, [0]), [G, taps.length, I, O]);
  return transpose(w, all, [0, 3, 2, 1]);
}

/** As {@link kernelGradient}, of a convolution that mixes no channels. */
function depthwiseGradient(
  w: Writer,
  padded: NamedValue,
  g: NamedValue,
  kernel: readonly number[],
  s: readonly [Span, Span],
): NamedValue {
  const [B = 0, C = 0, rows = 0, columns = 0] = g.shape;
  if (s.every((d) => d.stride === 1 && d.dilation === 1)) return bandGradient(w, padded, g, kernel);
  const map = reshape(w, padded, [1, B * C, size(padded, 2), size(padded, 3)]);
  const filter = reshape(w, g, [B * C, 1, rows, columns]);
  const swapped = {
    group: B * C,
    kernel_shape: [rows, columns],
    strides: s.map((d) => d.dilation),
    dilations: s.map((d) => d.stride),
  };
  const each = w.node("Conv", [map, filter], swapped);
  return reshape(w, sum(w, reshape(w, each, [B, C, 1, ...kernel.slice(2)]), [0]), kernel);
}

/** Sums what comes back over everything but the channels. */
export const biasGradient = (w: Writer, g: NamedValue): NamedValue => sum(w, g, [0, 2, 3], false);

/** The kernel turned by half a turn, with its two channel axes exchanged within each group. */
function turned(w: Writer, weight: NamedValue, groups: number): NamedValue {
  const [O = 0, I = 0, kY = 1, kX = 1] = weight.shape;
  const taps = kY * kX;
  const flatWeight = reshape(w, weight, [groups, O / groups, I, taps]);
  const order = w.constant(
    [taps],
    BigInt64Array.from({ length: taps }, (_, i) => BigInt(taps - 1 - i)),
  );
  const flipped = taps === 1 ? flatWeight : w.node("Gather", [flatWeight, order], { axis: 3 });
  return reshape(w, transpose(w, flipped, [0, 2, 1, 3]), [groups * I, O / groups, kY, kX]);
}

/** The gradient of the map a convolution reads: a convolution by the turned kernel, or for strides a transposed one. */
export function mapGradient(
  w: Writer,
  weight: NamedValue,
  g: NamedValue,
  s: readonly [Span, Span],
  groups: number,
): NamedValue {
  const kernel_shape = weight.shape.slice(2);
  const dilations = s.map((d) => d.dilation);
  const outward = s.every((d) => d.before <= reach(d) - 1 && d.after <= reach(d) - 1);
  if (s.every((d) => d.stride === 1) && outward) {
    const ends = (key: "before" | "after") => s.map((d) => reach(d) - 1 - d[key]);
    const pads = [...ends("before"), ...ends("after")];
    return w.node("Conv", [g, turned(w, weight, groups)], {
      group: groups,
      kernel_shape,
      dilations,
      pads,
    });
  }
  // What the windows cover beyond the map is cut off; what they leave of it gets zeros.
  const beyond = s.map((d, i) => (size(g, i + 2) - 1) * d.stride + reach(d) - d.before - d.size);
  return w.node("ConvTranspose", [g, weight], {
    group: groups,
    kernel_shape,
    dilations,
    strides: s.map((d) => d.stride),
    pads: [...s.map((d) => d.before), ...beyond.map((n) => Math.max(n, 0))],
    output_padding: beyond.map((n) => Math.max(-n, 0)),
  });
}

/** Zeros, or cuts, after, so that `x` gets `shape`. */
export function padTo(w: Writer, x: NamedValue, shape: readonly number[]): NamedValue {
  const after = x.shape.map((n, i) => (shape[i] ?? 0) - n);
  return pad(
    w,
    x,
    after.map(() => 0),
    after,
  );
}

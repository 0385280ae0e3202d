/** What a convolution's input and kernel gain, as nodes that ONNX Runtime runs fast on a CPU. */
import type { NamedValue } from "../graph.ts";
import type { Writer } from "./operation.ts";
import { bandGradient } from "./band-gradient.ts";
import { phaseGradient } from "./phase-gradient.ts";
import { concat, pad, reshape, slice, sum, swapLast, transpose } from "./write.ts";
import { reach } from "./window.ts";
import type { Span } from "./window.ts";

const size = (value: NamedValue, axis: number): number => value.shape[axis] ?? 0;

/** The windows of one tap of the kernel: every `stride`-th pixel from the tap's place. */
function tap(
  w: Writer,
  padded: NamedValue,
  s: readonly Span[],
  at: readonly number[],
  count: readonly number[],
) {
  return at.reduce((x, k, i) => {
    const { dilation, stride } = s[i] ?? { dilation: 1, stride: 1 };
    const start = k * dilation;
    return slice(w, x, i + 2, start, start + ((count[i] ?? 1) - 1) * stride + 1, stride);
  }, padded);
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
  const [rows, columns] = [size(g, 2), size(g, 3)];
  const ends = s.map((d, i) => {
    const used = reach(d) + ((i === 0 ? rows : columns) - 1) * d.stride;
    return used - d.size - d.before;
  });
  const padded = pad(w, x, [0, 0, s[0].before, s[1].before], [0, 0, ends[0] ?? 0, ends[1] ?? 0]);
  if (groups === C && O === C && groups > 1) {
    if (s.every((d) => d.stride === 1 && d.dilation === 1))
      return bandGradient(w, padded, g, kernel);
    const map = reshape(w, padded, [1, B * C, size(padded, 2), size(padded, 3)]);
    const filter = reshape(w, g, [B * C, 1, rows, columns]);
    const swapped = {
      group: B * C,
      kernel_shape: [rows, columns],
      strides: s.map((d) => d.dilation),
      dilations: s.map((d) => d.stride),
    };
    const each = reshape(w, w.node("Conv", [map, filter], swapped), [B, C, 1, kY, kX]);
    return reshape(w, sum(w, each, [0]), kernel);
  }
  const back = reshape(w, g, [B, groups, O / groups, rows * columns]);
  const taps = [];
  for (let y = 0; y < kY; y++) {
    for (let c = 0; c < kX; c++) {
      const seen = tap(w, padded, s, [y, c], [rows, columns]);
      const shown = reshape(w, seen, [B, groups, C / groups, rows * columns]);
      taps.push(sum(w, w.node("MatMul", [back, swapLast(w, shown)]), [0]));
    }
  }
  const all = transpose(w, concat(w, taps, 0), [1, 2, 3, 0]);
  return reshape(w, all, kernel);
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

/** The values of a convolution that its gradients are made of. */
export interface ConvValues {
  readonly x: NamedValue;
  readonly weight: NamedValue;
  readonly g: NamedValue;
}

/**
 * The gradient of the map a convolution reads: a convolution by the turned kernel; for strides one such convolution for
 * each pixel of a stride's square; else a transposed one.
 */
export function mapGradient(
  w: Writer,
  values: ConvValues,
  s: readonly [Span, Span],
  groups: number,
): NamedValue {
  const { x, weight, g } = values;
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
  if (groups === 1 && s.every((d) => d.dilation === 1)) return phaseGradient(w, values, s);
  const strides = s.map((d) => d.stride);
  const attributes = { group: groups, kernel_shape, dilations, strides };
  const wide = w.node("ConvTranspose", [g, weight], attributes);
  return padTo(w, wide, x.shape, [0, 0, ...s.map((d) => -d.before)]);
}

/** Zeros, or cuts, before and after, so that `x` gets `shape`. */
export function padTo(
  w: Writer,
  x: NamedValue,
  shape: readonly number[],
  before: readonly number[] = [0, 0, 0, 0],
): NamedValue {
  const after = x.shape.map((n, i) => (shape[i] ?? 0) - n - (before[i] ?? 0));
  return pad(w, x, before, after);
}

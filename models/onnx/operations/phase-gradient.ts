/**
 * The gradient of the map that a strided convolution reads, without a transposed convolution.
 *
 * Pixels of the map whose place has the same remainder by the stride are reached by the same taps: each of these phases is
 * a plain convolution of `g` with the taps that reach it. All phases are one convolution with as many times the channels,
 * whose results are then laid between each other (Shi et al., "Real-Time Single Image … Sub-Pixel Convolutional Neural
 * Network", 2016, arXiv:1609.05158).
 */
import type { NamedValue } from "../graph.ts";
import { range } from "./operation.ts";
import type { Writer } from "./operation.ts";
import { concat, pad, reshape, transpose, zeros } from "./write.ts";
import type { Span } from "./window.ts";

/** One direction: which taps reach which phase, from how far. */
interface Phases {
  readonly stride: number;
  /** Pixels of `g` that reach one pixel of the map, at most. */
  readonly length: number;
  /** Zeros before and after `g`; less than none cuts. */
  readonly before: number;
  readonly after: number;
  /** Pixels of the map in one phase. */
  readonly count: number;
  /** The tap of phase `p` at place `j` of its kernel, or −1. */
  readonly tap: (p: number, j: number) => number;
}

/** `x[m·stride + p]` gets `g[m − u] w[u·stride + p + before]` for all `u` whose tap exists. */
function phasesOf({ size, kernel, stride, before }: Span, given: number): Phases {
  const last = Math.floor((kernel - 1 - before) / stride);
  const first = Math.ceil((1 - stride - before) / stride);
  const count = Math.ceil(size / stride);
  return {
    stride,
    length: last - first + 1,
    before: last,
    after: count - 1 - first - (given - 1),
    count,
    tap: (p, j) => {
      const at = (last - j) * stride + p + before;
      return at >= 0 && at < kernel ? at : -1;
    },
  };
}

export function phaseGradient(
  w: Writer,
  { x, weight, g }: { readonly x: NamedValue; readonly weight: NamedValue; readonly g: NamedValue },
  s: readonly [Span, Span],
): NamedValue {
  const [O = 0, I = 0, kY = 1, kX = 1] = weight.shape;
  const [y, c] = [phasesOf(s[0], g.shape[2] ?? 0), phasesOf(s[1], g.shape[3] ?? 0)];
  const none = kY * kX;
  const taps = range(y.stride).flatMap((p) =>
    range(c.stride).flatMap((q) =>
      range(y.length).flatMap((i) =>
        range(c.length).map((j) => {
          const [row, column] = [y.tap(p, i), c.tap(q, j)];
          return row < 0 || column < 0 ? none : row * kX + column;
        }),
      ),
    ),
  );
  // One tap more, of zeros, for places that no tap reaches.
  const all = concat(w, [reshape(w, weight, [O, I, none]), zeros(w, [O, I, 1])], 2);
  const order = w.constant([taps.length], BigInt64Array.from(taps, BigInt));
  const phases = y.stride * c.stride;
  const picked = w.node("Gather", [all, order], { axis: 2 });
  const apart = reshape(w, picked, [O, I * phases, y.length * c.length]);
  const kernel = reshape(w, transpose(w, apart, [1, 0, 2]), [I * phases, O, y.length, c.length]);
  const framed = pad(w, g, [0, 0, y.before, c.before], [0, 0, y.after, c.after]);
  const kernel_shape = [y.length, c.length];
  const found = w.node("Conv", [framed, kernel], { kernel_shape });
  const B = g.shape[0] ?? 0;
  const split = reshape(w, found, [B, I, y.stride, c.stride, y.count, c.count]);
  const laid = transpose(w, split, [0, 1, 4, 2, 5, 3]);
  const wide = reshape(w, laid, [B, I, y.count * y.stride, c.count * c.stride]);
  return pad(
    w,
    wide,
    [0, 0, 0, 0],
    wide.shape.map((n, i) => (x.shape[i] ?? 0) - n),
  );
}

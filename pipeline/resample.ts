/**
 * Resampling by rows and columns: the mean over a pixel's footprint where the target is coarser, bilinear where it is
 * finer. Nodata has no weight. A target pixel depends on its place alone, never on the window it is computed for, so
 * neighbouring tiles agree to the bit.
 */
import type { Pixels, Samples, Window } from "../datasets/index.ts";

/** For each target pixel of a stretch: the source pixels it is made of, and their weights (which sum to 1). */
export interface Taps {
  readonly first: Int32Array;
  /** Weights of one target pixel lie side by side, `reach` each, unused ones zero. */
  readonly weights: Float64Array;
  readonly reach: number;
  /** Half-open range of source pixels that any of them needs. */
  readonly from: number;
  readonly to: number;
}

/**
 * The taps along one axis, for target pixels `start … start + count − 1` of an axis of `target` pixels that shows the
 * same ground as `source` pixels.
 */
export function taps(source: number, target: number, start: number, count: number): Taps {
  const step = source / target;
  const reach = target === source ? 1 : step > 1 ? Math.ceil(step) + 1 : 2;
  const first = new Int32Array(count);
  const weights = new Float64Array(count * reach);
  for (let i = 0; i < count; i++) {
    const at = start + i;
    if (target === source) {
      first[i] = at;
      weights[i] = 1;
    } else if (step > 1) {
      const [left, right] = [at * step, Math.min((at + 1) * step, source)];
      const begin = Math.min(Math.floor(left), source - 1);
      first[i] = begin;
      for (let k = 0; k < reach; k++) {
        const share = Math.min(right, begin + k + 1) - Math.max(left, begin + k);
        weights[i * reach + k] = Math.max(0, share) / (right - left);
      }
    } else {
      const centre = Math.min(Math.max((at + 0.5) * step - 0.5, 0), source - 1);
      const begin = Math.min(Math.floor(centre), Math.max(0, source - 2));
      first[i] = begin;
      weights[i * reach] = 1 - (centre - begin);
      weights[i * reach + 1] = centre - begin;
    }
  }
  const from = first[0] ?? 0;
  const to = Math.min(source, (first[count - 1] ?? 0) + reach);
  return { first, weights, reach, from, to };
}

/** The source window that the taps of both axes need. */
export const sourceWindow = (x: Taps, y: Taps): Window => ({
  x: x.from,
  y: y.from,
  width: x.to - x.from,
  height: y.to - y.from,
});

/** True where the taps change nothing. */
export const isIdentity = (x: Taps, y: Taps): boolean => x.reach === 1 && y.reach === 1;

/**
 * Resamples a window that was read for these taps. Where less than half of a target pixel's weight is data, it is
 * nodata.
 */
export function resample(source: Pixels, x: Taps, y: Taps): Pixels {
  if (isIdentity(x, y)) return source;
  const [width, height] = [x.first.length, y.first.length];
  const { valid } = source;
  if (valid === undefined) {
    const bands = source.bands.map((band) => {
      const rows = acrossRows(band, undefined, source, x);
      return downColumns(rows, source.height, width, y);
    });
    return { width, height, bands, valid: undefined };
  }
  const share = downColumns(acrossRows(valid, undefined, source, x), source.height, width, y);
  const bands = source.bands.map((band) => {
    const sums = downColumns(acrossRows(band, valid, source, x), source.height, width, y);
    for (let i = 0; i < sums.length; i++) sums[i] = share[i]! > 0 ? sums[i]! / share[i]! : 0;
    return sums;
  });
  return { width, height, bands, valid: Uint8Array.from(share, (v) => (v >= 0.5 ? 1 : 0)) };
}

/** Weighted sums along each source row; what is not valid counts as zero. */
function acrossRows(
  band: Samples,
  valid: Uint8Array | undefined,
  { width, height }: { readonly width: number; readonly height: number },
  { first, weights, reach, from }: Taps,
): Float64Array {
  const out = new Float64Array(first.length * height);
  let at = 0;
  for (let row = 0; row < height; row++) {
    const end = (row + 1) * width;
    for (let i = 0; i < first.length; i++) {
      const begin = row * width + first[i]! - from;
      let sum = 0;
      for (let k = 0; k < reach && begin + k < end; k++) {
        const weight = weights[i * reach + k]!;
        if (weight > 0 && (valid === undefined || valid[begin + k] === 1)) {
          sum += weight * band[begin + k]!;
        }
      }
      out[at++] = sum;
    }
  }
  return out;
}

/** Weighted sums down each column of what {@link acrossRows} gave. */
function downColumns(
  rows: Float64Array,
  rowCount: number,
  width: number,
  { first, weights, reach, from }: Taps,
): Float32Array {
  const out = new Float32Array(width * first.length);
  const sums = new Float64Array(width);
  for (let i = 0; i < first.length; i++) {
    sums.fill(0);
    for (let k = 0; k < reach; k++) {
      const row = first[i]! - from + k;
      const weight = weights[i * reach + k]!;
      if (weight === 0 || row >= rowCount) continue;
      for (let x = 0; x < width; x++) sums[x]! += weight * rows[row * width + x]!;
    }
    out.set(sums, i * width);
  }
  return out;
}

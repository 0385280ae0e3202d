/** Repeatable noise: every value is a pure function of a seed and a place, so any window can be made by itself. */
import type { Window } from "../scene.ts";

/** 32 random bits for a place; Murmur3's finaliser over the mixed coordinates. */
export function hash(seed: number, x: number, y: number): number {
  let h = Math.imul(x, 0x85ebca6b) ^ Math.imul(y, 0xc2b2ae35) ^ Math.imul(seed, 0x27d4eb2f);
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}

/** Uniform in 0…1. */
export const uniform = (seed: number, x: number, y: number): number => hash(seed, x, y) / 2 ** 32;

/** Uniform values from one place on, one a call. */
export function stream(seed: number, x: number, y: number): () => number {
  let count = 0;
  const start = hash(seed, x, y);
  return () => hash(start, ++count, 0) / 2 ** 32;
}

/** Smooth noise in 0…1 that changes over about `period` pixels. */
export function smooth(seed: number, x: number, y: number, period: number): number {
  const [u, v] = [x / period, y / period];
  const [i, j] = [Math.floor(u), Math.floor(v)];
  const [s, t] = [ease(u - i), ease(v - j)];
  const top = uniform(seed, i, j) * (1 - s) + uniform(seed, i + 1, j) * s;
  const bottom = uniform(seed, i, j + 1) * (1 - s) + uniform(seed, i + 1, j + 1) * s;
  return top * (1 - t) + bottom * t;
}

/** {@link smooth} at the corner of every pixel of a window, row by row. */
export function smoothWindow(
  seed: number,
  { x, y, width, height }: Window,
  period: number,
): Float32Array {
  const out = new Float32Array(width * height);
  const first = Math.floor(x / period);
  const count = Math.floor((x + width - 1) / period) - first + 2;
  const line = (j: number): Float64Array =>
    Float64Array.from({ length: count }, (_, i) => uniform(seed, first + i, j));
  let [row, top, bottom] = [Number.NaN, line(0), line(0)];
  const places = Int32Array.from({ length: width }, (_, i) => Math.floor((x + i) / period));
  const shares = Float64Array.from(places, (place, i) => ease((x + i) / period - place));
  for (let j = 0, at = 0; j < height; j++) {
    const v = (y + j) / period;
    if (Math.floor(v) !== row) {
      row = Math.floor(v);
      [top, bottom] = [line(row), line(row + 1)];
    }
    const t = ease(v - row);
    for (let i = 0; i < width; i++, at++) {
      const [k, s] = [places[i]! - first, shares[i]!];
      const above = top[k]! * (1 - s) + top[k + 1]! * s;
      const below = bottom[k]! * (1 - s) + bottom[k + 1]! * s;
      out[at] = above * (1 - t) + below * t;
    }
  }
  return out;
}

/** Values of a normal distribution by equal shares of probability, to be picked from by ten random bits. */
export const NORMAL: Float32Array = Float32Array.from({ length: 1024 }, (_, i) => {
  // Winitzki's inverse of the error function, good to 0.2 %.
  const p = (2 * (i + 0.5)) / 1024 - 1;
  const log = Math.log(1 - p * p);
  const half = 2 / (Math.PI * 0.147) + log / 2;
  return Math.SQRT2 * Math.sign(p) * Math.sqrt(Math.sqrt(half * half - log / 0.147) - half);
});

const ease = (t: number): number => t * t * (3 - 2 * t);

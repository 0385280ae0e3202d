/** Rings of any number of points, `x y x y …`, not closed. */
import type { Window } from "./scene.ts";

/** Area by the shoelace formula, positive where the ring runs clockwise on the screen (y down). */
export function signedRingArea(ring: ArrayLike<number>): number {
  let twice = 0;
  for (let i = 0; i < ring.length; i += 2) {
    const j = (i + 2) % ring.length;
    twice += (ring[i] ?? 0) * (ring[j + 1] ?? 0) - (ring[j] ?? 0) * (ring[i + 1] ?? 0);
  }
  return twice / 2;
}

/** The same ring clockwise on the screen; the first point stays first. */
export function clockwiseRing(ring: readonly number[]): readonly number[] {
  if (signedRingArea(ring) >= 0) return ring;
  const turned = ring.slice(0, 2);
  for (let i = ring.length - 2; i > 0; i -= 2) turned.push(ring[i] ?? 0, ring[i + 1] ?? 0);
  return turned;
}

/** The part of a ring inside the window, cut by one edge after another (Sutherland and Hodgman, 1974). */
export function clipRing(
  ring: readonly number[],
  { x, y, width, height }: Window,
): readonly number[] {
  let points = ring;
  const edges: readonly (readonly [axis: 0 | 1, sign: 1 | -1, at: number])[] = [
    [0, 1, x],
    [0, -1, x + width],
    [1, 1, y],
    [1, -1, y + height],
  ];
  for (const [axis, sign, at] of edges) points = clipAt(points, axis, sign, at);
  return points;
}

/** Keeps the points whose coordinate on the axis is at or beyond `at`, in the direction of the sign. */
function clipAt(
  points: readonly number[],
  axis: 0 | 1,
  sign: 1 | -1,
  at: number,
): readonly number[] {
  const kept: number[] = [];
  for (let i = 0; i < points.length; i += 2) {
    const j = (i + 2) % points.length;
    const [from, to] = [points.slice(i, i + 2), points.slice(j, j + 2)];
    const [a, b] = [sign * ((from[axis] ?? 0) - at), sign * ((to[axis] ?? 0) - at)];
    if (a >= 0) kept.push(...from);
    if (a * b < 0) {
      const share = a / (a - b);
      kept.push(...from.map((value, k) => value + share * ((to[k] ?? 0) - value)));
    }
  }
  return kept;
}

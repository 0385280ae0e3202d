/** Rings of any number of points, `x y x y …`, not closed. */

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

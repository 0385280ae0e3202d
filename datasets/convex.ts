/**
 * Areas of convex quadrilaterals and of what two of them share.
 *
 * A quadrilateral is eight numbers `x1 y1 … x4 y4` of an array, from a given offset, in either direction round.
 * Points may coincide and edges may touch. Nothing is allocated: these are the inner loops of merging.
 */

/** Twice the area, positive where the corners run clockwise on the screen (y down). */
export function signedDoubleArea(corners: Float64Array, at: number): number {
  // From the diagonals: exact to the last bits also far from the origin.
  const ax = corners[at + 4]! - corners[at]!;
  const ay = corners[at + 5]! - corners[at + 1]!;
  const bx = corners[at + 6]! - corners[at + 2]!;
  const by = corners[at + 7]! - corners[at + 3]!;
  return ax * by - ay * bx;
}

export function quadArea(corners: Float64Array, at = 0): number {
  return Math.abs(signedDoubleArea(corners, at)) / 2;
}

/** Reverses the corners of each quadrilateral that runs anticlockwise on the screen; the first stays first. */
export function orderClockwise(corners: Float64Array): Float64Array {
  const ordered = corners.slice();
  for (let at = 0; at < ordered.length; at += 8) {
    if (signedDoubleArea(ordered, at) >= 0) continue;
    const [x, y] = [ordered[at + 2]!, ordered[at + 3]!];
    ordered.copyWithin(at + 2, at + 6, at + 8);
    ordered[at + 6] = x;
    ordered[at + 7] = y;
  }
  return ordered;
}

// Clipping a four-sided polygon, even a crossed one, by four lines leaves at most 19 points.
const MAX_POINTS = 20;
const [bufferA, bufferB] = [new Float64Array(2 * MAX_POINTS), new Float64Array(2 * MAX_POINTS)];

/**
 * Area that two convex quadrilaterals share: `a` clipped by each edge of `b` in turn (Sutherland and Hodgman,
 * Reentrant polygon clipping, 1974). Coordinates are taken relative to `b`, so that map coordinates in millions
 * keep their digits. A quadrilateral without area shares none.
 */
export function intersectionArea(
  a: Float64Array,
  atA: number,
  b: Float64Array,
  atB: number,
): number {
  const turn = signedDoubleArea(b, atB);
  if (turn === 0) return 0;
  const [originX, originY] = [b[atB]!, b[atB + 1]!];
  let from = bufferA;
  let to = bufferB;
  for (let k = 0; k < 8; k += 2) {
    from[k] = a[atA + k]! - originX;
    from[k + 1] = a[atA + k + 1]! - originY;
  }
  let length = 8;
  for (let k = 0; k < 8 && length > 0; k += 2) {
    const next = (k + 2) & 7;
    const px = b[atB + k]! - originX;
    const py = b[atB + k + 1]! - originY;
    const ex = b[atB + next]! - originX - px;
    const ey = b[atB + next + 1]! - originY - py;
    if (ex === 0 && ey === 0) continue; // two corners coincide: no edge
    length =
      turn > 0 ? clip(from, length, to, px, py, ex, ey) : clip(from, length, to, px, py, -ex, -ey);
    [from, to] = [to, from];
  }
  return Math.abs(doubleArea(from, length)) / 2;
}

/** Keeps what lies at the inner side of the line through (px, py) along (ex, ey); returns how many numbers. */
function clip(
  from: Float64Array,
  length: number,
  to: Float64Array,
  px: number,
  py: number,
  ex: number,
  ey: number,
): number {
  if (length === 0) return 0;
  let written = 0;
  let lastX = from[length - 2]!;
  let lastY = from[length - 1]!;
  let last = ex * (lastY - py) - ey * (lastX - px);
  for (let k = 0; k < length; k += 2) {
    const x = from[k]!;
    const y = from[k + 1]!;
    const side = ex * (y - py) - ey * (x - px);
    if (side >= 0 !== last >= 0) {
      const share = last / (last - side);
      to[written++] = lastX + share * (x - lastX);
      to[written++] = lastY + share * (y - lastY);
    }
    if (side >= 0) {
      to[written++] = x;
      to[written++] = y;
    }
    lastX = x;
    lastY = y;
    last = side;
  }
  return written;
}

function doubleArea(points: Float64Array, length: number): number {
  if (length < 6) return 0;
  const [x0, y0] = [points[0]!, points[1]!];
  let sum = 0;
  let ax = points[2]! - x0;
  let ay = points[3]! - y0;
  for (let k = 4; k < length; k += 2) {
    const bx = points[k]! - x0;
    const by = points[k + 1]! - y0;
    sum += ax * by - ay * bx;
    ax = bx;
    ay = by;
  }
  return sum;
}

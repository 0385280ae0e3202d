/** The smallest rectangle, at any angle, round a set of points. */

/**
 * Corners of the rectangle of least area round the points `x1 y1 x2 y2 …`, clockwise on the screen (y down).
 *
 * One side of that rectangle lies along an edge of the convex hull (Freeman and Shapira, Determining the minimum-area
 * encasing rectangle, 1975), so every hull edge is tried. Hulls are small; no calipers need be turned. Of
 * rectangles of equal area the one found first wins, and the hull starts at the leftmost point, so the answer
 * does not depend on the order of the points.
 *
 * Points on a line give a rectangle without width, one point a rectangle without size.
 *
 * @throws {RangeError} where there is no point.
 */
export function minAreaRectangle(points: ArrayLike<number>): Float64Array {
  if (points.length < 2) {
    throw new RangeError(
      `minAreaRectangle: there must be at least one point, received ${points.length} numbers`,
    );
  }
  const hull = convexHull(points);
  const [x0, y0] = [hull[0]!, hull[1]!];
  if (hull.length === 2) return Float64Array.of(x0, y0, x0, y0, x0, y0, x0, y0);
  let least = Number.POSITIVE_INFINITY;
  let best: Float64Array | undefined;
  for (let k = 0; k < hull.length; k += 2) {
    const next = (k + 2) % hull.length;
    const [ex, ey] = [hull[next]! - hull[k]!, hull[next + 1]! - hull[k + 1]!];
    const length = Math.hypot(ex, ey);
    const [ux, uy] = [ex / length, ey / length];
    const { from, to, height } = extent(hull, k, ux, uy);
    // A later edge must be smaller by more than rounding: which of two equal ones is taken is then no accident.
    const area = (to - from) * height;
    if (area >= least * (1 - 1e-12)) continue;
    least = area;
    best = rectangle(hull[k]!, hull[k + 1]!, ux, uy, from, to, height);
  }
  // A hull of two points or more has an edge, whose area is finite.
  return best!;
}

/** Extent of the hull along (ux, uy) and away from it to the inner side, seen from hull point `k`. */
function extent(
  hull: Float64Array,
  k: number,
  ux: number,
  uy: number,
): { readonly from: number; readonly to: number; readonly height: number } {
  let [from, to, height] = [0, 0, 0];
  for (let i = 0; i < hull.length; i += 2) {
    const [dx, dy] = [hull[i]! - hull[k]!, hull[i + 1]! - hull[k + 1]!];
    const along = dx * ux + dy * uy;
    from = Math.min(from, along);
    to = Math.max(to, along);
    height = Math.max(height, dy * ux - dx * uy);
  }
  return { from, to, height };
}

function rectangle(
  x: number,
  y: number,
  ux: number,
  uy: number,
  from: number,
  to: number,
  height: number,
): Float64Array {
  const [ax, ay] = [x + from * ux, y + from * uy];
  const [bx, by] = [x + to * ux, y + to * uy];
  const [hx, hy] = [-uy * height, ux * height];
  return Float64Array.of(ax, ay, bx, by, bx + hx, by + hy, ax + hx, ay + hy);
}

/**
 * Convex hull of points `x1 y1 …` as `x1 y1 …`, clockwise on the screen from the leftmost point on (of several, the
 * uppermost), no three points in line (Andrew, Another efficient algorithm for convex hulls in two dimensions, 1979).
 */
export function convexHull(points: ArrayLike<number>): Float64Array {
  const order = Array.from({ length: points.length >> 1 }, (_, i) => 2 * i);
  order.sort((a, b) => points[a]! - points[b]! || points[a + 1]! - points[b + 1]!);
  const there = clockwiseChain(points, order);
  const back = clockwiseChain(points, order.reverse());
  if (there.length === 2) return Float64Array.from(there);
  // Each chain ends where the other starts.
  return Float64Array.from([...there.slice(0, -2), ...back.slice(0, -2)]);
}

function clockwiseChain(points: ArrayLike<number>, order: readonly number[]): number[] {
  const chain: number[] = [];
  for (const at of order) {
    const [x, y] = [points[at]!, points[at + 1]!];
    let n = chain.length;
    if (n > 0 && chain[n - 2] === x && chain[n - 1] === y) continue;
    while (n >= 4) {
      const [ax, ay, bx, by] = [chain[n - 4]!, chain[n - 3]!, chain[n - 2]!, chain[n - 1]!];
      if ((bx - ax) * (y - ay) - (by - ay) * (x - ax) > 0) break;
      n = chain.length = n - 2;
    }
    chain.push(x, y);
  }
  return chain;
}

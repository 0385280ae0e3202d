/**
 * Objects cut by the edge of a tile.
 *
 * A box that touches an inner edge of its tile may be part of an object that goes on behind it. The tile next door, which
 * overlaps by at least the largest object, has seen that object whole, so the part must go, whatever its score; two boxes
 * of true neighbours must both stay. Three facts tell a part from a neighbour:
 *
 * - its whole reaches past the edge that cut the part (a neighbour inside the tile does not);
 * - the part lies inside its whole ({@link COVERED});
 * - they are of one class.
 *
 * Where no tile saw the whole, two parts that each reach past the other's edge, in line with each other, are joined.
 */
import { coordinates, stride, writeUprightCorners } from "../../datasets/index.ts";
import { type Candidates, shareOf } from "./candidates.ts";
import type { Neighbours } from "./neighbours.ts";
import type { MergeRules } from "./options.ts";

export const LEFT = 1;
export const TOP = 2;
export const RIGHT = 4;
export const BOTTOM = 8;

/**
 * Share of a part that must lie inside the whole. The bounds of a part lie entirely inside those of the whole; 0.7 leaves
 * room for a detector's error. The smallest rectangle round part of an oriented box may stick out of that box: a convex
 * shape fills at least half of it, so at least 0.5 is inside, less the same room.
 */
const COVERED = { "axis-aligned": 0.7, oriented: 0.4 } as const;

/** A whole may score this much lower than its part; less is no sighting but noise, and noise must not erase a part. */
const LEAST_SCORE_SHARE = 1 / 4;

/** Two parts are in line when their extents across the line have this intersection over union. */
const IN_LINE = 0.7;

export function isCut({ sight }: Candidates, row: number): boolean {
  return sight !== undefined && sight.cut[row] !== 0;
}

/** 1 for every row that stays, 0 for each part whose whole was seen. */
export function dropFragments(c: Candidates, near: Neighbours, rules: MergeRules): Uint8Array {
  const stays = new Uint8Array(c.count).fill(1);
  if (c.sight === undefined) return stays;
  const loses = partOf(c, rules);
  for (let row = 0; row < c.count; row++) {
    if (!isCut(c, row)) continue;
    near(row, (other) => {
      if (stays[row] === 1 && loses(row, other)) stays[row] = 0;
    });
  }
  return stays;
}

/** Whether the first row is a part of what the second row saw better. */
export function partOf(
  c: Candidates,
  { classAgnostic }: MergeRules,
): (part: number, whole: number) => boolean {
  const { areas, scores, classes, boxes } = c;
  const shared = shareOf(c);
  const covered = COVERED[boxes.kind];
  return (part, whole) => {
    if (!isCut(c, part) || !reachesPast(c, whole, part)) return false;
    if (!classAgnostic && classes[part] !== classes[whole]) return false;
    if (scores[whole]! < LEAST_SCORE_SHARE * scores[part]!) return false;
    // Of two parts the larger has seen more, unless the smaller sees what it does not. Growing areas also mean that no
    // parts can lose to each other in a circle.
    if (isCut(c, whole) && (reachesPast(c, part, whole) || areas[whole]! <= areas[part]!)) {
      return false;
    }
    return shared(part, whole) >= covered * areas[part]!;
  };
}

/** Whether two cut boxes are parts of one object, each with an end that the other's tile could not see. */
export function continues(c: Candidates, a: number, b: number): boolean {
  return (
    isCut(c, a) && isCut(c, b) && reachesPast(c, a, b) && reachesPast(c, b, a) && inLine(c, a, b)
  );
}

/** Whether box `far` reaches past an edge that cuts box `cut`. */
function reachesPast({ bounds, sight }: Candidates, far: number, cut: number): boolean {
  if (sight === undefined) return false;
  const [sides, tile] = [sight.cut[cut]!, sight.tile];
  const [f, t] = [4 * far, 4 * cut];
  return (
    ((sides & LEFT) !== 0 && bounds[f]! < tile[t]!) ||
    ((sides & TOP) !== 0 && bounds[f + 1]! < tile[t + 1]!) ||
    ((sides & RIGHT) !== 0 && bounds[f + 2]! > tile[t + 2]!) ||
    ((sides & BOTTOM) !== 0 && bounds[f + 3]! > tile[t + 3]!)
  );
}

const corners = new Float64Array(16);

/** Whether the boxes lie one behind the other: along a side of the larger one, equally wide and not shifted. */
function inLine(c: Candidates, a: number, b: number): boolean {
  const [large, small] = c.areas[a]! >= c.areas[b]! ? [a, b] : [b, a];
  copyCorners(c, large, 0);
  copyCorners(c, small, 8);
  const [dx, dy] = [centre(8) - centre(0), centre(9) - centre(1)];
  const [ex, ey] = [corners[2]! - corners[0]!, corners[3]! - corners[1]!];
  const [fx, fy] = [corners[4]! - corners[2]!, corners[5]! - corners[3]!];
  const [e, f] = [Math.hypot(ex, ey), Math.hypot(fx, fy)];
  // Across the line: the side that points least from one centre to the other.
  const alongE = Math.abs(dx * ex + dy * ey) * f >= Math.abs(dx * fx + dy * fy) * e;
  const [nx, ny] = alongE ? [fx, fy] : [ex, ey];
  const [fromA, toA] = extentAlong(0, nx, ny);
  const [fromB, toB] = extentAlong(8, nx, ny);
  const common = Math.min(toA, toB) - Math.max(fromA, fromB);
  return common > 0 && common >= IN_LINE * (Math.max(toA, toB) - Math.min(fromA, fromB));
}

function copyCorners({ boxes, bounds }: Candidates, row: number, to: 0 | 8): void {
  if (boxes.kind === "axis-aligned") writeUprightCorners(bounds, 4 * row, corners, to);
  else for (let k = 0; k < 8; k++) corners[to + k] = coordinates(boxes)[row * stride(boxes) + k]!;
}

function centre(at: number): number {
  return (corners[at]! + corners[at + 2]! + corners[at + 4]! + corners[at + 6]!) / 4;
}

function extentAlong(at: 0 | 8, nx: number, ny: number): readonly [from: number, to: number] {
  let [from, to] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (let k = at; k < at + 8; k += 2) {
    const along = corners[k]! * nx + corners[k + 1]! * ny;
    from = Math.min(from, along);
    to = Math.max(to, along);
  }
  return [from, to];
}

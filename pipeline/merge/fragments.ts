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

/**
 * An upright part is smaller than its whole; a neighbour of the same size is no whole. (The smallest rectangle round half a
 * diamond is as large as the one round the diamond: no such rule for oriented boxes.)
 */
const SMALLER = 1 - 1e-9;

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
    if (boxes.kind === "axis-aligned" && areas[part]! > SMALLER * areas[whole]!) return false;
    // Of two parts the larger has seen more, unless the smaller sees what it does not. Growing areas also mean that no
    // parts can lose to each other in a circle.
    if (isCut(c, whole) && (reachesPast(c, part, whole) || areas[whole]! <= areas[part]!)) {
      return false;
    }
    return shared(part, whole) >= covered * areas[part]!;
  };
}

/**
 * Whether two boxes are parts of one object: cut at opposite sides by tiles that meet or overlap, each with an end that the
 * other's tile could not see, in line, and both there where the tiles overlap.
 */
export function continues(c: Candidates, a: number, b: number): boolean {
  if (!isCut(c, a) || !isCut(c, b)) return false;
  const seam = Math.max(
    seamOf(c, a, b, 0),
    seamOf(c, b, a, 0),
    seamOf(c, a, b, 1),
    seamOf(c, b, a, 1),
  );
  return seam >= 0 && inLine(c, a, b, seam);
}

/** Overlap of the tiles, in pixels along x (0) or y (1), if both boxes run over it from end to end; −1 otherwise. */
function seamOf({ bounds, sight }: Candidates, before: number, after: number, axis: 0 | 1): number {
  if (sight === undefined) return -1;
  const { cut, tile } = sight;
  const [far, near] = axis === 0 ? [RIGHT, LEFT] : [BOTTOM, TOP];
  if ((cut[before]! & far) === 0 || (cut[after]! & near) === 0) return -1;
  const [from, to] = [tile[4 * after + axis]!, tile[4 * before + axis + 2]!];
  return bounds[4 * before + axis]! < from && bounds[4 * after + axis + 2]! > to ? to - from : -1;
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

/**
 * Whether the boxes lie one behind the other along a side of the larger one: equally wide, not shifted, and, where their
 * tiles overlap by `seam` pixels, on each other for at least half of that. Two ships in a row are not.
 */
function inLine(c: Candidates, a: number, b: number, seam: number): boolean {
  const [large, small] = c.areas[a]! >= c.areas[b]! ? [a, b] : [b, a];
  copyCorners(c, large, 0);
  copyCorners(c, small, 8);
  const [dx, dy] = [centre(8) - centre(0), centre(9) - centre(1)];
  const [ex, ey] = unit(corners[2]! - corners[0]!, corners[3]! - corners[1]!);
  const [fx, fy] = unit(corners[4]! - corners[2]!, corners[5]! - corners[3]!);
  // Along the line: the side that points most from one centre to the other.
  const alongE = Math.abs(dx * ex + dy * ey) >= Math.abs(dx * fx + dy * fy);
  const along = alongE ? common(ex, ey) : common(fx, fy);
  const across = alongE ? common(fx, fy) : common(ex, ey);
  if (seam > 0 && along.shared < seam / 2) return false;
  return across.shared > 0 && across.shared >= IN_LINE * across.together;
}

function unit(x: number, y: number): readonly [x: number, y: number] {
  const length = Math.hypot(x, y);
  return length > 0 ? [x / length, y / length] : [0, 0];
}

/** Along a direction, how much of it both boxes cover, and how much they cover together. */
function common(nx: number, ny: number): { readonly shared: number; readonly together: number } {
  const [fromA, toA] = extentAlong(0, nx, ny);
  const [fromB, toB] = extentAlong(8, nx, ny);
  return {
    shared: Math.min(toA, toB) - Math.max(fromA, fromB),
    together: Math.max(toA, toB) - Math.min(fromA, fromB),
  };
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

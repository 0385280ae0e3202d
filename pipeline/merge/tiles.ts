/** Merging across the tiles of a scene, as they come. */
import { type Detections, noDetections, toCorners } from "../../datasets/index.ts";
import type { Tile, TileDetections, TilePlan } from "../tiles.ts";
import { type Candidates, concatCandidates, rank, takeCandidates } from "./candidates.ts";
import { partOf } from "./fragments.ts";
import { createGroups } from "./groups.ts";
import { indexNeighbours } from "./neighbours.ts";
import { type MergeOptions, type MergeRules, decideRules } from "./options.ts";
import { comparePairs } from "./pairs.ts";
import { resolve } from "./resolve.ts";
import { OVERHANG, seenBy, seenWhole } from "./sight.ts";

export interface MergeTilesOptions extends MergeOptions {
  /** Found by a pass over the whole scene at low resolution: seen whole, and merged with the rest. */
  readonly overview?: Detections<"scene"> | undefined;
}

/**
 * Makes one detection of each object that the tiles saw, once or often, whole or in part.
 *
 * Tiles come in plan order; those that were skipped need not come. A group of detections that bear on one another is
 * merged, and handed on, once no tile to come can add to it; so memory holds a band of tiles, and the result is the same as if
 * everything were merged at once. Batches follow the rows of tiles, each from the highest score to the lowest.
 *
 * Two detections meet only within reach of their tiles: half a tile beyond the tile's own edge.
 *
 * @throws {RangeError} where tiles do not come in plan order
 * @throws {SettingsError} where an option lies outside its range
 */
export async function* mergeTiles(
  found: AsyncIterable<TileDetections>,
  plan: TilePlan,
  { overview, ...options }: MergeTilesOptions = {},
): AsyncGenerator<Detections<"scene">, void, undefined> {
  const rules = decideRules(options);
  let pending: Candidates[] = overview === undefined ? [] : [seenWhole(overview)];
  let last = -1;
  let rowY = Number.NEGATIVE_INFINITY;
  for await (const { tile, detections } of found) {
    if (tile.index <= last || tile.window.y < rowY) {
      throw new RangeError(
        `mergeTiles: tiles must come in plan order, received tile ${tile.index} after tile ${last}`,
      );
    }
    if (tile.window.y > rowY) {
      const { done, rest } = settle(pending, frontier(tile, plan), rules);
      if (done.count > 0) yield done;
      pending = rest;
    }
    [last, rowY] = [tile.index, tile.window.y];
    const seen = seenBy(tile, detections, plan, rules);
    if (seen.count > 0) pending.push(seen);
  }
  const { done } = settle(pending, Number.POSITIVE_INFINITY, rules);
  if (done.count > 0) yield done;
}

/** The highest place, in scene pixels, that a detection of this tile or one after it can reach. */
function frontier({ window }: Tile, { grid, sizePx }: TilePlan): number {
  return (window.y - OVERHANG * sizePx.height) / grid.scaleY;
}

/** Merges the groups that lie behind the frontier; the rest waits. */
function settle(
  pending: readonly Candidates[],
  frontierY: number,
  rules: MergeRules,
): { readonly done: Detections<"scene">; readonly rest: Candidates[] } {
  const [first, ...more] = sameKind(pending);
  if (first === undefined) return { done: noDetections("scene"), rest: [] };
  const all = rank(concatCandidates([first, ...more]));
  const open =
    frontierY === Number.POSITIVE_INFINITY ? () => false : openRows(all, frontierY, rules);
  const [behind, waiting]: [number[], number[]] = [[], []];
  for (let row = 0; row < all.count; row++) (open(row) ? waiting : behind).push(row);
  return {
    done: resolve(takeCandidates(all, behind), rules),
    rest: waiting.length === 0 ? [] : [takeCandidates(all, waiting)],
  };
}

/** Whether a row bears, by any chain of rows, on what tiles to come may still find. */
function openRows(c: Candidates, frontierY: number, rules: MergeRules): (row: number) => boolean {
  const groups = createGroups(c.count);
  if (rules.method !== "none") {
    const pairs = comparePairs(c, rules);
    const isPart = partOf(c, rules);
    const near = indexNeighbours(c);
    const meets = (a: number, b: number): boolean =>
      (rules.method === "soft-nms" && rules.decaysAlways
        ? pairs.overlap(a, b) > 0
        : pairs.matches(a, b)) ||
      isPart(a, b) ||
      isPart(b, a) ||
      pairs.continues(a, b);
    for (let row = 0; row < c.count; row++) {
      near(row, (other) => {
        // Pairs already known to belong together need not be measured: in a crowd that is nearly all of them.
        if (other > row && groups.find(row) !== groups.find(other) && meets(row, other)) {
          groups.unite(row, other);
        }
      });
    }
  }
  const open = new Uint8Array(c.count);
  for (let row = 0; row < c.count; row++) {
    if (c.sight!.reach[4 * row + 3]! >= frontierY) open[groups.find(row)] = 1;
  }
  return (row) => open[groups.find(row)] === 1;
}

/** Upright boxes beside oriented ones become oriented. */
function sameKind(parts: readonly Candidates[]): readonly Candidates[] {
  const mixed = parts.some(({ boxes }) => boxes.kind !== parts[0]?.boxes.kind);
  return mixed ? parts.map((part) => ({ ...part, boxes: toCorners(part.boxes) })) : parts;
}

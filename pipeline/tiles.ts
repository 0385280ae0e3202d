/** The plan of overlapping tiles that covers a scene at the model's resolution. */
import type { Window } from "../datasets/index.ts";

/**
 * The pixels that tiles are cut from: the scene, resampled to the model's ground resolution.
 * `scale` is working pixels per scene pixel in each direction (1 where nothing is resampled).
 */
export interface WorkingGrid {
  readonly width: number;
  readonly height: number;
  readonly scaleX: number;
  readonly scaleY: number;
}

/** One planned tile. */
export interface Tile {
  /** Place in plan order: row by row, from left to right. */
  readonly index: number;
  /** In working pixels, inside the grid; smaller than the tile size only where the grid is. */
  readonly window: Window;
}

export interface TilePlan {
  readonly grid: WorkingGrid;
  readonly sizePx: { readonly width: number; readonly height: number };
  /** Least overlap of neighbours, in working pixels. */
  readonly overlapPx: number;
  /** In plan order; `window.y` never falls. */
  readonly tiles: readonly Tile[];
}

/** The plan of overlapping tiles that covers a scene at the model's resolution. */
import type { Detections, Window } from "../datasets/index.ts";

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

/** What was found in one tile. Tiles in which nothing was found come too: they move the merge's frontier. */
export interface TileDetections {
  readonly tile: Tile;
  /** In working pixels, counted from the tile's first one. */
  readonly detections: Detections<"tile">;
}

export interface TileOptions {
  /** In working pixels; one number is a square. */
  readonly sizePx: number | { readonly width: number; readonly height: number };
  /**
   * Least overlap of neighbours, in working pixels. Any object no longer than this lies whole in some tile.
   * @default 0
   */
  readonly overlapPx?: number | undefined;
  /** Leaves out the windows (in working pixels) for which it says false: an area of interest. */
  readonly keeps?: ((window: Window) => boolean) | undefined;
}

/**
 * Covers a grid with overlapping tiles. The last tile of a row or column is shifted inside instead of being cut,
 * so every tile has the same size unless the grid itself is smaller.
 *
 * @throws {RangeError} where the overlap is not less than the tile.
 */
export function planTiles(
  grid: WorkingGrid,
  { sizePx, overlapPx = 0, keeps = () => true }: TileOptions,
): TilePlan {
  const size = typeof sizePx === "number" ? { width: sizePx, height: sizePx } : sizePx;
  const columns = starts("width", grid.width, size.width, overlapPx);
  const rows = starts("height", grid.height, size.height, overlapPx);
  const width = Math.min(size.width, grid.width);
  const height = Math.min(size.height, grid.height);
  const windows = rows.flatMap((y) => columns.map((x) => ({ x, y, width, height })));
  const tiles = windows.filter(keeps).map((window, index) => ({ index, window }));
  return { grid, sizePx: size, overlapPx, tiles };
}

/** First pixels of the tiles along one axis, rising; the last tile ends where the axis ends. */
function starts(axis: string, length: number, size: number, overlap: number): number[] {
  if (!Number.isInteger(size) || size < 1 || !Number.isInteger(overlap) || overlap < 0) {
    throw new RangeError(
      `planTiles: sizePx (≥ 1) and overlapPx (≥ 0) must be whole numbers, received ${axis} ${size}, overlapPx ${overlap}`,
    );
  }
  if (overlap >= size) {
    throw new RangeError(
      `planTiles: overlapPx must be less than sizePx, received overlapPx ${overlap}, ${axis} ${size}`,
    );
  }
  const count = Math.max(1, Math.ceil((length - overlap) / (size - overlap)));
  return Array.from({ length: count }, (_, i) =>
    Math.max(0, Math.min(i * (size - overlap), length - size)),
  );
}

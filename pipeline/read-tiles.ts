/** Reading: windows of the working grid, as pixels that are data, resampled. */
import type { Pixels, Scene, Window } from "../datasets/index.ts";
import { toColours } from "./bands.ts";
import { dataOnly, isBlank, isEmpty } from "./nodata.ts";
import { resample, sourceWindow, taps } from "./resample.ts";
import type { ScenePlan, View } from "./scene-plan.ts";
import { mapConcurrent } from "./stream.ts";
import type { Tile } from "./tiles.ts";

/** Why the model does not look at a tile. */
export type SkipReason = "nodata" | "blank";

export interface ReadTile {
  readonly tile: Tile;
  /** Undefined where the tile holds nothing to look at. */
  readonly pixels: Pixels | undefined;
  readonly skipped: SkipReason | undefined;
}

export interface ReadTilesOptions {
  /** Tiles read ahead. @default 4 */
  readonly concurrency?: number;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Reads tiles, in order, some of them ahead.
 *
 * @yields each tile with its pixels; one that is all nodata, or all of one value, without
 */
export function readTiles(
  scene: Scene,
  plan: ScenePlan,
  tiles: Iterable<Tile>,
  { concurrency = 4, signal }: ReadTilesOptions = {},
): AsyncGenerator<ReadTile, void, undefined> {
  const read = async (tile: Tile, stop: AbortSignal): Promise<ReadTile> => {
    const pixels = await readWindow(scene, plan, plan, tile.window, stop);
    const skipped = pixels === undefined ? "nodata" : isBlank(pixels) ? "blank" : undefined;
    return { tile, pixels: skipped === undefined ? pixels : undefined, skipped };
  };
  return mapConcurrent(tiles, read, { concurrency, ...(signal && { signal }) });
}

/** One window of a view; undefined where all of it is nodata. */
export async function readWindow(
  scene: Scene,
  { grid, level }: View,
  { preprocessing: { bands }, nodata }: Pick<ScenePlan, "preprocessing" | "nodata">,
  window: Window,
  signal?: AbortSignal,
): Promise<Pixels | undefined> {
  const size = scene.levels[level] ?? scene;
  const x = taps(size.width, grid.width, window.x, window.width);
  const y = taps(size.height, grid.height, window.y, window.height);
  const read = await scene.read(sourceWindow(x, y), { bands: bands.read, level, signal });
  const pixels = dataOnly(read, nodata);
  if (isEmpty(pixels)) return undefined;
  const resampled = resample(toColours(pixels, bands), x, y);
  return isEmpty(resampled) ? undefined : resampled;
}

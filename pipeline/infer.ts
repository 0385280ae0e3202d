/** The model's look at tiles: batches in, what was found in each tile out. */
import { type Detections, noDetections, type Pixels } from "../datasets/index.ts";
import type { Batch } from "./batch.ts";
import type { Detector } from "./detector.ts";
import { onData, placement, type Preprocessing, toTile } from "./preprocess.ts";
import type { ReadTile, SkipReason } from "./read-tiles.ts";
import { mapConcurrent } from "./stream.ts";
import type { TileDetections } from "./tiles.ts";

/** What became of one tile: all that a journal must keep of it. */
export interface TileOutcome extends TileDetections {
  readonly skipped: SkipReason | undefined;
  /** Boxes left out because their middle lies on nodata. */
  readonly dropped: number;
  /** Highest score the model gave, also where it is below the threshold. */
  readonly bestScore: number;
}

export interface InferOptions {
  /** Detections with less are left out. */
  readonly scoreAtLeast: number;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Runs the model on batches, one after another; while one runs the next is read.
 *
 * @yields the outcomes of one batch after another, tiles in plan order
 */
export function inferBatches(
  batches: AsyncIterable<Batch>,
  detector: Detector,
  preprocessing: Preprocessing,
  { scoreAtLeast, signal }: InferOptions,
): AsyncGenerator<readonly TileOutcome[], void, undefined> {
  return mapConcurrent(
    batches,
    (batch, stop) => inferTiles(batch, detector, preprocessing, { scoreAtLeast, signal: stop }),
    { concurrency: 2, ...(signal && { signal }) },
  );
}

/** Runs the model on one batch. */
export async function inferTiles(
  { tiles, input }: Batch,
  detector: Detector,
  preprocessing: Preprocessing,
  options: InferOptions,
): Promise<readonly TileOutcome[]> {
  if (input === undefined) return tiles.map(skippedOutcome);
  const { fit, gsdM } = preprocessing;
  const { width, height } = fit;
  const count = input.shape[0] ?? 0;
  const found = await detector.detect(input.data, count, { ...options, width, height, gsdM });
  let row = 0;
  return tiles.map((tile) => {
    if (tile.pixels === undefined) return skippedOutcome(tile);
    const raw = found.perTile[row] ?? noDetections("tile");
    return outcome(tile, tile.pixels, raw, found.bestScores[row++] ?? 0, preprocessing);
  });
}

const skippedOutcome = ({ tile, skipped }: ReadTile): TileOutcome => ({
  tile,
  detections: noDetections("tile"),
  skipped,
  dropped: 0,
  bestScore: 0,
});

function outcome(
  { tile }: ReadTile,
  pixels: Pixels,
  raw: Detections<"tile">,
  bestScore: number,
  { input, fit }: Preprocessing,
): TileOutcome {
  const detections = onData(toTile(raw, placement(pixels, fit, input.fit)), pixels);
  const dropped = raw.count - detections.count;
  return { tile, detections, skipped: undefined, dropped, bestScore };
}

/** The small stages of the flow, between the large ones. */
import { type Detections, filterDetections } from "../datasets/index.ts";
import type { AreaOfInterest } from "./area.ts";
import type { TileOutcome } from "./infer.ts";
import type { Journal } from "./jobs/journal.ts";
import { centres } from "./preprocess.ts";
import type { Tally } from "./tally.ts";
import type { Tile, TileDetections } from "./tiles.ts";
import type { Wanted } from "./wanted.ts";

/** The items up to the moment in which the signal is aborted. */
export function* until<T>(
  stop: AbortSignal | undefined,
  items: Iterable<T>,
): Generator<T, void, undefined> {
  for (const item of items) {
    if (stop?.aborted === true) return;
    yield item;
  }
}

export interface RecordOptions {
  readonly journal: Journal | undefined;
  /** All tiles of the plan. */
  readonly tiles: readonly Tile[];
  /** Its reason is thrown where it ended the fresh outcomes before the plan's end. */
  readonly windDown: AbortSignal | undefined;
  readonly onOutcome: (outcome: TileOutcome, again: boolean) => void;
}

/**
 * The outcomes of an interrupted run out of its journal, then the fresh ones, which are recorded before they are
 * handed on.
 */
export async function* recorded(
  fresh: AsyncIterable<readonly TileOutcome[]>,
  { journal, tiles, windDown, onOutcome }: RecordOptions,
): AsyncGenerator<TileOutcome, void, undefined> {
  let count = 0;
  for await (const outcome of journal?.outcomes(tiles) ?? []) {
    onOutcome(outcome, true);
    count++;
    yield outcome;
  }
  for await (const outcomes of fresh) {
    await journal?.append(outcomes);
    for (const outcome of outcomes) {
      onOutcome(outcome, false);
      count++;
      yield outcome;
    }
  }
  if (count < tiles.length) windDown?.throwIfAborted();
}

/** Leaves out detections that are not wanted, and counts those of other classes. */
export async function* select(
  outcomes: AsyncIterable<TileOutcome>,
  { byScore, byClass }: Wanted,
  tally: Tally,
): AsyncGenerator<TileDetections, void, undefined> {
  for await (const { tile, detections } of outcomes) {
    const scored = byScore(detections);
    const chosen = byClass(scored);
    tally.drop("otherClass", scored.count - chosen.count);
    yield { tile, detections: chosen };
  }
}

/** Leaves out objects whose middle lies outside the area, and counts them. */
export async function* withinArea(
  source: AsyncIterable<Detections<"scene">>,
  area: AreaOfInterest | undefined,
  tally: Tally,
): AsyncGenerator<Detections<"scene">, void, undefined> {
  for await (const found of source) {
    const middle = centres(found.boxes);
    const inside =
      area === undefined
        ? found
        : filterDetections(found, (i) => area.contains(middle[i * 2]!, middle[i * 2 + 1]!));
    tally.drop("outsideArea", found.count - inside.count);
    yield inside;
  }
}

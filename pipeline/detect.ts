/** Scenes in, map features out: the whole flow. */
import type { Scene } from "../datasets/index.ts";
import { toBatches } from "./batch.ts";
import { startClock, timed, timeReader } from "./clock.ts";
import type { Detector } from "./detector.ts";
import { furtherLooks } from "./further-looks.ts";
import { georeference } from "./georeference.ts";
import { inferBatches, type TileOutcome } from "./infer.ts";
import type { Journal } from "./jobs/journal.ts";
import { mergeTiles } from "./merge/tiles.ts";
import type { FoundObject } from "./objects.ts";
import { readTiles } from "./read-tiles.ts";
import type { RunReport } from "./report.ts";
import { planScene, type ScenePlan } from "./scene-plan.ts";
import type { DetectSettings } from "./settings.ts";
import { recorded, select, until, withinArea } from "./stages.ts";
import { startTally } from "./tally.ts";
import type { TileDetections } from "./tiles.ts";
import { wanted } from "./wanted.ts";

/** Where a run stands. */
export interface FlowProgress {
  readonly plan: ScenePlan;
  /** Tiles taken from the journal of an earlier run. */
  readonly resumed: number;
  /** Tiles done, of all of the plan's. */
  readonly done: number;
  /** Detections before merging, and final objects, so far. */
  readonly raw: number;
  readonly objects: number;
}

export interface FlowOptions {
  /** Stops at once; its reason is thrown. */
  readonly signal?: AbortSignal | undefined;
  /** Takes no further tiles; those in hand are finished and recorded, then its reason is thrown. */
  readonly windDown?: AbortSignal | undefined;
  /** Called when the scene is planned and whenever tiles are done. */
  readonly onProgress?: ((progress: FlowProgress) => void) | undefined;
  /** Called with what one tile holds, before merging: to show it at once. */
  readonly onTile?: ((found: TileDetections) => void) | undefined;
  /** Called with a sentence that the user should read while the run goes on. */
  readonly onNote?: ((sentence: string) => void) | undefined;
  /** Keeps what was found in each tile, and knows what an interrupted run of the same key found. */
  readonly journal?: Journal | undefined;
}

/**
 * Finds the objects of a scene. Two runs give the same objects in the same order, whatever the timing, and whether or
 * not one was interrupted and resumed.
 *
 * @yields each object once no further tile can change it, so memory does not grow with the scene
 * @returns counts, timings, warnings, and why little was found
 * @throws {SettingsError | ResolutionError} where settings, scene and model do not fit
 */
export async function* detect(
  untimed: Scene,
  detector: Detector,
  settings: DetectSettings,
  { signal, windDown, onProgress, onTile, onNote, journal }: FlowOptions = {},
): AsyncGenerator<FoundObject, RunReport, undefined> {
  const { classes } = detector.card;
  const want = wanted(settings, classes);
  const clock = startClock();
  const scene = { ...untimed, read: timed(clock, "read", untimed.read) };
  const model = { ...detector, detect: timed(clock, "infer", detector.detect) };
  const plan = await timed(clock, "plan", planScene)(scene, detector.card, settings, { signal });
  const { tiles, preprocessing, batch } = plan;
  const look = { scoreAtLeast: want.scoreAtLeast, signal };
  const tally = startTally(plan, settings, clock);
  const resumed = journal?.count ?? 0;
  const progress = (): void => onProgress?.({ plan, resumed, ...tally.soFar() });
  const onOutcome = (outcome: TileOutcome, again: boolean): void => {
    tally.outcome(outcome, again);
    onTile?.(outcome);
    progress();
  };
  progress();

  const ahead = until(windDown, tiles.tiles.slice(resumed));
  const read = readTiles(scene, plan, ahead, { concurrency: 2 * batch + 2, signal });
  const batches = toBatches(read, batch, preprocessing, clock, detector.allocate);
  const found = inferBatches(batches, model, preprocessing, look);
  const outcomes = recorded(found, { journal, tiles: tiles.tiles, windDown, onOutcome });
  const chosen = select(timeReader(outcomes, clock, "merge"), want, tally);
  const merge = { ...settings, ...look, notice: onNote };
  const overview = await furtherLooks(scene, model, plan, { want, merge, clock, signal });
  const merged = mergeTiles(chosen, tiles, { ...merge, overview });
  const inside = withinArea(merged, plan.area, tally);
  const objects = georeference(inside, scene, classes);
  for await (const object of timeReader(objects, clock, "write")) {
    tally.object(object);
    yield object;
  }
  return tally.report();
}

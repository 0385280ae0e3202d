/** One run over the open scene: objects as soon as a tile has shown them, and the merged ones in the end. */
import type { Scene } from "../../../datasets/index.ts";
import {
  type Detector,
  detect,
  type DetectSettings,
  type FlowProgress,
  type FoundObject,
  georeference,
  locate,
  mergeTiles,
  resolveSettings,
  type RunReport,
  settingsOfModel,
  type TileDetections,
  toScene,
} from "../../../pipeline/index.ts";
import type { Event, RunDone, RunSettings } from "../messages.ts";

export interface RunOptions {
  readonly scene: Scene;
  readonly detector: Detector;
  readonly settings: RunSettings;
  readonly signal: AbortSignal;
  readonly say: (event: Event) => void;
}

/**
 * The settings of a run, as the command line would decide them; but looks at other scales, which a person would wait for
 * before the first tile shows anything, are left out unless they are asked for. @throws {SettingsError}
 */
export function decide(
  { card }: Detector,
  { otherScales = false, ...option }: RunSettings,
): DetectSettings {
  const model = settingsOfModel(card);
  return resolveSettings({ option: { ...option, ...(!otherScales && { scales: [] }) }, model })
    .settings;
}

/**
 * Detects in the scene. A cancelled run is no failure: what its tiles have shown is merged.
 *
 * @throws {SettingsError | ResolutionError | SceneError | ModelError | DeviceError} as `detect` does
 */
export async function run({
  scene,
  detector,
  settings: asked,
  signal,
  say,
}: RunOptions): Promise<RunDone> {
  const settings = decide(detector, asked);
  const startMs = performance.now();
  const journey = startJourney(scene, detector, say);
  const flow = detect(scene, detector, settings, {
    signal,
    onProgress: journey.onProgress,
    onTile: journey.onTile,
    onNote: (sentence) => say({ type: "note", sentence }),
  });
  const ended = async (cancelled: boolean, report?: RunReport): Promise<RunDone> => ({
    type: "done",
    objects: cancelled ? await journey.mergedSoFar(settings) : journey.settled,
    cancelled,
    elapsedMs: performance.now() - startMs,
    tiles: report?.tiles,
    report,
  });
  try {
    let next = await flow.next();
    for (; next.done !== true; next = await flow.next()) journey.settle(next.value);
    return await ended(false, next.value);
  } catch (error) {
    if (signal.aborted) return ended(true);
    throw error;
  }
}

interface Journey {
  readonly onProgress: (progress: FlowProgress) => void;
  readonly onTile: (found: TileDetections) => void;
  readonly settle: (object: FoundObject) => void;
  readonly settled: readonly FoundObject[];
  /** The objects of the tiles so far, merged as if they were all. */
  readonly mergedSoFar: (settings: DetectSettings) => Promise<readonly FoundObject[]>;
}

/** Keeps what a run has shown and says it, tile by tile. */
function startJourney(scene: Scene, detector: Detector, say: (event: Event) => void): Journey {
  const { classes } = detector.card;
  const settled: FoundObject[] = [];
  const seen: TileDetections[] = [];
  let told = 0;
  let plan: FlowProgress["plan"] | undefined;
  let latest: TileDetections | undefined;

  return {
    settled,
    settle: (object) => settled.push(object),
    onTile: (found) => {
      latest = found;
      seen.push(found);
    },
    onProgress: (progress) => {
      plan = progress.plan;
      const total = plan.tiles.tiles.length;
      if (latest === undefined) return say({ type: "started", total });
      tellTile(latest, plan, progress.done, total);
      latest = undefined;
    },
    mergedSoFar: async (settings) => {
      if (plan === undefined) return [];
      const merged = mergeTiles(each(seen), plan.tiles, {
        ...settings,
        scoreAtLeast: settings.scoreAtLeast["*"],
      });
      const objects: FoundObject[] = [];
      for await (const object of georeference(merged, scene, classes)) objects.push(object);
      return objects;
    },
  };

  function tellTile(
    { tile, detections }: TileDetections,
    { grid, tiles }: FlowProgress["plan"],
    done: number,
    total: number,
  ): void {
    const { x, y, width, height } = tile.window;
    const [left, top] = [x / grid.scaleX, y / grid.scaleY];
    say({
      type: "tile",
      done,
      total,
      bounds: [left, top, left + width / grid.scaleX, top + height / grid.scaleY],
      seen: [...locate(toScene(tile, detections, grid), scene, classes)],
      settled: settled.slice(told),
      settledAbove: (y - tiles.sizePx.height) / grid.scaleY,
    });
    told = settled.length;
  }
}

async function* each<T>(items: readonly T[]): AsyncGenerator<T, void, undefined> {
  yield* items;
}

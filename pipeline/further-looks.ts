/**
 * Further looks at the scene, at other scales than the tiles': enlarged for objects that are small for the model, shrunk
 * for large ones. What they find is merged with what the tiles find.
 *
 * Testing at several scales, each trusted for objects of its own sizes: Singh and Davis, "An Analysis of Scale Invariance
 * in Object Detection", 2018, arXiv:1711.08189.
 */
import type { Detections, Scene } from "../datasets/index.ts";
import { concatDetections, filterDetections, toBounds } from "../datasets/index.ts";
import { toBatches } from "./batch.ts";
import type { Clock } from "./clock.ts";
import type { Detector } from "./detector.ts";
import { wholeScene } from "./full-pass.ts";
import { inferBatches } from "./infer.ts";
import { mergeTiles, type MergeTilesOptions } from "./merge/tiles.ts";
import { readTiles } from "./read-tiles.ts";
import type { Look, ScenePlan } from "./scene-plan.ts";
import type { TileDetections } from "./tiles.ts";
import type { Wanted } from "./wanted.ts";

export interface LookOptions {
  readonly want: Wanted;
  readonly merge: MergeTilesOptions;
  readonly clock: Clock;
  readonly signal?: AbortSignal | undefined;
}

/** All that the planned looks find, each merged by itself; undefined where none is planned. */
export async function furtherLooks(
  scene: Scene,
  detector: Detector,
  plan: ScenePlan,
  options: LookOptions,
): Promise<Detections<"scene"> | undefined> {
  const { scoreAtLeast } = options.want;
  const whole = await wholeScene(scene, detector, plan, { scoreAtLeast, signal: options.signal });
  const found = whole === undefined ? [] : [whole];
  for (const look of plan.looks)
    found.push(...(await lookAt(scene, detector, plan, look, options)));
  return found.length === 0 ? undefined : concatDetections("scene", found);
}

async function lookAt(
  scene: Scene,
  detector: Detector,
  { batch, ...plan }: ScenePlan,
  look: Look,
  { want, merge, clock, signal }: LookOptions,
): Promise<readonly Detections<"scene">[]> {
  const { preprocessing, tiles } = look;
  const at = { ...plan, ...look, batch };
  const read = readTiles(scene, at, tiles.tiles, { concurrency: 2 * batch + 2, signal });
  const batches = toBatches(read, batch, preprocessing, clock, detector.allocate);
  const { scoreAtLeast } = want;
  const outcomes = inferBatches(batches, detector, preprocessing, { scoreAtLeast, signal });
  async function* chosen(): AsyncGenerator<TileDetections, void, undefined> {
    for await (const group of outcomes) {
      for (const { tile, detections } of group) {
        yield { tile, detections: want.byClass(want.byScore(detections)) };
      }
    }
  }
  const found: Detections<"scene">[] = [];
  for await (const part of mergeTiles(chosen(), tiles, merge)) found.push(ofItsSizes(part, look));
  return found;
}

/**
 * Of an enlarged scene only what some tile has surely seen whole: longer objects come in pieces, and the tiles of the
 * scene itself see them better.
 */
function ofItsSizes(found: Detections<"scene">, { scale, tiles }: Look): Detections<"scene"> {
  if (scale < 1) return found;
  const longest = tiles.overlapPx / tiles.grid.scaleX;
  const { xyxy } = toBounds(found.boxes);
  return filterDetections(
    found,
    (i) =>
      Math.max(xyxy[4 * i + 2]! - xyxy[4 * i]!, xyxy[4 * i + 3]! - xyxy[4 * i + 1]!) <= longest,
  );
}

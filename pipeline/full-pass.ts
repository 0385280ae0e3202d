/** One look at the whole scene, shrunk to a tile: for objects larger than a tile. */
import type { Detections, Scene } from "../datasets/index.ts";
import { toInput } from "./batch.ts";
import type { Detector } from "./detector.ts";
import { inferTiles } from "./infer.ts";
import { toScene } from "./merge/sight.ts";
import { readWindow } from "./read-tiles.ts";
import type { ScenePlan } from "./scene-plan.ts";

/** What the model finds in the shrunken scene; undefined where no such pass is planned, or the scene is empty. */
export async function wholeScene(
  scene: Scene,
  detector: Detector,
  plan: ScenePlan,
  options: { readonly scoreAtLeast: number; readonly signal?: AbortSignal | undefined },
): Promise<Detections<"scene"> | undefined> {
  const { whole, preprocessing } = plan;
  if (whole === undefined) return undefined;
  const { width, height } = whole.grid;
  const tile = { index: 0, window: { x: 0, y: 0, width, height } };
  const pixels = await readWindow(scene, whole, plan, tile.window, options.signal);
  if (pixels === undefined) return undefined;
  const tiles = [{ tile, pixels, skipped: undefined }];
  const batch = { tiles, input: toInput(tiles, preprocessing, detector.allocate) };
  const [outcome] = await inferTiles(batch, detector, preprocessing, options);
  return outcome && toScene(tile, outcome.detections, whole.grid);
}

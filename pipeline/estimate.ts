/** What a run would cost, without doing it: tiles counted, a few of them tried. */
import type { Scene } from "../datasets/index.ts";
import { toBatches } from "./batch.ts";
import { startClock } from "./clock.ts";
import type { Detector } from "./detector.ts";
import { inferTiles } from "./infer.ts";
import { dataOnly } from "./nodata.ts";
import { readTiles } from "./read-tiles.ts";
import type { ScenePlan } from "./scene-plan.ts";
import type { Tile } from "./tiles.ts";

export interface Estimate {
  readonly tiles: number;
  /** Tiles of looks at other scales, which come first. */
  readonly furtherTiles: number;
  /** Tiles that the coarsest level shows to be without data; undefined where it is too large to be looked at. */
  readonly withoutData: number | undefined;
  /** Milliseconds for one tile that is looked at, reading included; undefined where none of the tried held data. */
  readonly perTileMs: number | undefined;
  readonly totalMs: number | undefined;
  /** Pixels and tensors of the tiles in hand; the model and the decoded blocks come on top. */
  readonly inHandBytes: number;
}

export interface EstimateOptions {
  /** Tiles that are tried. @default 3 */
  readonly probes?: number;
  readonly signal?: AbortSignal | undefined;
}

/** Largest level that is read to see where data is, in pixels. */
const MASK_PX = 4096 * 4096;

/** Tries tiles from all over the plan, through the same stages as a run. */
export async function estimate(
  scene: Scene,
  detector: Detector,
  plan: ScenePlan,
  { probes = 3, signal }: EstimateOptions = {},
): Promise<Estimate> {
  const { tiles } = plan.tiles;
  const empty = await tilesWithoutData(scene, plan, signal);
  const full = tiles.filter(({ index }) => empty?.has(index) !== true);
  const perTileMs = await tryTiles(scene, detector, plan, spread(full, probes), signal);
  const furtherTiles = plan.looks.reduce((sum, look) => sum + look.tiles.tiles.length, 0);
  const share = tiles.length === 0 ? 0 : full.length / tiles.length;
  return {
    tiles: tiles.length,
    furtherTiles,
    withoutData: empty?.size,
    perTileMs,
    totalMs: perTileMs === undefined ? undefined : perTileMs * (full.length + furtherTiles * share),
    inHandBytes: inHandBytes(plan),
  };
}

/** `count` items, evenly spaced. */
function spread<T>(items: readonly T[], count: number): readonly T[] {
  const step = items.length / Math.min(count, items.length);
  return items.filter((_, i) => Math.floor(i / step) !== Math.floor((i - 1) / step));
}

async function tryTiles(
  scene: Scene,
  detector: Detector,
  plan: ScenePlan,
  tiles: readonly Tile[],
  signal: AbortSignal | undefined,
): Promise<number | undefined> {
  const { preprocessing } = plan;
  const began = performance.now();
  let looked = 0;
  const read = readTiles(scene, plan, tiles, { concurrency: 1, signal });
  for await (const batch of toBatches(read, 1, preprocessing, startClock(), detector.allocate)) {
    await inferTiles(batch, detector, preprocessing, { scoreAtLeast: 1, signal });
    if (batch.input !== undefined) looked++;
  }
  return looked === 0 ? undefined : (performance.now() - began) / looked;
}

/** Indices of the tiles in which the coarsest level has no data. */
async function tilesWithoutData(
  scene: Scene,
  { tiles, grid, nodata }: ScenePlan,
  signal: AbortSignal | undefined,
): Promise<ReadonlySet<number> | undefined> {
  const level = scene.levels.length - 1;
  const { width, height } = scene.levels[level] ?? scene;
  if (width * height > MASK_PX) return undefined;
  const whole = { x: 0, y: 0, width, height };
  const { valid } = dataOnly(await scene.read(whole, { level, signal }), nodata);
  const [byX, byY] = [width / grid.width, height / grid.height];
  const isWithout = ({ window }: Tile): boolean => {
    if (valid === undefined) return false;
    const bottom = Math.min(height, Math.ceil((window.y + window.height) * byY));
    const [left, right] = [window.x * byX, (window.x + window.width) * byX].map(Math.round);
    for (let row = Math.floor(window.y * byY); row < bottom; row++) {
      if (valid.subarray(row * width + (left ?? 0), row * width + (right ?? 0)).includes(1))
        return false;
    }
    return true;
  };
  return new Set(tiles.tiles.filter(isWithout).map(({ index }) => index));
}

/** As `detect` reads ahead: tiles of two batches and two more, and the input tensors of two batches. */
function inHandBytes({ batch, tiles: { sizePx }, preprocessing }: ScenePlan): number {
  const { input, fit } = preprocessing;
  const pixels = sizePx.width * sizePx.height * input.channels * Float32Array.BYTES_PER_ELEMENT;
  const tensor = fit.width * fit.height * input.channels * Float32Array.BYTES_PER_ELEMENT;
  return (2 * batch + 2) * pixels + 2 * batch * tensor;
}

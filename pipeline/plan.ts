/** What a run would do and cost, without doing it: for `nadir plan`. */
import type { Scene } from "../datasets/index.ts";
import { toInput } from "./batch.ts";
import { toColours } from "./bands.ts";
import type { Detector } from "./detector.ts";
import { inferTiles } from "./infer.ts";
import { dataOnly, isBlank, isEmpty } from "./nodata.ts";
import { readTiles, type ReadTile } from "./read-tiles.ts";
import { planScene, type ScenePlan } from "./scene-plan.ts";
import type { DetectSettings } from "./settings.ts";
import type { Tile } from "./tiles.ts";
import { wanted } from "./wanted.ts";

export interface RunEstimate {
  readonly plan: ScenePlan;
  /** Tiles of the plan, those outside the area of interest left out already. */
  readonly tiles: number;
  /** Of these, how many hold nothing, by a coarse overview; undefined where there is none to look at. */
  readonly skipped: number | undefined;
  /** Pixels that the model will look at, overlaps counted twice. */
  readonly megapixels: number;
  /** Milliseconds that reading, preparing and inferring one tile takes here; undefined where no tile holds data. */
  readonly msPerTile: number | undefined;
  readonly seconds: number | undefined;
  /** Bytes of the tiles and tensors in hand; blocks kept by the reader and the engine's own memory come on top. */
  readonly workingBytes: number;
}

/** Tiles that are tried. */
const PROBES = 3;
/** Most pixels of an overview that is read as a whole. */
const OVERVIEW_PX = 1 << 22;

/** Plans a run, looks at a coarse overview for empty tiles, and tries the model on three tiles. */
export async function estimateRun(
  scene: Scene,
  detector: Detector,
  settings: DetectSettings,
  { signal }: { readonly signal?: AbortSignal | undefined } = {},
): Promise<RunEstimate> {
  const plan = await planScene(scene, detector.card, settings, { signal });
  const { tiles } = plan.tiles;
  const full = await tilesWithData(scene, plan, signal);
  const busy = full ?? tiles;
  const msPerTile = await probe(scene, detector, plan, settings, busy, signal);
  const { width, height } = plan.tiles.sizePx;
  const { fit, input } = plan.preprocessing;
  const ahead = 3 * plan.batch + 2;
  return {
    plan,
    tiles: tiles.length,
    skipped: full && tiles.length - full.length,
    megapixels: (busy.length * width * height) / 1e6,
    msPerTile,
    seconds: msPerTile === undefined ? undefined : (busy.length * msPerTile) / 1000,
    workingBytes: ahead * 4 * input.channels * (width * height + fit.width * fit.height),
  };
}

/** The tiles that are not all nodata and not all of one value, as the coarsest overview shows them. */
async function tilesWithData(
  scene: Scene,
  plan: ScenePlan,
  signal: AbortSignal | undefined,
): Promise<readonly Tile[] | undefined> {
  const level = scene.levels.length - 1;
  const { width, height } = scene.levels[level] ?? scene;
  if (width * height > OVERVIEW_PX) return undefined;
  const { bands } = plan.preprocessing;
  const whole = { x: 0, y: 0, width, height };
  const read = await scene.read(whole, { bands: bands.read, level, signal });
  const pixels = toColours(dataOnly(read, plan.nodata), bands);
  const [perX, perY] = [width / plan.grid.width, height / plan.grid.height];
  return plan.tiles.tiles.filter(({ window: w }) => {
    const [x1, y1] = [Math.floor(w.x * perX), Math.floor(w.y * perY)];
    const x2 = Math.min(width, Math.max(x1 + 1, Math.ceil((w.x + w.width) * perX)));
    const y2 = Math.min(height, Math.max(y1 + 1, Math.ceil((w.y + w.height) * perY)));
    const rows = Array.from({ length: y2 - y1 }, (_, i) => (y1 + i) * width);
    const cut = <A extends (typeof pixels.bands)[number]>(from: A) =>
      Float64Array.from(rows.flatMap((row) => [...from.subarray(row + x1, row + x2)]));
    const part = {
      width: x2 - x1,
      height: y2 - y1,
      bands: pixels.bands.map(cut),
      valid: pixels.valid && Uint8Array.from(cut(pixels.valid)),
    };
    // One pixel of an overview may be a whole tile: of one value, but no proof that the tile is.
    const proof = part.width * part.height > 16;
    return !isEmpty(part) && !(proof && isBlank(part));
  });
}

/** Time of one tile, from tiles spread over the plan; the first run only warms the model up. */
async function probe(
  scene: Scene,
  detector: Detector,
  plan: ScenePlan,
  settings: DetectSettings,
  tiles: readonly Tile[],
  signal: AbortSignal | undefined,
): Promise<number | undefined> {
  const { scoreAtLeast } = wanted(settings, detector.card.classes);
  const spread = [1, ...Array.from({ length: PROBES }, (_, i) => (2 * i + 1) / PROBES)];
  const times: number[] = [];
  for (const share of spread) {
    const tile = tiles[Math.min(tiles.length - 1, Math.floor((share * tiles.length) / 2))];
    if (tile === undefined) return undefined;
    const start = performance.now();
    const found: ReadTile[] = [];
    for await (const read of readTiles(scene, plan, [tile], { signal })) found.push(read);
    const input = toInput(found, plan.preprocessing);
    if (input === undefined) continue;
    const options = { scoreAtLeast, signal };
    await inferTiles({ tiles: found, input }, detector, plan.preprocessing, options);
    times.push(performance.now() - start);
  }
  const warm = times.slice(1).toSorted((a, b) => a - b);
  return warm[Math.floor(warm.length / 2)] ?? times[0];
}

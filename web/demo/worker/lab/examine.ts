/**
 * The attention lab: one tile through several operators, side by side.
 *
 * What a patch attends to is measured alike for all of them, also for those that have no attention matrix: each patch in
 * turn is replaced by the mean of all, and the map says how far every patch's output moves.
 */
import type { Scene } from "../../../../datasets/index.ts";
import {
  createEngine,
  type Engine,
  pictureSize,
  readBackdrop,
  type Session,
  SettingsError,
} from "../../../../pipeline/index.ts";
import type { LabResult, LabRow } from "../../messages.ts";
import { bitmapOf } from "../scene.ts";
import { build, CHANNELS, type LabOperator, OPERATORS } from "./operators.ts";

/** Side of the tile in pixels of the scene. */
const TILE_PX = 256;
/** Side of a patch where influence is measured, and where cost is measured once more. */
const PATCH_PX = 16;
const FINE_PATCH_PX = 8;
/** Patches replaced in one run. */
const BATCH = 8;
const RUNS = 5;

/** @throws {SettingsError} where the scene is smaller than the tile */
export async function examine(
  scene: Scene,
  [x, y]: readonly [x: number, y: number],
): Promise<LabResult> {
  const corner = cornerOf(scene, x, y);
  const tile = cropped(scene, corner);
  const rgb = await readBackdrop(tile, pictureSize(tile, TILE_PX));
  const engine = await createEngine("onnxruntime-web");
  const [coarse, fine] = [PATCH_PX, FINE_PATCH_PX].map((px) => embed(rgb, px));
  const rows: LabRow[] = [];
  for (const operator of OPERATORS) {
    const { title, summary } = operator;
    const costs = [await cost(engine, operator, coarse!), await cost(engine, operator, fine!)];
    rows.push({ title, summary, costs, influence: await influence(engine, operator, coarse!) });
  }
  const picture = await bitmapOf(rgb, { width: TILE_PX, height: TILE_PX });
  const side = TILE_PX / PATCH_PX;
  const cell = (at: number): number => Math.min(side - 1, Math.max(0, Math.floor(at / PATCH_PX)));
  const patch = cell(y - corner.top) * side + cell(x - corner.left);
  return { type: "lab", picture, side, patch, rows };
}

interface Corner {
  readonly left: number;
  readonly top: number;
}

/** The first pixel of the tile round a place; at the scene's edge the place is not in its middle. */
function cornerOf({ width, height }: Scene, x: number, y: number): Corner {
  if (Math.min(width, height) < TILE_PX) {
    throw new SettingsError(
      `examine: the lab needs a scene of at least ${TILE_PX} × ${TILE_PX} px, received ${width} × ${height}`,
    );
  }
  const from = (middle: number, length: number): number =>
    Math.round(Math.min(Math.max(middle - TILE_PX / 2, 0), length - TILE_PX));
  return { left: from(x, width), top: from(y, height) };
}

/** The tile as a scene of its own. */
function cropped(scene: Scene, { left, top }: Corner): Scene {
  const size = { width: TILE_PX, height: TILE_PX };
  return {
    ...scene,
    ...size,
    levels: scene.levels.slice(0, 1).map((level) => ({ ...level, ...size })),
    read: (window, options) =>
      scene.read({ ...window, x: window.x + left, y: window.y + top }, { ...options, level: 0 }),
  };
}

interface Tokens {
  readonly side: number;
  /** `[side² CHANNELS]`, each token with mean 0 and deviation 1. */
  readonly data: Float32Array;
}

/** Patches as tokens: their pixels through one seeded random projection, which keeps distances, then normalised. */
function embed(rgb: Uint8Array, patchPx: number): Tokens {
  const side = TILE_PX / patchPx;
  const pixels = 3 * patchPx * patchPx;
  const signs = Float32Array.from({ length: pixels * CHANNELS }, (_, i) => sign(i));
  const data = new Float32Array(side * side * CHANNELS);
  for (let token = 0; token < side * side; token++) {
    const [row, column] = [Math.floor(token / side) * patchPx, (token % side) * patchPx];
    const out = data.subarray(token * CHANNELS, (token + 1) * CHANNELS);
    for (let p = 0; p < pixels; p++) {
      const pixel = Math.floor(p / 3);
      const [dy, dx] = [Math.floor(pixel / patchPx), pixel % patchPx];
      const value = rgb[3 * ((row + dy) * TILE_PX + column + dx) + (p % 3)]! / 255 - 0.5;
      for (let c = 0; c < CHANNELS; c++) out[c] = out[c]! + value * signs[p * CHANNELS + c]!;
    }
    normalise(out);
  }
  return { side, data };
}

/** ±1 by a hash of the place (splitmix32). */
function sign(i: number): number {
  let mixed = Math.imul((i + 1) * 0x9e3779b9, 1);
  mixed = Math.imul(mixed ^ (mixed >>> 16), 0x21f0aaad);
  mixed = Math.imul(mixed ^ (mixed >>> 15), 0x735a2d97);
  return (mixed ^ (mixed >>> 15)) & 1 ? 1 : -1;
}

function normalise(token: Float32Array): void {
  const mean = token.reduce((a, b) => a + b, 0) / token.length;
  const centred = token.map((v) => v - mean);
  const deviation = Math.hypot(...centred) / Math.sqrt(token.length) || 1;
  token.set(centred.map((v) => v / deviation));
}

async function cost(
  engine: Engine,
  operator: LabOperator,
  { side, data }: Tokens,
): Promise<LabRow["costs"][number]> {
  const { bytes, peakBytes } = build(operator, side, 1);
  await using session = await engine.load(bytes, { device: "wasm" });
  await mix(session, data, 1);
  let ms = Infinity;
  for (let run = 0; run < RUNS; run++) {
    const start = performance.now();
    await mix(session, data, 1);
    ms = Math.min(ms, performance.now() - start);
  }
  return { tokens: side * side, ms, peakBytes };
}

/** `[N N]`: row j, column i says how far output i moves when token j is replaced by the mean. */
async function influence(
  engine: Engine,
  operator: LabOperator,
  { side, data }: Tokens,
): Promise<Float32Array> {
  const count = side * side;
  const mean = Float32Array.from({ length: CHANNELS }, (_, c) => {
    let sum = 0;
    for (let token = 0; token < count; token++) sum += data[token * CHANNELS + c]!;
    return sum / count;
  });
  await using session = await engine.load(build(operator, side, BATCH).bytes, { device: "wasm" });
  const input = new Float32Array(BATCH * data.length);
  for (let b = 0; b < BATCH; b++) input.set(data, b * data.length);
  const plain = (await mix(session, input, BATCH)).subarray(0, data.length).slice();
  const moved = new Float32Array(count * count);
  for (let first = 0; first < count; first += BATCH) {
    for (let b = 0; b < BATCH; b++) {
      input.set(data, b * data.length);
      input.set(mean, b * data.length + (first + b) * CHANNELS);
    }
    const mixed = await mix(session, input, BATCH);
    for (let b = 0; b < BATCH; b++) {
      const outputs = mixed.subarray(b * data.length, (b + 1) * data.length);
      moved.set(distances(plain, outputs), (first + b) * count);
    }
  }
  return moved;
}

async function mix(session: Session, data: Float32Array, batch: number): Promise<Float32Array> {
  const dims = [batch, data.length / batch / CHANNELS, CHANNELS];
  const { mixed } = await session.run({ tokens: { type: "float32", dims, data } });
  if (mixed?.type !== "float32") throw new TypeError("examine: an operator must give float32");
  return mixed.data;
}

/** How far each token lies from its counterpart. */
function distances(a: Float32Array, b: Float32Array): Float32Array {
  return Float32Array.from({ length: a.length / CHANNELS }, (_, token) => {
    let square = 0;
    for (let c = token * CHANNELS; c < (token + 1) * CHANNELS; c++) square += (a[c]! - b[c]!) ** 2;
    return Math.sqrt(square);
  });
}

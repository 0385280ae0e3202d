/**
 * Which engine runs the model. A backend is tried on a fixed tile: once to warm up, then timed, and what it finds is set
 * against what the reference found. Fast but different is not chosen.
 */
import { type Detections, synthesise, toCorners } from "../../../datasets/index.ts";
import {
  createEngine,
  describe,
  type Detected,
  type Detector,
  DeviceError,
  type Engine,
  loadDetector,
} from "../../../pipeline/index.ts";
import type { BackendName, Measured } from "../messages.ts";

/** A detector on one backend, and how it did. */
export interface Backend extends Omit<Measured, "difference"> {
  readonly detector: Detector;
  /** What it found in the fixed tile. */
  readonly found: Detected;
}

const ENGINE: Readonly<Record<BackendName, { readonly engine: string; readonly device: string }>> =
  {
    webgpu: { engine: "webgpu", device: "webgpu" },
    wasm: { engine: "onnxruntime-web", device: "wasm" },
    "ort-webgpu": { engine: "onnxruntime-web", device: "webgpu" },
  };

/** Scores may differ by this and a backend still counts as the same. */
export const SAME_SCORE = 1e-2;
/** Timed runs; the fastest counts, for other work only ever adds time. */
const RUNS = 2;
/** Side of the fixed tile where the model leaves it open. */
const OPEN_PX = 640;

/**
 * Loads the model on a backend and measures it.
 *
 * @throws {ModelError} where the bytes are no detector
 * @throws {DeviceError} where the device is missing or fails
 */
export async function openBackend(bytes: Uint8Array, backend: BackendName): Promise<Backend> {
  const { engine, device } = ENGINE[backend];
  const detector = await loadDetector(bytes, yielding(await createEngine(engine)), { device });
  try {
    const { input, msPerTile } = await timed(detector);
    const found = await look(detector, input);
    if (found.bestScores.some(Number.isNaN)) {
      throw new DeviceError(`openBackend: scores on ${backend} must be numbers, received NaN`);
    }
    return { backend, detector, found, msPerTile };
  } catch (error) {
    await detector[Symbol.asyncDispose]();
    throw error;
  }
}

/** What this browser's WebGPU runs on; software is slower there than WebAssembly. */
export async function gpuKind(): Promise<"hardware" | "software" | undefined> {
  const gpu = navigator.gpu as GPU | undefined; // the types promise it, older browsers do not
  const adapter = await gpu?.requestAdapter().catch(() => null);
  if (adapter === null || adapter === undefined) return undefined;
  // Browsers had adapters before they had this.
  const { isFallbackAdapter = false, architecture = "" } =
    (adapter.info as GPUAdapterInfo | undefined) ?? {};
  return isFallbackAdapter || /swiftshader|llvmpipe/i.test(architecture) ? "software" : "hardware";
}

/**
 * Which backend to try, given those that were. On a GPU our own engine is the first: it is a small download. ONNX
 * Runtime's WebGPU build is a large one, and worth it only for a model that our engine does not run.
 */
export function nextBackend(
  gpu: Awaited<ReturnType<typeof gpuKind>>,
  tried: readonly Omit<Measured, "difference">[],
): BackendName | undefined {
  const failed = (name: BackendName): boolean =>
    tried.some(({ backend, msPerTile }) => backend === name && msPerTile === undefined);
  const order: readonly BackendName[] = [
    ...(gpu === "hardware" ? (["webgpu", "wasm"] as const) : (["wasm"] as const)),
    ...(gpu === "software" ? (["webgpu"] as const) : []),
    ...(gpu !== undefined && failed("webgpu") ? (["ort-webgpu"] as const) : []),
  ];
  return order.find((name) => tried.every(({ backend }) => backend !== name));
}

/** What is said of a backend that failed. */
export const unusable = (backend: BackendName, error: unknown): Measured => ({
  backend,
  msPerTile: undefined,
  difference: 0,
  reason: describe(error).sentence,
});

/** How far each one's scores lie from WebAssembly's at most, or from the first one's where that was not measured. */
export function differences(backends: readonly Backend[]): readonly number[] {
  const reference = backends.find(({ backend }) => backend === "wasm") ?? backends[0];
  return backends.map((one) =>
    reference === undefined || one === reference ? 0 : compare(reference.found, one.found),
  );
}

/** The fastest of those that find what the reference finds. */
export function fastest(
  backends: readonly Backend[],
  apart: readonly number[] = differences(backends),
): Backend | undefined {
  return backends
    .filter((_, i) => apart[i]! <= SAME_SCORE)
    .toSorted((a, b) => (a.msPerTile ?? Infinity) - (b.msPerTile ?? Infinity))[0];
}

async function timed(
  detector: Detector,
): Promise<{ readonly input: Float32Array; readonly msPerTile: number }> {
  const input = await fixedTile(detector);
  await look(detector, input); // compiles shaders, grows memory: not what a tile costs
  let msPerTile = Infinity;
  for (let run = 0; run < RUNS; run++) {
    const start = performance.now();
    await look(detector, input);
    msPerTile = Math.min(msPerTile, performance.now() - start);
  }
  return { input, msPerTile };
}

const look = (detector: Detector, input: Float32Array): Promise<Detected> => {
  const { width = OPEN_PX, height = OPEN_PX } = detector.card.input;
  return detector.detect(input, 1, { scoreAtLeast: 0.05, width, height });
};

/** A seeded scene as the model's input; a model of other channels gets the first one in each. */
async function fixedTile({ card: { input } }: Detector): Promise<Float32Array> {
  const { width = OPEN_PX, height = OPEN_PX, channels, mean, std } = input;
  const { scene } = synthesise({ seed: 1, width, height });
  const { bands } = await scene.read({ x: 0, y: 0, width, height });
  const tile = new Float32Array(channels * width * height);
  for (let k = 0; k < channels; k++) {
    const band = bands[k] ?? bands[0]!;
    const [m = 0, s = 1] = [mean[k], std[k]];
    for (let i = 0; i < band.length; i++) tile[k * band.length + i] = (band[i]! - m) / s;
  }
  return tile;
}

/** Objects of less than this share of the tile's best score are noise: their order is chance. */
const WORTH_COMPARING = 0.5;

/**
 * The largest difference of scores between what two backends found in one tile. Each object is set against the nearest
 * one of its class; an object that the other lacks (nothing within a pixel) differs by its whole score.
 */
export function compare(a: Detected, b: Detected): number {
  const least = WORTH_COMPARING * Math.max(a.bestScores[0] ?? 0, b.bestScores[0] ?? 0);
  const best = Math.abs((a.bestScores[0] ?? 0) - (b.bestScores[0] ?? 0));
  const [one, other] = [a.perTile[0], b.perTile[0]];
  if (one === undefined || other === undefined) return best;
  return Math.max(best, oneWay(one, other, least), oneWay(other, one, least));
}

function oneWay(from: Detections<"tile">, to: Detections<"tile">, least: number): number {
  const [mine, theirs] = [toCorners(from.boxes).corners, toCorners(to.boxes).corners];
  let largest = 0;
  for (let i = 0; i < from.count; i++) {
    const score = from.scores[i]!;
    if (score < least) continue;
    let difference = score;
    for (let j = 0; j < to.count; j++) {
      if (to.classes[j] !== from.classes[i] || !within(mine, i, theirs, j)) continue;
      difference = Math.min(difference, Math.abs(score - to.scores[j]!));
    }
    largest = Math.max(largest, difference);
  }
  return largest;
}

/** True where all numbers of two boxes lie within a pixel. */
function within(a: Float64Array, i: number, b: Float64Array, j: number): boolean {
  for (let k = 0; k < 8; k++) if (Math.abs(a[8 * i + k]! - b[8 * j + k]!) > 1) return false;
  return true;
}

/**
 * The same engine, which lets messages in before each run: WebAssembly answers without ever giving the worker's event
 * loop a turn, and a cancel would wait for the end of the scene.
 */
function yielding(engine: Engine): Engine {
  return {
    ...engine,
    load: async (model, options) => {
      const session = await engine.load(model, options);
      return {
        ...session,
        run: async (feeds, how) => {
          await turn();
          how?.signal?.throwIfAborted();
          return session.run(feeds, how);
        },
      };
    },
  };
}

const turn = (): Promise<void> => new Promise((resolve) => setTimeout(resolve));

/** The step of training as bytes for an engine, and what goes in and out of it. */
import type { DetectorNetwork, OnnxGraph, Optimizer, Weights } from "../../models/index.ts";
import {
  averagesOf,
  initialWeights,
  LOSS,
  lossGraph,
  PORTS,
  STEP,
  TARGETS,
  toTrainingOnnx,
  trainingStep,
} from "../../models/index.ts";
import type { Engine, EngineTensor, Feeds, Session } from "../engines/engine.ts";
import type { TrainingBatch } from "./sample.ts";

export interface StepOptions {
  readonly batchSize: number;
  readonly tilePx: number;
  /** Label rows per image. */
  readonly rows: number;
  readonly optimizer: Optimizer;
  /** Gradients are shortened together to this length. @default 10 */
  readonly clipNorm?: number;
  /** @default all cores */
  readonly threads?: number | undefined;
}

/** One batch's loss, by parts. */
export interface StepLoss {
  readonly total: number;
  readonly classes: number;
  readonly boxes: number;
  /** Length of all gradients before clipping. */
  readonly gradientNorm: number;
}

export interface TrainingStep extends AsyncDisposable {
  /** Where training starts: weights, running statistics, optimizer state, averages. */
  readonly start: (seed: number) => Weights;
  /** What is to be used of a state: averages of the weights, and the running statistics. */
  readonly weights: (state: ReadonlyMap<string, Float32Array>) => Weights;
  /** Trains on one batch; `state` is replaced entry by entry, and arrays that an earlier run put there are used up. */
  readonly run: (
    state: Map<string, Float32Array>,
    batch: TrainingBatch,
    rate: number,
  ) => Promise<StepLoss>;
}

/** Prepares a step; the engine compiles it when it is first run. */
export function prepareStep(
  engine: Engine,
  network: DetectorNetwork,
  { batchSize, tilePx, rows, optimizer, threads, clipNorm = 10 }: StepOptions,
): TrainingStep {
  const size = { batch: batchSize, widthPx: tilePx, heightPx: tilePx, rows };
  const untrained = lossGraph(network, size);
  const average = { decay: 0.999, rampSteps: 500 };
  const how = { loss: LOSS.total, optimizer, clipNorm, average };
  const graph = trainingStep(untrained, how);
  let loaded: Promise<Session> | undefined;
  const session = (): Promise<Session> =>
    (loaded ??= engine.load(toTrainingOnnx(graph), { purpose: "training", threads }));
  return {
    start: (seed) => initialWeights(graph, { seed }),
    weights: (state) => copies(new Map([...state, ...averagesOf(untrained, how, state)])),
    run: async (state, batch, rate) => runStep(await session(), graph, state, batch, rate),
    [Symbol.asyncDispose]: async () => (await loaded)?.[Symbol.asyncDispose](),
  };
}

/** Arrays that runs have put into a state: nobody else holds them, so the next run may have them. */
const ours = new WeakSet<Float32Array>();

const copies = (state: ReadonlyMap<string, Float32Array>): Weights =>
  new Map([...state].map(([name, values]) => [name, values.slice()]));

async function runStep(
  session: Session,
  graph: OnnxGraph,
  state: Map<string, Float32Array>,
  batch: TrainingBatch,
  rate: number,
): Promise<StepLoss> {
  const shaped = (name: string, data: Float32Array): EngineTensor => {
    return { type: "float32", dims: graph.values.get(name)?.shape ?? [], data };
  };
  const given: Readonly<Record<string, Float32Array>> = {
    [PORTS.image]: batch.images,
    [PORTS.gsdM]: batch.gsdM,
    [TARGETS.boxes]: batch.boxes,
    [TARGETS.classes]: batch.classes,
    [TARGETS.labelled]: batch.labelled,
    [STEP.rate]: Float32Array.of(rate),
  };
  const feeds: Record<string, EngineTensor> = {};
  for (const { name } of session.inputs) {
    const data = given[name] ?? state.get(name);
    if (data === undefined)
      throw new RangeError(`runStep: the state must hold ${name}, received ${state.size} others`);
    feeds[name] = shaped(name, data);
  }
  const gives = new Set([...state].flatMap(([name, values]) => (ours.has(values) ? [name] : [])));
  const out = await session.run(feeds, { gives });
  for (const [name, next] of graph.updates) {
    const values = floats(out, next);
    ours.add(values);
    state.set(name, values);
  }
  const number = (name: string): number => floats(out, name)[0] ?? Number.NaN;
  return {
    total: number(LOSS.total),
    classes: number(LOSS.classes),
    boxes: number(LOSS.boxes),
    gradientNorm: number(STEP.norm),
  };
}

function floats(out: Feeds, name: string): Float32Array {
  const found = out[name];
  if (found?.type !== "float32")
    throw new TypeError(`runStep: ${name} must be float32, received ${found?.type ?? "nothing"}`);
  return found.data;
}

/** The training loop: epochs of augmented batches, a checkpoint after each, events for whoever watches. */
import { adamW, type DetectorNetwork, type Weights } from "../../models/index.ts";
import type { Engine } from "../engines/engine.ts";
import type { Checkpoint } from "./checkpoint-node.ts";
import { writeCheckpoint } from "./checkpoint-node.ts";
import type { TrainingRecord } from "./loader.ts";
import { epochOrder } from "./loader.ts";
import type { BadImage } from "./loader-node.ts";
import { TileWorkers } from "./loader-node.ts";
import { differences, recipeOf, type RunSettings } from "./recipe-node.ts";
import { LABEL_ROWS } from "./sample.ts";
import { learningRate } from "./schedule.ts";
import type { StepLoss, TrainingStep } from "./step.ts";
import { prepareStep } from "./step.ts";
import { TrainingError } from "./training-error.ts";

export interface TrainOptions extends RunSettings {
  readonly engine: Engine;
  /** Where checkpoints go. */
  readonly checkpointPath: string;
  /** Goes on from here. */
  readonly from?: Checkpoint | undefined;
  /** Weights to start from; those of another shape (a head of other classes) start anew. */
  readonly weights?: ReadonlyMap<string, Float32Array> | undefined;
  /** Threads that make tiles. @default 1 */
  readonly loaders?: number;
  /** Threads that run the step. @default all cores */
  readonly threads?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

export type TrainEvent =
  /** Before the first step of a run that starts from weights: how many tensors it took of them, of all that it has. */
  | { readonly kind: "start"; readonly taken: number; readonly of: number }
  | {
      readonly kind: "step";
      readonly epoch: number;
      readonly step: number;
      readonly steps: number;
      readonly rate: number;
      readonly loss: StepLoss;
      /** Milliseconds of the step, and of waiting for its batch. */
      readonly ms: number;
      readonly waitedMs: number;
    }
  | {
      readonly kind: "epoch";
      readonly epoch: number;
      readonly epochs: number;
      readonly weights: Weights;
    }
  /** After an epoch in which tiles held more objects than a step takes: how many tiles, and objects too many. */
  | {
      readonly kind: "crowded tiles";
      readonly epoch: number;
      readonly tiles: number;
      readonly leftOut: number;
    }
  /** Once for each image, after the epoch that first met it. */
  | { readonly kind: "bad image"; readonly image: BadImage }
  /** At the end: how many images were skipped, and how many tiles should have been of them. */
  | { readonly kind: "bad images"; readonly images: number; readonly draws: number };

/**
 * Trains until all epochs are done. The state lies in the checkpoint file after every epoch; a run that is stopped loses
 * the epoch it was in.
 *
 * @throws {TrainingError} where loss or gradient is not finite; the last checkpoint stays as it is
 */
export async function* train(
  network: DetectorNetwork,
  records: readonly TrainingRecord[],
  options: TrainOptions,
): AsyncGenerator<TrainEvent, void, undefined> {
  const { seed, epochs, batchSize, from } = options;
  const { plainEpochs = Math.ceil(epochs / 10) } = options;
  const perEpoch = Math.floor(epochOrder(records, seed, 0).length / batchSize);
  if (perEpoch === 0) {
    throw new TrainingError(
      `train: the training set must fill a batch of ${batchSize}, received ${records.length} images`,
    );
  }
  checkLabels(network, records);
  const recipe = recipeOf(network, records, options);
  const others = from === undefined ? [] : differences(from.recipe, recipe);
  if (others.length > 0) {
    throw new TrainingError(
      `train: a run must be resumed with the settings and data it was started with, received ${others.join(", ")}`,
    );
  }
  await using steps = new Steps(network, options);
  const setup = { records, options: { seed, sizePx: options.tilePx } };
  await using workers = new TileWorkers(setup, options.loaders);
  const state = new Map(from?.state ?? steps.of(LABEL_ROWS[0]).start(seed));
  if (from === undefined && options.weights !== undefined)
    yield { kind: "start", ...takeWeights(state, options.weights) };
  const run: Run = { network, options, steps, workers, state, perEpoch, step: from?.step ?? 0 };
  for (let epoch = from?.epoch ?? 0; epoch < epochs; epoch++) {
    yield* trainEpoch(run, epoch, epoch >= epochs - plainEpochs);
    await writeCheckpoint(options.checkpointPath, {
      epoch: epoch + 1,
      step: run.step,
      recipe,
      state,
    });
    const { weights } = steps.of(LABEL_ROWS[0]);
    yield { kind: "epoch", epoch: epoch + 1, epochs, weights: weights(state) };
  }
  const bad = workers.badImages;
  const draws = bad.reduce((all, image) => all + image.draws, 0);
  if (bad.length > 0) yield { kind: "bad images", images: bad.length, draws };
}

/** A run under way. */
interface Run {
  readonly network: DetectorNetwork;
  readonly options: TrainOptions;
  readonly steps: Steps;
  readonly workers: TileWorkers;
  /** Weights, and what optimizer and average keep of them; each step replaces them. */
  readonly state: Map<string, Float32Array>;
  readonly perEpoch: number;
  /** Steps that are done. */
  step: number;
}

async function* trainEpoch(
  run: Run,
  epoch: number,
  isPlain: boolean,
): AsyncGenerator<TrainEvent, void, undefined> {
  const { network, options, steps, workers, state, perEpoch } = run;
  const { seed, tilePx, batchSize, epochs, rate: peak, warmupEpochs = 1, signal } = options;
  const loader = { seed, sizePx: tilePx, ...(isPlain && { mosaic: 0 }) };
  const schedule = { peak, warmupSteps: warmupEpochs * perEpoch, steps: epochs * perEpoch };
  const known = workers.badImages.length;
  const classCount = network.head.classes;
  const batches = workers.batches(epoch, { ...loader, batchSize, classCount, signal });
  let [tiles, leftOut] = [0, 0];
  let asked = performance.now();
  for await (const batch of batches) {
    const begun = performance.now();
    const rate = learningRate(run.step, schedule);
    const loss = await steps.of(batch.rows).run(state, batch, rate);
    checkLoss(loss, `step ${run.step} of epoch ${epoch + 1} with rate ${rate}`);
    tiles += batch.leftOut.filter((count) => count > 0).length;
    leftOut += batch.leftOut.reduce((all, count) => all + count, 0);
    const step = ++run.step;
    const [ms, waitedMs] = [performance.now() - begun, begun - asked];
    yield { kind: "step", epoch, step, steps: schedule.steps, rate, loss, ms, waitedMs };
    asked = performance.now();
  }
  if (tiles > 0) yield { kind: "crowded tiles", epoch: epoch + 1, tiles, leftOut };
  for (const image of workers.badImages.slice(known)) yield { kind: "bad image", image };
}

/** @throws {TrainingError} where the step has left weights that are no numbers */
function checkLoss({ total, gradientNorm }: StepLoss, at: string): void {
  const [name, value] = Number.isFinite(total)
    ? (["length of the gradient", gradientNorm] as const)
    : (["loss", total] as const);
  if (Number.isFinite(value)) return;
  throw new TrainingError(
    `train: the ${name} must be finite, received ${value} at ${at}; start again with a lower rate, from the weights of the last checkpoint`,
  );
}

/** @throws {TrainingError} where a network of one kind of boxes was given labels of the other */
function checkLabels({ head }: DetectorNetwork, records: readonly TrainingRecord[]): void {
  const kind = (oriented: boolean): string => (oriented ? "oriented" : "upright");
  const other = records.find(({ labels }) => (labels.corners !== undefined) !== head.oriented);
  if (other === undefined) return;
  throw new TrainingError(
    `train: an ${kind(head.oriented)} network must be given ${kind(head.oriented)} labels, received ${kind(!head.oriented)} ones of ${other.path}`,
  );
}

/** What the optimizer and the averages keep is no weight. */
const isWeight = (name: string): boolean => !/^(optimizer|average)\./.test(name);

/**
 * Replaces what has the same name and size.
 *
 * @throws {TrainingError} where nothing has
 */
function takeWeights(
  state: Map<string, Float32Array>,
  weights: ReadonlyMap<string, Float32Array>,
): { readonly taken: number; readonly of: number } {
  const fitting = [...weights].filter(
    ([name, values]) => !name.startsWith("optimizer.") && state.get(name)?.length === values.length,
  );
  for (const [name, values] of fitting) state.set(name, values);
  const taken = fitting.filter(([name]) => isWeight(name)).length;
  if (taken === 0) {
    throw new TrainingError(
      `train: weights to start from must have tensors of this network, received ${weights.size} of which none fits`,
    );
  }
  return { taken, of: [...state.keys()].filter(isWeight).length };
}

/** One step for each number of label rows, made when it is first needed. */
class Steps implements AsyncDisposable {
  readonly #made = new Map<number, TrainingStep>();
  readonly #make: (rows: number) => TrainingStep;

  constructor(
    network: DetectorNetwork,
    { engine, batchSize, tilePx, threads, weightDecay = 0.05 }: TrainOptions,
  ) {
    const how = { batchSize, tilePx, threads, optimizer: adamW({ weightDecay }) };
    this.#make = (rows) => prepareStep(engine, network, { ...how, rows });
  }

  of(rows: number): TrainingStep {
    let step = this.#made.get(rows);
    if (step === undefined) this.#made.set(rows, (step = this.#make(rows)));
    return step;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const step of this.#made.values()) await step[Symbol.asyncDispose]();
  }
}

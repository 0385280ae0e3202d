/** One step of training as one graph: loss, gradients, optimizer and averages are all nodes. */
import type { NamedValue, OnnxGraph, Stored } from "../onnx/graph.ts";
import { reachable } from "../onnx/graph.ts";
import { inlineFunctions } from "../onnx/inline.ts";
import { nameOutputs } from "../onnx/outputs.ts";
import { add, div, mul, sub, sum, times } from "../onnx/operations/write.ts";
import { range } from "../onnx/operations/operation.ts";
import type { Writer } from "../onnx/operations/operation.ts";
import { addValue, createSheet, valueOf, writerOf } from "../onnx/writer.ts";
import type { Sheet } from "../onnx/writer.ts";
import { volume } from "../../attention/index.ts";
import { backward } from "./backward.ts";
import type { Optimizer } from "./optimizers.ts";

export interface AverageOptions {
  /** Share of the average that a step keeps in the long run. @default 0.9998 */
  readonly decay?: number;
  /** Steps over which the share grows to `decay`: step t keeps `decay · (1 − exp(−t / ramp))`. @default 2000 */
  readonly rampSteps?: number;
}

export interface TrainingOptions {
  /** An output of one value. */
  readonly loss: string;
  readonly optimizer: Optimizer;
  /** Gradients are shortened together to this length. */
  readonly clipNorm?: number;
  /** Keeps running averages of the weights as buffers `average.NAME`. */
  readonly average?: AverageOptions;
  /** Which weights move. @default all trainable ones */
  readonly trains?: (name: string) => boolean;
  /** What a weight's learning rate is multiplied by. @default 1 */
  readonly rateOf?: (name: string) => number;
}

/** Names that a training step adds to a graph. */
export const STEP = {
  /** Input: the learning rate. */
  rate: "learningRate",
  /** Buffer: steps that have been done. */
  count: "optimizer.count",
  /** Output: the length of all gradients together, before it is clipped. */
  norm: "gradientNorm",
  average: (weight: string): string => `average.${weight}`,
  state: (name: string, weight: string): string => `optimizer.${name}.${weight}`,
} as const;

/**
 * Turns a graph with a loss into a graph whose run is one training step.
 *
 * Weights, optimizer state, averages and running statistics are its stored values, and `updates` says which value
 * replaces each: feed those back and run again (see `toTrainingOnnx`).
 */
export function trainingStep(graph: OnnxGraph, options: TrainingOptions): OnnxGraph {
  const { shape } = valueOf(graph, options.loss);
  if (volume(shape) !== 1) {
    throw new RangeError(
      `trainingStep: the loss must be one value, received ${options.loss} [${shape.join(" ")}]`,
    );
  }
  const flat = inlineFunctions(graph);
  const desk: Desk = {
    sheet: createSheet(graph.name, flat),
    weights: new Map(graph.weights),
    updates: new Map(graph.updates),
  };
  const w = writerOf(desk.sheet, "step/");
  const trained = [...graph.weights]
    .filter(([name, { trainable }]) => trainable && (options.trains?.(name) ?? true))
    .map(([name]) => name);
  const ones = w.constant(shape, Float32Array.of(1));
  const seeds = new Map([[options.loss, ones]]);
  const found = backward(desk.sheet, w, flat.nodes, seeds, trained);
  const norm = lengthOf(w, [...found.values()]);
  const gradients =
    options.clipNorm === undefined ? found : clipped(w, found, norm, options.clipNorm);
  writeSteps(desk, w, gradients, options);
  const { sheet, weights, updates } = desk;
  const fixed = new Set([...graph.outputs, ...updates.values()]);
  const nodes = nameOutputs(sheet, [[STEP.norm, norm]], fixed);
  const outputs = [...graph.outputs, STEP.norm];
  const inputs = [...graph.inputs, STEP.rate];
  const { values, constants } = sheet;
  const whole = { ...flat, inputs, outputs, values, constants, nodes, weights, updates };
  return reachable(whole, [...outputs, ...updates.values()]);
}

interface Desk {
  readonly sheet: Sheet;
  readonly weights: Map<string, Stored>;
  readonly updates: Map<string, string>;
}

/** A stored value that starts at zero and that no gradient moves. */
function zeroBuffer({ sheet, weights }: Desk, name: string, shape: readonly number[]): NamedValue {
  weights.set(name, { init: { kind: "constant", value: 0 }, trainable: false });
  return addValue(sheet, name, { type: "float32", shape });
}

/** Root of the sum of squares of all values. */
function lengthOf(w: Writer, values: readonly NamedValue[]): NamedValue {
  const squares = values.map((v) => sum(w, mul(w, v, v), range(v.shape.length), false));
  const [first = w.number(0), ...rest] = squares;
  return w.node("Sqrt", [rest.reduce((a, b) => add(w, a, b), first)]);
}

/** As PyTorch's `clip_grad_norm_`: the same factor for all, at most 1. */
function clipped(
  w: Writer,
  gradients: ReadonlyMap<string, NamedValue>,
  norm: NamedValue,
  most: number,
): ReadonlyMap<string, NamedValue> {
  const share = div(w, w.number(most), add(w, norm, w.number(1e-6)));
  const factor = w.node("Min", [share, w.number(1)]);
  return new Map([...gradients].map(([name, gradient]) => [name, mul(w, gradient, factor)]));
}

function writeSteps(
  desk: Desk,
  w: Writer,
  gradients: ReadonlyMap<string, NamedValue>,
  { optimizer, average, rateOf = () => 1 }: TrainingOptions,
): void {
  const { sheet, updates } = desk;
  const rate = addValue(sheet, STEP.rate, { type: "float32", shape: [] });
  const done = zeroBuffer(desk, STEP.count, []);
  const count = add(w, done, w.number(1));
  updates.set(STEP.count, count.name);
  const kept = average && shareKept(w, done, average);
  for (const [name, gradient] of gradients) {
    const weight = valueOf(sheet, name);
    const buffer = (part: string) => zeroBuffer(desk, STEP.state(part, name), weight.shape);
    const state = Object.fromEntries(optimizer.state.map((part) => [part, buffer(part)]));
    const own = times(w, rate, rateOf(name));
    const next = optimizer.step(w, { weight, gradient, state, rate: own, count });
    updates.set(name, next.weight.name);
    for (const [part, value] of Object.entries(next.state)) {
      updates.set(STEP.state(part, name), value.name);
    }
    if (kept !== undefined) {
      const before = zeroBuffer(desk, STEP.average(name), weight.shape);
      const moved = mul(w, sub(w, before, next.weight), kept);
      updates.set(STEP.average(name), add(w, next.weight, moved).name);
    }
  }
}

/** Nothing is kept in the first step, so that an average starts at the weights and not at zero. */
function shareKept(
  w: Writer,
  done: NamedValue,
  { decay = 0.9998, rampSteps = 2000 }: AverageOptions,
): NamedValue {
  const waning = w.node("Exp", [times(w, done, -1 / rampSteps)]);
  return times(w, sub(w, w.number(1), waning), decay);
}

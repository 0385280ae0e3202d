/** One step of training as one graph: loss, gradients, optimizer and averages are all nodes. */
import type { NamedValue, OnnxGraph, Stored } from "../onnx/graph.ts";
import { reachable } from "../onnx/graph.ts";
import { inlineFunctions } from "../onnx/inline.ts";
import { nameOutputs } from "../onnx/outputs.ts";
import {
  add,
  concat,
  div,
  mul,
  reshape,
  slice,
  sub,
  sum,
  times,
} from "../onnx/operations/write.ts";
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
  /** Keeps running averages of the weights; {@link averagesOf} takes them out of the stored values. */
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
  /** Buffer: averages of a group of weights, one after another; see {@link averagesOf}. */
  average: (group: number): string => `average.${group}`,
  /** Buffer: the optimizer's state of a group of weights. */
  state: (name: string, group: number): string => `optimizer.${name}.${group}`,
} as const;

/** Weights that are stepped alike: as one list of numbers, so that a step is a few nodes and not a few a weight. */
interface WeightGroup {
  readonly decay: number;
  readonly rate: number;
  readonly names: readonly string[];
  /** Values of each. */
  readonly sizes: readonly number[];
}

function groupsOf(graph: OnnxGraph, options: TrainingOptions): readonly WeightGroup[] {
  const { optimizer, trains = () => true, rateOf = () => 1 } = options;
  const trained = [...graph.weights].filter(([name, { trainable }]) => trainable && trains(name));
  const shaped = trained.map(([name]) => {
    const { shape } = valueOf(graph, name);
    const [decay, rate] = [optimizer.decayOf(name, shape), rateOf(name)];
    return { name, decay, rate, size: volume(shape), key: `${decay} ${rate}` };
  });
  return [...new Set(shaped.map(({ key }) => key))].map((key) => {
    const members = shaped.filter((weight) => weight.key === key);
    const { decay = 0, rate = 1 } = members[0] ?? {};
    return { decay, rate, names: members.map((m) => m.name), sizes: members.map((m) => m.size) };
  });
}

/** Takes the averages of the weights out of stored values; empty where none were kept. */
export function averagesOf(
  graph: OnnxGraph,
  options: TrainingOptions,
  stored: ReadonlyMap<string, Float32Array>,
): ReadonlyMap<string, Float32Array> {
  const found = new Map<string, Float32Array>();
  for (const [i, { names, sizes }] of groupsOf(graph, options).entries()) {
    const all = stored.get(STEP.average(i));
    let at = 0;
    for (const [k, name] of names.entries()) {
      const size = sizes[k] ?? 0;
      if (all !== undefined) found.set(name, all.slice(at, at + size));
      at += size;
    }
  }
  return found;
}

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
  const groups = groupsOf(graph, options);
  const ones = w.constant(shape, Float32Array.of(1));
  const seeds = new Map([[options.loss, ones]]);
  const trained = groups.flatMap(({ names }) => names);
  const found = backward(desk.sheet, w, flat.nodes, seeds, trained);
  const gradients = groups.map(({ names }) =>
    joined(
      w,
      names.flatMap((name) => found.get(name) ?? []),
    ),
  );
  const norm = lengthOf(w, gradients);
  const factor = options.clipNorm === undefined ? undefined : clipFactor(w, norm, options.clipNorm);
  writeSteps(
    desk,
    w,
    groups,
    factor === undefined ? gradients : gradients.map((g) => mul(w, g, factor)),
    options,
  );
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

/** Values one after another, as one row. */
const joined = (w: Writer, values: readonly NamedValue[]): NamedValue =>
  concat(
    w,
    values.map((value) => reshape(w, value, [volume(value.shape)])),
    0,
  );

/** Root of the sum of squares of all values. */
function lengthOf(w: Writer, rows: readonly NamedValue[]): NamedValue {
  const squares = rows.map((v) => sum(w, mul(w, v, v), [0], false));
  const [first = w.number(0), ...rest] = squares;
  return w.node("Sqrt", [rest.reduce((a, b) => add(w, a, b), first)]);
}

/** As PyTorch's `clip_grad_norm_`: the same factor for all, at most 1. */
function clipFactor(w: Writer, norm: NamedValue, most: number): NamedValue {
  const share = div(w, w.number(most), add(w, norm, w.number(1e-6)));
  return w.node("Min", [share, w.number(1)]);
}

function writeSteps(
  desk: Desk,
  w: Writer,
  groups: readonly WeightGroup[],
  gradients: readonly NamedValue[],
  { optimizer, average }: TrainingOptions,
): void {
  const { sheet, updates } = desk;
  const rate = addValue(sheet, STEP.rate, { type: "float32", shape: [] });
  const done = zeroBuffer(desk, STEP.count, []);
  const count = add(w, done, w.number(1));
  updates.set(STEP.count, count.name);
  const kept = average && shareKept(w, done, average);
  for (const [i, group] of groups.entries()) {
    const gradient = gradients[i];
    if (gradient === undefined) continue;
    const weight = joined(
      w,
      group.names.map((name) => valueOf(sheet, name)),
    );
    const buffer = (part: string) => zeroBuffer(desk, STEP.state(part, i), weight.shape);
    const state = Object.fromEntries(optimizer.state.map((part) => [part, buffer(part)]));
    const own = times(w, rate, group.rate);
    const { decay } = group;
    const next = optimizer.step(w, { weight, gradient, state, rate: own, count, decay });
    setApart(desk, w, group, next.weight);
    for (const [part, value] of Object.entries(next.state)) {
      updates.set(STEP.state(part, i), value.name);
    }
    if (kept !== undefined) {
      const before = zeroBuffer(desk, STEP.average(i), weight.shape);
      const moved = mul(w, sub(w, before, next.weight), kept);
      updates.set(STEP.average(i), add(w, next.weight, moved).name);
    }
  }
}

/** Cuts a row into the weights that it replaces. */
function setApart(
  { sheet, updates }: Desk,
  w: Writer,
  { names, sizes }: WeightGroup,
  row: NamedValue,
): void {
  let end = 0;
  for (const [i, name] of names.entries()) {
    end += sizes[i] ?? 0;
    const part = slice(w, row, 0, end - (sizes[i] ?? 0), end);
    updates.set(name, reshape(w, part, valueOf(sheet, name).shape).name);
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

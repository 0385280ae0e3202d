/**
 * What is known while a graph is turned into dispatches.
 *
 * A value is stored (a tensor, read through a view) or pending: a step that has not been written down because its
 * only reader may join it. Constants are uploaded when something reads them.
 */
import { copied, isWhole, sourcesOf, volume, whole } from "../../../attention/index.ts";
import type { Operand, Step } from "../../../attention/index.ts";
import { ModelError } from "../../../models/index.ts";
import type { Data, OnnxGraph, OnnxNode } from "../../../models/index.ts";

/** Tensors a step may read beside its result: every adapter binds eight. */
const MOST_SOURCES = 7;

export interface Desk {
  readonly graph: OnnxGraph;
  /** Written down, in order. */
  readonly steps: Step[];
  /** Uploaded once. */
  readonly constants: Map<string, Float32Array>;
  readonly stored: Map<string, Operand>;
  readonly pending: Map<string, Step>;
  readonly uses: ReadonlyMap<string, number>;
  /** Which node writes a value. */
  readonly writers: ReadonlyMap<string, OnnxNode>;
  /** Copies that steps have asked for, by what they copy. */
  readonly copies: Map<string, Operand>;
}

export function createDesk(graph: OnnxGraph): Desk {
  const uses = new Map<string, number>();
  const count = (name: string) => uses.set(name, (uses.get(name) ?? 0) + 1);
  for (const { inputs } of graph.nodes) inputs.forEach(count);
  // An output is read from outside: nothing may join the step that writes it.
  for (const name of graph.outputs) uses.set(name, 2);
  const writers = new Map(graph.nodes.map((node) => [node.outputs[0] ?? "", node]));
  const inputs = graph.inputs.map((name) => [name, operandOf(graph, name)] as const);
  return {
    ...{ graph, uses, writers, steps: [] },
    constants: new Map(),
    stored: new Map(inputs),
    pending: new Map(),
    copies: new Map(),
  };
}

const operandOf = (graph: OnnxGraph, from: string): Operand => ({
  from,
  view: whole(graph.values.get(from)?.shape ?? []),
});

export const shapeOf = ({ graph }: Desk, name: string): readonly number[] =>
  graph.values.get(name)?.shape ?? [];

/** The numbers of a value that is known, as numbers. */
export const knownOf = (
  { graph }: Desk,
  name: string | undefined,
): readonly number[] | undefined => {
  const data = name === undefined ? undefined : graph.constants.get(name);
  return data && Array.from(data as ArrayLike<number | bigint>, Number);
};

/** The one number of a value that is known and has no other. */
export function scalarOf({ graph }: Desk, name: string): number | undefined {
  const data = graph.constants.get(name);
  return data?.length === 1 ? Number(data[0]) : undefined;
}

/** A value to read; what was pending is written down. */
export function read(desk: Desk, name: string): Operand {
  const step = desk.pending.get(name);
  if (step) {
    desk.pending.delete(name);
    return store(desk, name, step);
  }
  const found = desk.stored.get(name);
  if (found) return found;
  const data = desk.graph.constants.get(name);
  if (data === undefined) {
    throw new ModelError(`webgpu: ${name} must be written before it is read, received nothing`);
  }
  const operand = operandOf(desk.graph, name);
  desk.constants.set(name, toFloats(data));
  desk.stored.set(name, operand);
  return operand;
}

const toFloats = (data: Data): Float32Array =>
  data instanceof Float32Array ? data : Float32Array.from(data as unknown as number[], Number);

/** The pending step of a value, to be joined; it is pending no longer. */
export function take(desk: Desk, name: string): Step | undefined {
  const step = desk.pending.get(name);
  desk.pending.delete(name);
  return step;
}

/** A value that is another order of what is stored. */
export function giveView(desk: Desk, name: string, operand: Operand): void {
  desk.stored.set(name, operand);
}

/** A value that a step makes, stored as the step numbers it; a single reader may join it, or place it elsewhere. */
export function giveStep(desk: Desk, name: string, step: Step): void {
  if (desk.uses.get(name) === 1) desk.pending.set(name, step);
  else store(desk, name, step);
}

function store(desk: Desk, name: string, step: Step): Operand {
  const operand = { from: name, view: whole(step.shape) };
  emit(desk, { ...step, writes: name });
  desk.stored.set(name, operand);
  return operand;
}

/** Writes a step down, after copies of what it reads many times in an intricate order. */
export function emit(desk: Desk, step: Step): void {
  const reads = step.reads.map((operand, i) =>
    i < (step.rereads ?? 0) && isIntricate(operand) ? straightened(desk, operand) : operand,
  );
  desk.steps.push({ ...step, reads });
}

/** An index that takes more than an addition. */
const isIntricate = ({ view: { stages } }: Operand): boolean =>
  stages.length > 1 || (stages[0]?.digits.length ?? 0) > 1;

function straightened(desk: Desk, operand: Operand): Operand {
  const key = JSON.stringify(operand);
  const from = `${operand.from}/copy${desk.copies.size}`;
  const known = desk.copies.get(key);
  if (known) return known;
  const copy = { from, view: whole(operand.view.shape) };
  desk.steps.push(copied(from, operand));
  desk.copies.set(key, copy);
  return copy;
}

/** Whether a step still fits the bindings every adapter has. */
export const fits = (step: Step): boolean => sourcesOf(step).length <= MOST_SOURCES;

/** An output: stored in one piece under a name of its own. */
export function stored(desk: Desk, name: string): string {
  const operand = read(desk, name);
  const isOwn = desk.steps.some(({ writes }) => writes === operand.from);
  const { from, view } = operand;
  if (isWhole(view) && isOwn && volume(view.shape) === volume(shapeOf(desk, name))) return from;
  const copy = `${name}/output`;
  emit(desk, copied(copy, operand));
  return copy;
}

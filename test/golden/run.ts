/** Runs golden cases in ONNX Runtime. */
import { readdirSync } from "node:fs";
import { join } from "node:path";
import {
  buildGraph,
  cotangentName,
  gradientName,
  initialWeights,
  pullback,
} from "../../models/index.ts";
import type { OnnxGraph } from "../../models/index.ts";
import { runNative, runTraining } from "../onnxruntime.ts";
import { readCase, tensorOf, toleranceOf } from "./case.ts";
import type { Case } from "./case.ts";
import { layOut } from "./row.ts";
import type { GraphRow } from "./row.ts";
import { rowOf } from "./table.ts";

export interface Verdict {
  readonly name: string;
  /** Largest error of any tensor over what is allowed: passes up to 1. NaN where nothing could be compared. */
  readonly worst: number;
  /** The tensor that it is of. */
  readonly at: string;
  readonly compared: number;
  /** Why the case could not be run or compared. */
  readonly fault?: string;
}

/** The `.safetensors` files of a folder and those below. */
export function casesIn(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: "utf8" })
    .filter((path) => path.endsWith(".safetensors"))
    .toSorted()
    .map((path) => join(folder, path));
}

/** Runs a case; `undefined` where the table has no row for it. */
export async function runCase(path: string): Promise<Verdict | undefined> {
  const c = readCase(path);
  const row = rowOf(c.name);
  if (row === undefined) return undefined;
  try {
    const results = await ("run" in row ? row.run(c) : compute(c, row));
    const sets = "sets" in row ? (row.sets ?? []) : [];
    const errors = [...results].map(([name, values]) =>
      compare(c, name, values, sets.includes(name.replace("out.", ""))),
    );
    const missing = expected(c).filter((name) => !results.has(name));
    const fault = missing.length > 0 ? `computes no ${missing.join(", ")}` : undefined;
    const worst = errors.reduce((a, b) => (b.error <= a.error ? a : b), { name: "", error: 0 });
    return {
      name: c.name,
      worst: worst.error,
      at: worst.name,
      compared: errors.length,
      ...(fault && { fault }),
    };
  } catch (error) {
    return { name: c.name, worst: Number.NaN, at: "", compared: 0, fault: String(error) };
  }
}

/** The outputs and gradients that a case holds. */
const expected = (c: Case): string[] =>
  [...c.tensors.keys()].filter((name) => /^(out|grad)\./.test(name));

/** What a case calls `grad.in.x` and `grad.w.x` is with respect to an input `x` or a weight `x`. */
const named = (tensor: string): string => tensor.replace(/^grad\.(in|w)\./, "");

/** Every output and gradient that the case holds and the row computes, by the case's names. */
async function compute(c: Case, { build, training }: GraphRow): Promise<Map<string, Float32Array>> {
  const graph = buildGraph(
    c.name,
    (g) => {
      const outputs = Object.entries(build(layOut(g, c)));
      const wanted = outputs.filter(([name]) => c.tensors.has(`out.${name}`));
      return Object.fromEntries(wanted.map(([name, value]) => [`out.${name}`, value]));
    },
    { training: training !== undefined },
  );
  for (const name of graph.outputs) checkShape(c, graph, name);
  const gradients = expected(c).filter((name) => name.startsWith("grad."));
  const pulled = graph.outputs.filter((name) => c.tensors.has(name.replace("out.", "ct.")));
  const whole = gradients.length > 0 ? pullback(graph, pulled, gradients.map(named)) : graph;
  const weights = new Map(
    [...initialWeights(graph)].map(([name, data]) => [
      name,
      c.tensors.get(`w.${name}`)?.data ?? data,
    ]),
  );
  const feeds = [
    ...graph.inputs.map((name) => [name, tensorOf(c, `in.${name}`).data]),
    ...(whole === graph ? [] : pulled).map((name) => [
      cotangentName(name),
      tensorOf(c, name.replace("out.", "ct.")).data,
    ]),
  ];
  const results = training
    ? await runTraining(whole, Object.fromEntries([...feeds, ...weights]))
    : await runNative(whole, weights, Object.fromEntries(feeds));
  const after = Object.entries(training ?? {}).map(
    ([output, stored]) => [whole.updates.get(stored) ?? stored, `out.${output}`] as const,
  );
  const called = new Map([
    ...gradients.map((name) => [gradientName(named(name)), name] as const),
    ...after,
  ]);
  return new Map(Object.entries(results).map(([name, data]) => [called.get(name) ?? name, data]));
}

function checkShape(c: Case, graph: OnnxGraph, name: string): void {
  const [ours, theirs] = [graph.values.get(name)?.shape, tensorOf(c, name).shape];
  if (ours?.join() !== theirs.join()) {
    throw new RangeError(`${name} must be [${theirs.join(" ")}], received [${ours?.join(" ")}]`);
  }
}

function compare(
  c: Case,
  name: string,
  values: Float32Array,
  isSet: boolean,
): { name: string; error: number } {
  const { most, kind } = toleranceOf(c);
  const { data, shape } = tensorOf(c, name);
  const wanted = isSet ? inOrder(data, shape.at(-1) ?? 1) : data;
  const given = isSet ? inOrder(values, shape.at(-1) ?? 1) : values;
  const scale = kind === "abs" ? 1 : largest(c, name);
  let error = 0;
  for (const [i, w] of wanted.entries()) {
    const off = Math.abs((given[i] ?? Number.NaN) - w) / scale / most;
    if (w !== given[i]) error = Math.max(error, Number.isNaN(off) ? Infinity : off);
  }
  return { name, error };
}

/** Every row with its members in rising order. */
function inOrder(data: Float32Array, width: number): Float32Array {
  const out = Float32Array.from(data);
  for (let at = 0; at < out.length; at += width) out.subarray(at, at + width).sort();
  return out;
}

/**
 * What "relative" is relative to: the largest value of the tensor; at least a tenth of the largest gradient of the
 * case, since a gradient that is zero by symmetry comes out as rounding of its terms.
 */
function largest(c: Case, name: string): number {
  const top = (data: Float32Array) => data.reduce((a, v) => Math.max(a, Math.abs(v)), 0);
  const own = top(tensorOf(c, name).data);
  if (!name.startsWith("grad.")) return own || 1;
  const all = [...c.tensors].filter(([n]) => n.startsWith("grad.")).map(([, t]) => top(t.data));
  return Math.max(own, Math.max(...all) / 10) || 1;
}

/** Graphs that also give their gradients. */
import { volume } from "../../attention/index.ts";
import type { NamedValue, OnnxGraph } from "../onnx/graph.ts";
import { reachable } from "../onnx/graph.ts";
import { inlineFunctions } from "../onnx/inline.ts";
import { nameOutputs } from "../onnx/outputs.ts";
import { addValue, createSheet, valueOf, writerOf } from "../onnx/writer.ts";
import { backward } from "./backward.ts";

/** What the output that holds the gradient of `name` is called. */
export const gradientName = (name: string): string => `gradient.${name}`;

/** What the input that holds the cotangent of `output` is called. */
export const cotangentName = (output: string): string => `cotangent.${output}`;

/**
 * Adds the gradient of one number.
 *
 * @param loss  an output of one value
 * @param wrt   inputs and weights; each gets an output `gradient.NAME` of its own shape
 * @throws {TypeError} where an operation on the way has no gradient rule
 */
export function gradient(graph: OnnxGraph, loss: string, wrt: readonly string[]): OnnxGraph {
  const { shape } = valueOf(graph, loss);
  if (volume(shape) !== 1 || !graph.outputs.includes(loss)) {
    throw new RangeError(
      `gradient: the loss must be an output of one value, received ${loss} [${shape.join(" ")}]`,
    );
  }
  return withGradients(graph, [loss], wrt, []);
}

/**
 * Adds the gradient of outputs weighted by cotangents, which come in as inputs `cotangent.OUTPUT`:
 * the product of a vector with the Jacobian.
 */
export function pullback(
  graph: OnnxGraph,
  outputs: readonly string[],
  wrt: readonly string[],
): OnnxGraph {
  return withGradients(graph, outputs, wrt, outputs.map(cotangentName));
}

/** Seeds each of `of` with the input of the same place in `given`, or with ones. */
function withGradients(
  graph: OnnxGraph,
  of: readonly string[],
  wrt: readonly string[],
  given: readonly string[],
): OnnxGraph {
  const flat = inlineFunctions(graph);
  const sheet = createSheet(graph.name, flat);
  const w = writerOf(sheet, "gradient/");
  const seeds = new Map<string, NamedValue>();
  for (const [i, output] of of.entries()) {
    const value = valueOf(sheet, output);
    const name = given[i];
    const ones = () => w.constant(value.shape, new Float32Array(volume(value.shape)).fill(1));
    seeds.set(output, name === undefined ? ones() : addValue(sheet, name, value));
  }
  const gradients = backward(sheet, w, flat.nodes, seeds, wrt);
  const named = wrt.map((name) => {
    const found = gradients.get(name);
    if (found === undefined) throw new RangeError(`gradient: no value is called ${name}`);
    return [gradientName(name), found] as const;
  });
  const fixed = new Set([...graph.outputs, ...graph.updates.values()]);
  const nodes = nameOutputs(sheet, named, fixed);
  const outputs = [...graph.outputs, ...wrt.map(gradientName)];
  const inputs = [...graph.inputs, ...given];
  const { values, constants } = sheet;
  const whole = { ...flat, inputs, outputs, values, constants, nodes };
  return reachable(whole, [...outputs, ...graph.updates.values()]);
}

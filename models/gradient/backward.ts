/** Reverse mode: walks a body backwards and writes, node by node, what the loss gains per unit of every value. */
import type { NamedValue, OnnxNode } from "../onnx/graph.ts";
import { producers } from "../onnx/graph.ts";
import type { BackwardSite, Writer } from "../onnx/operations/operation.ts";
import { operation } from "../onnx/operations/table.ts";
import { add, zeros } from "../onnx/operations/write.ts";
import { siteOf, valueOf } from "../onnx/writer.ts";
import type { Sheet } from "../onnx/writer.ts";

/**
 * Appends to `sheet` the gradients of the values `wrt`.
 *
 * @param nodes  what is differentiated: nodes without calls, in running order
 * @param seeds  what is differentiated for: values, and the cotangent that each starts with
 * @returns one gradient for each name of `wrt`; zeros where the seeds do not depend on it
 * @throws {TypeError} where an operation on the way has no gradient rule
 */
export function backward(
  sheet: Sheet,
  w: Writer,
  nodes: readonly OnnxNode[],
  seeds: ReadonlyMap<string, NamedValue>,
  wrt: readonly string[],
): ReadonlyMap<string, NamedValue> {
  const carries = dependents(sheet, nodes, wrt);
  const written = producers(nodes);
  const cotangents = new Map(seeds);
  for (const node of nodes.toReversed()) {
    const wanted = node.inputs.map((name) => carries.has(name));
    if (!wanted.includes(true) || !node.outputs.some((name) => cotangents.has(name))) continue;
    const gradients = differentiate({ sheet, w, written }, node, wanted, cotangents);
    for (const [i, name] of node.inputs.entries()) {
      const gradient = gradients[i];
      if (gradient === undefined || wanted[i] !== true) continue;
      const before = cotangents.get(name);
      cotangents.set(name, before === undefined ? gradient : add(w, before, gradient));
    }
  }
  return new Map(
    wrt.map((name) => [name, cotangents.get(name) ?? zeros(w, valueOf(sheet, name).shape)]),
  );
}

/** Names that vary with one of `wrt`: only there gradients are worth writing. */
function dependents(sheet: Sheet, nodes: readonly OnnxNode[], wrt: readonly string[]): Set<string> {
  const names = new Set(wrt);
  for (const node of nodes) {
    if (node.stopsGradient === true || operation(node.op).gradient === "none") continue;
    if (!node.inputs.some((name) => names.has(name))) continue;
    for (const name of node.outputs) if (valueOf(sheet, name).type === "float32") names.add(name);
  }
  return names;
}

interface Desk {
  readonly sheet: Sheet;
  readonly w: Writer;
  /** By value: the node that writes it. */
  readonly written: ReadonlyMap<string, OnnxNode>;
}

function differentiate(
  { sheet, w, written }: Desk,
  node: OnnxNode,
  wanted: readonly boolean[],
  cotangents: ReadonlyMap<string, NamedValue>,
): readonly (NamedValue | undefined)[] {
  const { gradient } = operation(node.op);
  if (gradient === "none" || node.stopsGradient === true) return [];
  if (gradient === undefined) {
    throw new TypeError(
      `gradient: every operation on the way must have a gradient rule, received ${node.op}`,
    );
  }
  const inputs = node.inputs.map((name) => (name === "" ? undefined : valueOf(sheet, name)));
  const site: BackwardSite = {
    ...siteOf(sheet, node.op, inputs, node.attributes),
    outputs: node.outputs.map((name) => valueOf(sheet, name)),
    cotangents: node.outputs.map((name) => cotangents.get(name)),
    wants: (i) => wanted[i] === true,
    producer: (i) => written.get(node.inputs[i] ?? ""),
  };
  return gradient(w, site);
}

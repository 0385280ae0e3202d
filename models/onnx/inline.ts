/** Calls replaced by what they call. */
import type { Body, OnnxGraph, OnnxNode } from "./graph.ts";
import { addValue, createSheet, valueOf, writerOf } from "./writer.ts";
import type { Sheet } from "./writer.ts";

/**
 * Writes the body of every function in place of its calls.
 *
 * Names inside a body start with the name of the call's output, so that they differ from call to call.
 */
export function inlineFunctions(graph: OnnxGraph): OnnxGraph {
  if (graph.nodes.every((node) => node.function === undefined)) return graph;
  const sheet = createSheet(graph.name, { ...graph, nodes: [] });
  for (const node of graph.nodes) write(sheet, graph.functions, node, new Map());
  const { values, constants, nodes } = sheet;
  return { ...graph, values, constants, nodes, functions: new Map() };
}

/** Writes one node, its names replaced by those in `names`. */
function write(
  sheet: Sheet,
  functions: OnnxGraph["functions"],
  node: OnnxNode,
  names: ReadonlyMap<string, string>,
): void {
  const rename = (name: string) => names.get(name) ?? name;
  const here = {
    ...node,
    inputs: node.inputs.map(rename),
    outputs: node.outputs.map(rename),
  };
  const called = node.function === undefined ? undefined : functions.get(node.function);
  if (called === undefined) {
    sheet.nodes.push(here);
    return;
  }
  const inside = bind(sheet, called, here);
  for (const inner of called.nodes) write(sheet, functions, inner, inside);
}

/** What each name of a body is called outside. */
function bind(sheet: Sheet, body: Body, call: OnnxNode): Map<string, string> {
  const names = new Map<string, string>();
  for (const [i, name] of body.inputs.entries()) names.set(name, call.inputs[i] ?? "");
  for (const [i, name] of body.outputs.entries()) names.set(name, call.outputs[i] ?? "");
  const w = writerOf(sheet);
  for (const [name, data] of body.constants) {
    names.set(name, w.constant(valueOf(body, name).shape, data).name);
  }
  const scope = `${call.outputs[0] ?? call.op}/`;
  for (const name of body.nodes.flatMap((node) => node.outputs)) {
    if (name === "" || names.has(name)) continue;
    names.set(name, addValue(sheet, scope + name, valueOf(body, name)).name);
  }
  return names;
}

/** Outputs of a graph under names of their own. */
import type { NamedValue, OnnxNode } from "./graph.ts";
import type { Sheet } from "./writer.ts";

/**
 * Names outputs: a value that a node writes for this output alone takes its name, any other is copied.
 *
 * @param fixed  values whose names must stay, though nodes write them
 * @returns the nodes with their new names
 */
export function nameOutputs(
  { name: graph, values, nodes }: Pick<Sheet, "name" | "values" | "nodes">,
  outputs: readonly (readonly [name: string, value: NamedValue])[],
  fixed: ReadonlySet<string>,
): OnnxNode[] {
  const renamed = new Map<string, string>();
  const copies: OnnxNode[] = [];
  const written = new Set(nodes.flatMap((node) => node.outputs));
  for (const [name, { name: from, type, shape }] of outputs) {
    if (values.has(name)) {
      throw new RangeError(`${graph}: outputs need names of their own, received ${name}`);
    }
    values.set(name, { type, shape });
    if (written.has(from) && !renamed.has(from) && !fixed.has(from)) {
      renamed.set(from, name);
      values.delete(from);
    } else {
      const source = renamed.get(from) ?? from;
      copies.push({ op: "Identity", inputs: [source], outputs: [name], attributes: {} });
    }
  }
  const rename = (value: string) => renamed.get(value) ?? value;
  const all = nodes.map((node) => ({
    ...node,
    inputs: node.inputs.map(rename),
    outputs: node.outputs.map(rename),
  }));
  return [...all, ...copies];
}

/** Nodes whose inputs are all known become constants. */
import type { Body, Data, OnnxNode } from "../graph.ts";
import { valueOf } from "../writer.ts";
import { evaluate } from "./evaluate.ts";
import type { Known } from "./evaluate.ts";

export function foldConstants<B extends Body>(body: B): B {
  const constants = new Map(body.constants);
  const nodes: OnnxNode[] = [];
  const known = (name: string): Known | undefined => {
    const data = constants.get(name);
    return data && { ...valueOf(body, name), data };
  };
  const fold = (node: OnnxNode): Data | undefined => {
    const [output = ""] = node.outputs;
    const asked = node.inputs.filter((name) => name !== "");
    if (node.function !== undefined || body.outputs.includes(output)) return undefined;
    if (asked.length === 0 || !asked.every((name) => constants.has(name))) return undefined;
    return evaluate(node, node.inputs.map(known), valueOf(body, output));
  };
  for (const node of body.nodes) {
    const data = fold(node);
    if (data === undefined) nodes.push(node);
    else constants.set(node.outputs[0] ?? "", data);
  }
  return { ...body, constants, nodes };
}

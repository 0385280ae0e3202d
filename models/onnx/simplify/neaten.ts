/** Nodes that do nothing are left out: copies, reshapes of reshapes, transposes that undo each other. */
import { range, same } from "../operations/operation.ts";
import type { Body, OnnxNode } from "../graph.ts";
import { valueOf } from "../writer.ts";

const permOf = ({ attributes: { perm } }: OnnxNode): readonly number[] =>
  typeof perm === "object" ? perm : [];

/** One transpose in place of two. */
function joinTransposes(node: OnnxNode, before: OnnxNode): OnnxNode {
  const perm = permOf(node).map((axis) => permOf(before)[axis] ?? 0);
  return { ...node, inputs: before.inputs, attributes: { perm } };
}

export function neaten<B extends Body>(body: B): B {
  const replaced = new Map<string, string>();
  const written = new Map<string, OnnxNode>();
  const nodes: OnnxNode[] = [];
  const shapeOf = (name: string) => valueOf(body, name).shape;
  const doesNothing = (node: OnnxNode): boolean => {
    const [from = "", to = ""] = [node.inputs[0], node.outputs[0]];
    if (body.outputs.includes(to) || node.stopsGradient === true) return false;
    if (node.op === "Identity") return true;
    if (node.op === "Reshape" || node.op === "Expand") return same(shapeOf(from), shapeOf(to));
    return node.op === "Transpose" && same(permOf(node), range(permOf(node).length));
  };
  for (const original of body.nodes) {
    const inputs = original.inputs.map((name) => replaced.get(name) ?? name);
    let node: OnnxNode = { ...original, inputs };
    const before = written.get(node.inputs[0] ?? "");
    if (before?.op === "Reshape" && node.op === "Reshape") {
      node = { ...node, inputs: [before.inputs[0] ?? "", node.inputs[1] ?? ""] };
    } else if (before?.op === "Transpose" && node.op === "Transpose") {
      node = joinTransposes(node, before);
    }
    const [output = ""] = node.outputs;
    if (doesNothing(node)) replaced.set(output, node.inputs[0] ?? "");
    else {
      nodes.push(node);
      written.set(output, node);
    }
  }
  return { ...body, nodes };
}

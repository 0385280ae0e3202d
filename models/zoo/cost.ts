/** What a network costs: its parameters, and the multiplications of one run. */
import { volume } from "../../attention/index.ts";
import type { OnnxGraph, OnnxNode } from "../onnx/graph.ts";
import { inlineFunctions } from "../onnx/inline.ts";

export interface NetworkCost {
  /** Numbers that training moves. */
  readonly parameters: number;
  /** Multiply-accumulate operations of convolutions and matrix products, attention included; elementwise work is not counted. */
  readonly macs: number;
}

export function costOf(graph: OnnxGraph): NetworkCost {
  const shapeOf = (body: OnnxGraph, name: string | undefined): readonly number[] =>
    body.values.get(name ?? "")?.shape ?? [];
  const trainable = [...graph.weights].filter(([, { trainable }]) => trainable);
  const flat = inlineFunctions(graph);
  const macsOf = ({ op, inputs, outputs }: OnnxNode): number => {
    const out = volume(shapeOf(flat, outputs[0]));
    const [a, b] = [shapeOf(flat, inputs[0]), shapeOf(flat, inputs[1])];
    if (op === "MatMul" || op === "Gemm") return out * (a.at(-1) ?? 1);
    if (op === "Conv") return out * volume(b.slice(1)); // [out, in of a group, height, width]
    if (op === "ConvTranspose") return volume(a) * volume(b.slice(1)); // [in, out of a group, …]
    return 0;
  };
  return {
    parameters: trainable.reduce((sum, [name]) => sum + volume(shapeOf(graph, name)), 0),
    macs: flat.nodes.reduce((sum, node) => sum + macsOf(node), 0),
  };
}

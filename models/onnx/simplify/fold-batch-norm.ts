/**
 * A batch normalisation behind a convolution becomes part of its weights:
 *
 *     w′ = w · scale / √(variance + ε),   b′ = (b − mean) · scale / √(variance + ε) + bias
 */
import type { OnnxGraph, OnnxNode, Stored, ValueType } from "../graph.ts";
import { producers } from "../graph.ts";
import type { Weights } from "../weights.ts";

export interface Network {
  readonly graph: OnnxGraph;
  readonly weights: Weights;
}

/** Values that more than one node reads, or that are read from outside. */
function readTwice(graph: OnnxGraph): ReadonlySet<string> {
  const once = new Set<string>();
  const twice = new Set([...graph.outputs, ...graph.updates.values()]);
  for (const name of graph.nodes.flatMap((node) => node.inputs)) {
    if (once.has(name)) twice.add(name);
    once.add(name);
  }
  return twice;
}

/** Weights of a convolution and of the normalisation behind it, where all of them are stored. */
function partsOf(conv: OnnxNode, norm: OnnxNode, weights: Weights) {
  const [weight, scale, bias, mean, variance] = [conv.inputs[1], ...norm.inputs.slice(1)].map(
    (name) => weights.get(name ?? ""),
  );
  const offset = conv.inputs[2] === undefined ? undefined : weights.get(conv.inputs[2]);
  if (!weight || !scale || !bias || !mean || !variance) return undefined;
  if (conv.inputs[2] !== undefined && offset === undefined) return undefined;
  return { weight, scale, bias, mean, variance, offset };
}

export function foldBatchNorm({ graph, weights }: Network): Network {
  const by = producers(graph.nodes);
  const shared = readTwice(graph);
  const [next, stored] = [new Map(weights), new Map<string, Stored>(graph.weights)];
  const values = new Map<string, ValueType>(graph.values);
  const folded = new Map<OnnxNode, OnnxNode>();
  const gone = new Set<OnnxNode>();
  for (const norm of graph.nodes) {
    const conv = by.get(norm.inputs[0] ?? "");
    if (norm.op !== "BatchNormalization" || conv?.op !== "Conv") continue;
    const [, weightName = "", biasName = `${weightName}.folded_bias`] = conv.inputs;
    const parts = partsOf(conv, norm, weights);
    const alone = ![norm.inputs[0] ?? "", weightName, biasName].some((name) => shared.has(name));
    if (parts === undefined || !alone) continue;
    const epsilon = Number(norm.attributes["epsilon"] ?? 1e-5);
    const factor = parts.scale.map((s, c) => s / Math.sqrt((parts.variance[c] ?? 0) + epsilon));
    const each = parts.weight.length / factor.length;
    next.set(
      weightName,
      parts.weight.map((v, i) => v * (factor[Math.floor(i / each)] ?? 0)),
    );
    const offset = factor.map(
      (f, c) => ((parts.offset?.[c] ?? 0) - (parts.mean[c] ?? 0)) * f + (parts.bias[c] ?? 0),
    );
    next.set(biasName, offset);
    stored.set(biasName, { init: { kind: "constant", value: 0 }, trainable: true });
    values.set(biasName, { type: "float32", shape: [factor.length] });
    const inputs = [conv.inputs[0] ?? "", weightName, biasName];
    folded.set(conv, { ...conv, inputs, outputs: norm.outputs });
    gone.add(norm);
  }
  const nodes = graph.nodes
    .filter((node) => !gone.has(node))
    .map((node) => folded.get(node) ?? node);
  return { graph: { ...graph, nodes, values, weights: stored }, weights: next };
}

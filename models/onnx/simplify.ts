/** Graphs made smaller that compute the same. */
import type { OnnxFunction, OnnxGraph } from "./graph.ts";
import { reachable } from "./graph.ts";
import { foldBatchNorm } from "./simplify/fold-batch-norm.ts";
import type { Network } from "./simplify/fold-batch-norm.ts";
import { foldConstants } from "./simplify/fold-constants.ts";
import { neaten } from "./simplify/neaten.ts";
import type { Weights } from "./weights.ts";

export type { Network };

/**
 * Simplifies a network for inference: batch normalisation into the convolution before it, known values computed,
 * copies and pairs of moves removed, and everything that no output needs.
 *
 * Names of inputs, outputs and weights stay; weights that nothing reads any more are left out.
 */
export function simplify(graph: OnnxGraph, weights: Weights): Network {
  const folded = foldBatchNorm({ graph, weights });
  const functions = new Map(
    [...folded.graph.functions].map(([key, body]): [string, OnnxFunction] => [
      key,
      reachable(neaten(foldConstants(body))),
    ]),
  );
  const small = reachable(neaten(foldConstants({ ...folded.graph, functions })));
  const read = ([name]: readonly [string, unknown]) => small.values.has(name);
  const kept = new Map([...small.weights].filter(read));
  return {
    graph: { ...small, weights: kept, updates: new Map() },
    weights: new Map([...folded.weights].filter(([name]) => kept.has(name))),
  };
}

/**
 * Attention that pools a set into one vector, by a learned question.
 *
 *     α = softmax_n(u·tanh(W x[n] + b (+ state))),   out = Σ α[n] x[n]
 *
 * Applied twice it is hierarchical attention (places → regions → scene): Yang et al., "Hierarchical Attention Networks
 * for Document Classification", 2016, §2.2. With a state it is temporal attention over frames or acquisition dates:
 * Yao et al., "Describing Videos by Exploiting Temporal Structure", 2015, §3.2. arXiv:1502.08029
 */
import type { Graph, Value } from "../graph.ts";
import { bind } from "../shape.ts";
import { maskedSoftmax } from "../softmax.ts";

export interface Pooled {
  readonly out: Value<"B C">;
  readonly weights: Value<"B N">;
}

/** The learned question, and what a state adds to it. */
export interface Question {
  readonly weight: Value<"D C">;
  readonly bias: Value<"D">;
  readonly score: Value<"D">;
  readonly state?: Value<"B D"> | undefined;
}

/**
 * Pools the members of each set.
 *
 * @param known  bool: which members there are; a set without any gives zeros
 */
export function pool(
  g: Graph,
  x: Value<"B N C">,
  { weight, bias, score, state }: Question,
  known?: Value<"B N">,
): Pooled {
  const { B, N, C, D } = bind("pool", { x, weight, bias, score });
  const mapped = g.add(g.matmul(x, g.rearrange(weight, "D C -> C D"), "B N D"), bias);
  const asked = state ? g.add(mapped, g.reshape(state, "B N D", [B, 1, D])) : mapped;
  const scores = g.matmul(g.unary("tanh", asked), g.reshape(score, "D I", [D, 1]), "B N I");
  const mask = known && g.reshape(known, "B H N M", [B, 1, 1, N]);
  const weights = maskedSoftmax(g, g.reshape(scores, "B H N M", [B, 1, 1, N]), { mask });
  const row = g.reshape(weights, "B I N", [B, 1, N]);
  return {
    out: g.reshape(g.matmul(row, x, "B I C"), "B C", [B, C]),
    weights: g.reshape(weights, "B N", [B, N]),
  };
}

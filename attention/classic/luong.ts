/**
 * Attention of recurrent decoders: queries over a memory, then a layer that reads query and context together.
 *
 *     dot: e = h·q;  general: e = h·(W q);  additive: e = v·tanh(W_q q + W_k h + b)
 *     α = softmax(e),  c = Σ α h,  out = tanh(W_o [c q])   (additive: W_o [c q] + b, without tanh)
 *
 * Luong, Pham and Manning, "Effective Approaches to Attention-based Neural Machine Translation", 2015, §3.
 * arXiv:1508.04025; weights are named as OpenNMT has them.
 */
import { sparseWeights } from "../cores/sparse.ts";
import type { Graph, Value } from "../graph.ts";
import { project } from "../projection.ts";
import { bind } from "../shape.ts";
import { maskedSoftmax } from "../softmax.ts";

export interface LuongOptions {
  readonly score: "dot" | "general" | "additive";
  /** @default "softmax" */
  readonly activation?: "softmax" | "sparsemax";
}

export interface Aligned {
  readonly out: Value<"B N C">;
  /** How much of each query's answer comes from each place of the memory. */
  readonly weights: Value<"B N M">;
}

/** Far below every score, yet small enough for sums of scores to keep their digits. */
const HIDDEN = -1e4;

/**
 * Queries over a memory.
 *
 * @param known  bool: which places of the memory there are; all, where absent
 */
export function luong(
  g: Graph,
  queries: Value<"B N C">,
  memory: Value<"B M C">,
  known: Value<"B M"> | undefined,
  { score, activation = "softmax" }: LuongOptions,
): Aligned {
  const { B, N, M, C } = bind("luong", { queries, memory });
  const scores = g.reshape(scored(g, queries, memory, score), "B H N M", [B, 1, N, M]);
  const mask = known && g.reshape(known, "B H N M", [B, 1, 1, M]);
  const all =
    activation === "softmax"
      ? maskedSoftmax(g, scores, { mask })
      : sparseWeights(g, mask ? g.where(mask, scores, HIDDEN) : scores, activation);
  const weights = g.reshape(all, "B N M", [B, N, M]);
  const context = g.matmul(weights, memory, "B N C");
  const isAdditive = score === "additive";
  const both = g.concat([context, queries], "C");
  const read = project(g, "linear_out", both, "B N C", C, { bias: isAdditive });
  return { out: isAdditive ? read : g.unary("tanh", read), weights };
}

function scored(
  g: Graph,
  queries: Value<"B N C">,
  memory: Value<"B M C">,
  score: LuongOptions["score"],
): Value<"B N M"> {
  const { B, N, M, C } = bind("luong", { queries, memory });
  const keys = g.rearrange(memory, "B M C -> B C M");
  if (score === "dot") return g.matmul(queries, keys, "B N M");
  if (score === "general") {
    const turned = project(g, "linear_in", queries, "B N C", C, { bias: false });
    return g.matmul(turned, keys, "B N M");
  }
  const q = g.reshape(project(g, "linear_query", queries, "B N C", C), "B N M C", [B, N, 1, C]);
  const k = project(g, "linear_context", memory, "B M C", C, { bias: false });
  const pairs = g.unary("tanh", g.add(q, g.reshape(k, "B N M C", [B, 1, M, C])));
  const scores = project(g, "v", pairs, "B N M I", 1, { bias: false });
  return g.reshape(scores, "B N M", [B, N, M]);
}

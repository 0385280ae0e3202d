/**
 * Softmax attention in parts: each share of the keys gives a maximum, a sum and an unfinished answer; parts merge in any
 * order to the exact result. What tiled kernels do on one device and ring attention on many.
 *
 *     m = max s,   l = Σ e^(s − m),   a = Σ e^(s − m) v
 *     m' = max(m₁, m₂),   l' = Σᵢ e^(mᵢ − m') lᵢ,   a' = Σᵢ e^(mᵢ − m') aᵢ,   out = a / l
 *
 * Dao et al., "FlashAttention", 2022, §3.1. arXiv:2205.14135; Liu, Zaharia and Abbeel, "Ring Attention", 2023.
 * arXiv:2310.01889
 */
import type { Graph, Value } from "../graph.ts";
import type { Pairs } from "../operator.ts";
import { checkPairing } from "../pairing.ts";
import { bind } from "../shape.ts";

/** What some of the keys say. */
export interface Partial {
  readonly max: Value<"B H N I">;
  readonly sum: Value<"B H N I">;
  readonly acc: Value<"B H N E">;
}

const HIDDEN = -1e30;

/** The part of some keys; where a query may see none of them it is empty. */
export function partial(
  g: Graph,
  q: Value<"B H N D">,
  k: Value<"B H M D">,
  v: Value<"B H M E">,
  pairing: Pairs = {},
): Partial {
  const { B, H, N, M, D } = bind("partial", { q, k, v });
  checkPairing("partial", [B, H, N, M], pairing);
  const keys = g.rearrange(k, "B H M D -> B H D M");
  const raw = g.matmul(g.scale(q, 1 / Math.sqrt(D)), keys, "B H N M");
  const biased = pairing.bias ? g.add(raw, pairing.bias) : raw;
  const scores = pairing.mask ? g.where(pairing.mask, biased, HIDDEN) : biased;
  const max = g.rename(g.reduce("max", scores, ["M"]), "B H N I");
  const raised = g.unary("exp", g.sub(scores, max));
  const seen = pairing.mask ? g.where(pairing.mask, raised, 0) : raised;
  const sum = g.rename(g.reduce("sum", seen, ["M"]), "B H N I");
  return { max, sum, acc: g.matmul(seen, v, "B H N E") };
}

/** Two parts as one. */
export function merge(g: Graph, a: Partial, b: Partial): Partial {
  const max = g.binary("max", a.max, b.max);
  const [fadeA, fadeB] = [a, b].map((part) => g.unary("exp", g.sub(part.max, max))) as [
    Partial["max"],
    Partial["max"],
  ];
  return {
    max,
    sum: g.add(g.mul(a.sum, fadeA), g.mul(b.sum, fadeB)),
    acc: g.add(g.mul(a.acc, fadeA), g.mul(b.acc, fadeB)),
  };
}

/** The answer; zeros for a query that has seen nothing. */
export const finish = (g: Graph, { sum, acc }: Partial): Value<"B H N E"> =>
  g.div(acc, g.binary("max", sum, 1e-30));

/** log Σ e^s of every query. */
export function logSumExp(g: Graph, { max, sum }: Partial): Value<"B H N"> {
  const [B = 0, H = 0, N = 0] = sum.shape;
  return g.reshape(g.add(max, g.unary("log", sum)), "B H N", [B, H, N]);
}

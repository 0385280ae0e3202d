/**
 * Sparse attention weights: far-off keys get exactly zero instead of almost zero.
 *
 *     sparsemax(z) = max(z − τ, 0),   entmax₁.₅(z) = max(z / 2 − τ, 0)²,   τ such that they sum to 1
 *
 * All scores are still computed (and sorted): the weights are sparse, the cost is not.
 *
 * Martins and Astudillo, "From Softmax to Sparsemax", 2016, §2. arXiv:1602.02068;
 * Peters, Niculae and Martins, "Sparse Sequence-to-Sequence Models", 2019, §3. arXiv:1905.05702
 */
import type { Graph, Value } from "../graph.ts";
import type { Core } from "../operator.ts";
import { checkPairing, pairingInputs, pairingOf } from "../pairing.ts";
import { bind } from "../shape.ts";
import { computed, reader, sum } from "../tensor.ts";

export type SparseActivation = "sparsemax" | "entmax15";

export interface SparseOptions {
  /** @default "sparsemax" */
  readonly activation?: SparseActivation;
  /** What scores are multiplied by; it decides how sparse weights are. @default 1 / √D */
  readonly scale?: number;
}

const name = "sparse";
/** Written over scores that may not be seen. Not huge: sums of sorted scores must keep their digits. */
const HIDDEN = -1e5;

export function sparse({ activation = "sparsemax", scale }: SparseOptions = {}): Core {
  return {
    name,

    reference(q, k, v, pairing = {}) {
      const { B, H, N, M, D, E } = bind(name, { q, k, v });
      checkPairing(name, [B, H, N, M], pairing);
      const [Q, K, V] = [reader(q), reader(k), reader(v)];
      const by = scale ?? 1 / Math.sqrt(D);
      const mask = pairing.mask ? reader(pairing.mask) : () => 1;
      const bias = pairing.bias ? reader(pairing.bias) : () => 0;
      const row = (b: number, h: number, n: number) =>
        sparseRow(
          activation,
          Array.from({ length: M }, (_, m) =>
            mask(b, h, n, m)
              ? by * sum(D, (d) => Q(b, h, n, d) * K(b, h, m, d)) + bias(b, h, n, m)
              : -Infinity,
          ),
        );
      return computed("B H N E", [B, H, N, E], (b, h, n, e) => {
        const weight = row(b, h, n);
        return sum(M, (m) => (weight[m] ?? 0) * V(b, h, m, e));
      });
    },

    lower(g, q, k, v, pairing = {}) {
      const { B, H, N, M, D } = bind(name, { q, k, v });
      checkPairing(name, [B, H, N, M], pairing);
      const by = scale ?? 1 / Math.sqrt(D);
      const { inputs, takes } = pairingInputs(pairing);
      const attributes = { activation, scale: by, takes };
      return g.call(name, attributes, [q, k, v, ...inputs], (f, [Q, K, V, ...rest]) => {
        const { mask, bias } = pairingOf(takes, rest);
        const keys = f.rearrange(K, "B H M D -> B H D M");
        const raw = f.matmul(f.scale(Q, by), keys, "B H N M");
        const scores = bias ? f.add(raw, bias) : raw;
        if (mask === undefined) return f.matmul(sparseWeights(f, scores, activation), V, "B H N E");
        // Scores from the top of what may be seen, so that hidden ones are far below all others.
        const top = f.reduce("max", f.where(mask, scores, -1e30), ["M"]);
        const below = f.where(mask, f.sub(scores, top), HIDDEN);
        const weights = f.where(mask, sparseWeights(f, below, activation), 0);
        return f.matmul(weights, V, "B H N E");
      });
    },
  };
}

/** Sparse weights of every row of scores (the last axis), as graph nodes. */
export function sparseWeights<L extends string>(
  g: Graph,
  scores: Value<L>,
  activation: SparseActivation,
): Value<L> {
  const last = scores.layout.split(" ").at(-1) ?? "";
  const z = g.scale(scores, activation === "sparsemax" ? 1 : 0.5);
  const x = g.sub(z, g.reduce("max", z, [last]));
  const K = x.shape.at(-1) ?? 0;
  const sorted = g.topK(x, K).values;
  const tau = (activation === "sparsemax" ? sparsemaxTau : entmaxTau)(g, sorted, last);
  const over = g.unary("relu", g.sub(x, tau));
  return activation === "sparsemax" ? over : g.mul(over, over);
}

/** Running sums of the last axis. */
function running<L extends string>(g: Graph, x: Value<L>): Value<L> {
  const K = x.shape.at(-1) ?? 0;
  const upper = Float32Array.from({ length: K * K }, (_, at) =>
    Math.floor(at / K) <= at % K ? 1 : 0,
  );
  return g.matmul(x, g.constant("I J", [K, K], upper), x.layout);
}

/** 1, 2, 3, … along the last axis. */
const ranks = (g: Graph, x: Value): Value => {
  const K = x.shape.at(-1) ?? 0;
  return g.constant(
    "I",
    [K],
    Float32Array.from({ length: K }, (_, i) => i + 1),
  );
};

/** τ of the longest support for which the smallest member is still above it: `(Σ − 1) / k`. */
function sparsemaxTau<L extends string>(g: Graph, sorted: Value<L>, last: string): Value<L> {
  const rank = ranks(g, sorted);
  const sums = running(g, sorted);
  const isIn = g.binary("greater", g.add(g.mul(sorted, rank), 1), sums);
  const support = g.cast(isIn, "float32");
  const size = g.reduce("sum", support, [last]);
  const inside = g.reduce("sum", g.mul(sorted, support), [last]);
  return g.div(g.sub(inside, 1), size);
}

/** τ = mean − √(1/k − variance) of the k largest, for the largest k whose last member is not below it. */
function entmaxTau<L extends string>(g: Graph, sorted: Value<L>, last: string): Value<L> {
  const tau = (mean: Value<L>, square: Value<L>, k: Value) => {
    const spread = g.sub(square, g.mul(mean, mean));
    const rest = g.add(g.unary("neg", spread), g.unary("reciprocal", k));
    return g.sub(mean, g.unary("sqrt", g.unary("relu", rest)));
  };
  const rank = ranks(g, sorted);
  const squares = g.mul(sorted, sorted);
  const guess = tau(g.div(running(g, sorted), rank), g.div(running(g, squares), rank), rank);
  const support = g.cast(g.unary("not", g.binary("greater", guess, sorted)), "float32");
  const size = g.reduce("sum", support, [last]);
  const mean = (x: Value<L>) => g.div(g.reduce("sum", g.mul(x, support), [last]), size);
  return tau(mean(sorted), mean(squares), size);
}

/** The reference: weights of one row; `-Infinity` is hidden, and a row of nothing else gives zeros. */
export function sparseRow(activation: SparseActivation, scores: readonly number[]): number[] {
  const isSparsemax = activation === "sparsemax";
  const z = scores.map((s) => s / (isSparsemax ? 1 : 2));
  const sorted = z.filter((s) => s > -Infinity).toSorted((a, b) => b - a);
  let tau = Infinity;
  for (let k = 1; k <= sorted.length; k++) {
    const top = sorted.slice(0, k);
    const mean = top.reduce((a, s) => a + s, 0) / k;
    const spread = top.reduce((a, s) => a + (s - mean) ** 2, 0);
    const guess = isSparsemax ? mean - 1 / k : mean - Math.sqrt(Math.max(0, (1 - spread) / k));
    if (guess < (top.at(-1) ?? 0)) tau = guess;
  }
  const over = z.map((s) => (s === -Infinity ? 0 : Math.max(0, s - tau)));
  return isSparsemax ? over : over.map((s) => s * s);
}

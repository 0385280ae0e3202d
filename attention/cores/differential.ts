/**
 * Differential attention: one softmax minus another, so that what both see alike (noise) cancels.
 *
 *     A = softmax(q₁·k₁ / √d) − λ softmax(q₂·k₂ / √d),   q = [q₁ q₂], k = [k₁ k₂], d = D / 2
 *     out = (1 − λ₀) RMSNorm(A v)
 *     λ = exp(λq₁·λk₁) − exp(λq₂·λk₂) + λ₀,   λ₀ = 0.8 − 0.6 exp(−0.3 depth)
 *
 * A row of A may be negative and sums to 1 − λ. Weights, shared by all heads: `lambda_q1`, `lambda_k1`,
 * `lambda_q2`, `lambda_k2` [d] and `subln.weight` [E].
 *
 * Ye et al., "Differential Transformer", 2024, §2.1. arXiv:2410.05258
 */
import type { Graph, Value } from "../graph.ts";
import { rmsNorm, rmsRow } from "../norm.ts";
import type { Core, Weights } from "../operator.ts";
import { checkPairing, pairingInputs, pairingOf } from "../pairing.ts";
import { ONE, shareOf } from "../projection.ts";
import { bind } from "../shape.ts";
import { maskedSoftmax, softmaxRows } from "../softmax.ts";
import { computed, reader, sum } from "../tensor.ts";

const name = "differential";
const eps = 1e-5;

export interface DifferentialOptions {
  /** Place of the layer in its network, counted from 0. @default 0 */
  readonly depth?: number;
}

/** λ₀ of a layer: 0.2 in the first, towards 0.8 in deep ones. */
export const lambdaInit = (depth: number): number => 0.8 - 0.6 * Math.exp(-0.3 * depth);

export function differential({ depth = 0 }: DifferentialOptions = {}): Core {
  const initial = lambdaInit(depth);
  return {
    name,
    maps: 2,

    reference(q, k, v, pairing = {}, weights = missing) {
      const { B, H, N, M, D, E } = bind(name, { q, k, v });
      checkPairing(name, [B, H, N, M], pairing);
      const d = shareOf(name, "D", D, 2);
      const [Q, K, V, scale] = [reader(q), reader(k), reader(v), reader(weights("subln.weight"))];
      const map = (from: number) =>
        softmaxRows(
          [B, H, N, M],
          pairing,
          (b, h, n, m) => sum(d, (i) => Q(b, h, n, from + i) * K(b, h, m, from + i)) / Math.sqrt(d),
        );
      const [first, second] = [map(0), map(d)] as const;
      const lambda = referenceLambda(weights, d, initial);
      const mixed = (b: number, h: number, n: number) => (e: number) =>
        sum(M, (m) => (first(b, h, n, m) - lambda * second(b, h, n, m)) * V(b, h, m, e));
      return computed("B H N E", [B, H, N, E], (b, h, n, e) => {
        const row = rmsRow(E, mixed(b, h, n), eps);
        return (1 - initial) * (row[e] ?? 0) * scale(e);
      });
    },

    lower(g, q, k, v, pairing = {}) {
      const { B, H, N, M, D, E } = bind(name, { q, k, v });
      checkPairing(name, [B, H, N, M], pairing);
      const d = shareOf(name, "D", D, 2);
      const { inputs, takes } = pairingInputs(pairing);
      const scale = g.at("subln").weight("weight", "E", [E], ONE);
      const lambdas = lambdaWeights(g, d);
      const attributes = { lambdaInit: initial, eps, takes };
      const all = [q, k, v, scale, ...lambdas, ...inputs] as const;
      return g.call(name, attributes, all, (f, [Q, K, V, norm, q1, k1, q2, k2, ...rest]) => {
        const pairs = pairingOf(takes, rest);
        const lambda = lambdaOf(f, [q1, k1, q2, k2], initial);
        // Each map meets the values by itself: two maps of N × N are never held at once.
        const heard = (from: number) => {
          const queries = f.scale(f.slice(Q, "D", from, from + d), 1 / Math.sqrt(d));
          const keys = f.rearrange(f.slice(K, "D", from, from + d), "B H M D -> B H D M");
          const scores = f.matmul(queries, keys, "B H N M");
          return f.matmul(maskedSoftmax(f, scores, pairs), V, "B H N E");
        };
        const mixed = f.sub(heard(0), f.mul(heard(d), lambda));
        return f.scale(rmsNorm(f, mixed, norm, eps), 1 - initial);
      });
    },
  };
}

type Lambdas = readonly [Value<"D">, Value<"D">, Value<"D">, Value<"D">];

function lambdaWeights(g: Graph, d: number): Lambdas {
  const lambda = (of: string) => g.weight(`lambda_${of}`, "D", [d], { kind: "normal", std: 0.1 });
  return [lambda("q1"), lambda("k1"), lambda("q2"), lambda("k2")];
}

function lambdaOf(g: Graph, [q1, k1, q2, k2]: Lambdas, initial: number): Value<"D"> {
  const raised = (a: Value<"D">, b: Value<"D">) =>
    g.unary("exp", g.reduce("sum", g.mul(a, b), ["D"]));
  return g.add(g.sub(raised(q1, k1), raised(q2, k2)), initial);
}

function referenceLambda(weights: Weights, d: number, initial: number): number {
  const raised = (a: string, b: string) => {
    const [A, B] = [reader(weights(`lambda_${a}`)), reader(weights(`lambda_${b}`))];
    return Math.exp(sum(d, (i) => A(i) * B(i)));
  };
  return raised("q1", "k1") - raised("q2", "k2") + initial;
}

const missing: Weights = (weight) => {
  throw new RangeError(`${name}: its reference needs weights, received none for ${weight}`);
};

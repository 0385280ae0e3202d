/**
 * Performer (FAVOR+): softmax attention estimated with random positive features; cost linear in N.
 *
 *     φ(x) = (exp(ω x' − |x'|² / 2 − max) + ε) / √F,   x' = x / D^¼,   ω [F D] random, orthogonal by blocks
 *     out[n] = φ(q[n]) Σm φ(k[m]) v[m]ᵀ / (φ(q[n])·Σm φ(k[m]))
 *
 * The maximum is the row's for queries; for keys it must be one number for all of a head, or keys would be
 * weighed against each other wrongly. It is a constant to gradients. Buffer `projection [F D]`.
 *
 * Choromanski et al., "Rethinking Attention with Performers", 2021, §2.3–2.4. arXiv:2009.14794
 */
import type { Graph, Value } from "../graph.ts";
import type { Core } from "../operator.ts";
import { checkKeyMask, pairingInputs, pairingOf } from "../pairing.ts";
import { bind } from "../shape.ts";
import { computed, reader, sum, tensor } from "../tensor.ts";
import type { Tensor } from "../tensor.ts";

export interface PerformerOptions {
  /** Random features F. @default ⌈D ln D⌉ */
  readonly features?: number;
  /** Seed of the random projection. @default 0 */
  readonly seed?: number;
  /** `"relu"`: φ(x) = max(ω x', 0) + 10⁻³, the generalised form of §2.1. @default "softmax" */
  readonly kernel?: "softmax" | "relu";
}

const name = "performer";
const eps = 1e-4;
const RELU_EPS = 1e-3;

type Kernel = NonNullable<PerformerOptions["kernel"]>;

export function performer(options: PerformerOptions = {}): Core {
  const { kernel = "softmax" } = options;
  return {
    name,

    reference(q, k, v, pairing = {}, weights) {
      const { B, H, N, M, D, E } = bind(name, { q, k, v });
      checkKeyMask(name, [B, H, N, M], pairing);
      const omega = weights?.("projection") ?? projectionOf(D, options);
      const mask = pairing.mask ? reader(pairing.mask) : () => 1;
      const F = omega.shape[0] ?? 0;
      const [Q, K] = [
        plainFeatures(q, omega, "row", kernel),
        plainFeatures(k, omega, "head", kernel),
      ];
      const V = reader(v);
      const weight = (b: number, h: number, n: number, m: number) =>
        mask(b, h, 0, m) * sum(F, (f) => Q(b, h, n, f) * K(b, h, m, f));
      return computed("B H N E", [B, H, N, E], (b, h, n, e) => {
        const total = sum(M, (m) => weight(b, h, n, m));
        return total === 0 ? 0 : sum(M, (m) => weight(b, h, n, m) * V(b, h, m, e)) / total;
      });
    },

    lower(g, q, k, v, pairing = {}) {
      const { B, H, N, M, D } = bind(name, { q, k, v });
      checkKeyMask(name, [B, H, N, M], pairing);
      const start = projectionOf(D, options);
      const omega = g.buffer("projection", "F D", start.shape, start.data);
      const { inputs, takes } = pairingInputs(pairing);
      return g.call(
        name,
        { eps, takes },
        [q, k, v, omega, ...inputs],
        (f, [Q, K, V, W, ...rest]) => {
          const { mask } = pairingOf(takes, rest);
          const queries = performerFeatures(f, Q, W, ["F"], kernel);
          const all = performerFeatures(f, K, W, ["M", "F"], kernel);
          const keys = mask ? f.where(f.rearrange(mask, "B H N M -> B H M N"), all, 0) : all;
          const turned = f.rearrange(keys, "B H M F -> B H F M");
          const total = f.matmul(queries, f.reduce("sum", turned, ["M"]), "B H N I");
          const some = f.binary("max", total, 1e-30);
          return f.div(f.matmul(queries, f.matmul(turned, V, "B H F E"), "B H N E"), some);
        },
      );
    },
  };
}

/** φ of queries `[B H N D]` or keys `[B H M D]`; `over` are the axes of the maximum. */
export function performerFeatures<L extends "B H N D" | "B H M D">(
  g: Graph,
  x: Value<L>,
  omega: Value<"F D">,
  over: readonly string[],
  kernel: Kernel = "softmax",
): Value<"B H M F"> {
  const [F = 1, D = 1] = omega.shape;
  const small = g.scale(x, D ** -0.25);
  const layout = x.layout === "B H N D" ? "B H N F" : "B H M F";
  const dots = g.matmul(small, g.rearrange(omega, "F D -> D F"), layout);
  if (kernel === "relu") return g.rename(g.add(g.unary("relu", dots), RELU_EPS), "B H M F");
  const half = g.scale(g.reduce("sum", g.mul(small, small), ["D"]), 0.5);
  const top = g.detach(g.reduce("max", dots, over));
  const raised = g.unary("exp", g.sub(g.sub(dots, half), top));
  return g.rename(g.scale(g.add(raised, eps), F ** -0.5), "B H M F");
}

function plainFeatures(x: Tensor, omega: Tensor, per: "row" | "head", kernel: Kernel) {
  const [X, W, [F = 1, D = 1], [, , N = 0]] = [reader(x), reader(omega), omega.shape, x.shape];
  const [B = 0, H = 0] = x.shape;
  const dot = reader(
    computed("B H N F", [B, H, N, F], (b, h, n, f) =>
      sum(D, (d) => W(f, d) * X(b, h, n, d) * D ** -0.25),
    ),
  );
  if (kernel === "relu") {
    return (...at: readonly number[]) => Math.max(dot(...at), 0) + RELU_EPS;
  }
  const most = (length: number, of: (i: number) => number) =>
    Array.from({ length }, (_, i) => of(i)).reduce((a, y) => Math.max(a, y), -Infinity);
  const row = (b: number, h: number, n: number) => most(F, (f) => dot(b, h, n, f));
  const top = reader(
    computed("B H N", [B, H, N], (b, h, n) =>
      per === "row" ? row(b, h, n) : most(N, (m) => row(b, h, m)),
    ),
  );
  const half = (b: number, h: number, n: number) =>
    sum(D, (d) => (X(b, h, n, d) * D ** -0.25) ** 2) / 2;
  return reader(
    computed(
      "B H N F",
      [B, H, N, F],
      (b, h, n, f) =>
        (Math.exp(dot(b, h, n, f) - half(b, h, n) - top(b, h, n)) + eps) / Math.sqrt(F),
    ),
  );
}

/** Rows of random directions, orthogonal within every D of them, of a normal vector's length. */
function projectionOf(
  D: number,
  { features: F = Math.ceil(D * Math.log(Math.max(D, 2))), seed = 0 }: PerformerOptions,
): Tensor<"F D"> {
  const normal = normals(seed);
  const rows: number[][] = [];
  const dot = (a: readonly number[], b: readonly number[]) =>
    sum(D, (d) => (a[d] ?? 0) * (b[d] ?? 0));
  while (rows.length < F) {
    const fresh = Array.from({ length: D }, normal);
    const block = rows.slice(rows.length - (rows.length % D));
    const apart = block.reduce((x, u) => {
      const along = dot(x, u);
      return x.map((value, d) => value - along * (u[d] ?? 0));
    }, fresh);
    const length = Math.sqrt(dot(apart, apart));
    rows.push(apart.map((value) => value / length));
  }
  const out = tensor("F D", [F, D]);
  for (const [f, row] of rows.entries()) {
    const length = Math.sqrt(sum(D, () => normal() ** 2));
    for (const [d, value] of row.entries()) out.data[f * D + d] = value * length;
  }
  return out;
}

/** Seeded normal deviates (mulberry32, Box and Muller). */
function normals(seed: number): () => number {
  let state = seed | 0;
  const uniform = () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  return () => Math.sqrt(-2 * Math.log(1 - uniform())) * Math.cos(2 * Math.PI * uniform());
}

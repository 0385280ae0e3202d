/**
 * The selective state space: a state that each token decides how much to keep of.
 *
 *     Δ = softplus(dt + bias),   h[n] = exp(Δ[n] A) h[n − 1] + Δ[n] B[n] u[n],   y[n] = C[n]·h[n] + D u[n]
 *
 * The recurrence is scanned by doubling: pairs (keep, add) of neighbouring stretches are joined log₂ N times, which is
 * N log N work in few nodes and never divides. Causal; run it both ways for images.
 *
 * Gu and Dao, "Mamba", 2023, §3.2–3.3. arXiv:2312.00752
 */
import type { Graph, Value } from "../graph.ts";
import { bind } from "../shape.ts";

export interface Scan {
  readonly u: Value<"B C N">;
  readonly dt: Value<"B C N">;
  readonly A: Value<"C S">;
  readonly B: Value<"B S N">;
  readonly C: Value<"B S N">;
  /** What of the input goes past the state. */
  readonly D?: Value<"C"> | undefined;
  /** Added to `dt`. */
  readonly bias?: Value<"C"> | undefined;
  /** Gate: the result is times `silu(z)`. */
  readonly z?: Value<"B C N"> | undefined;
  /** bool: padding leaves the state as it is. */
  readonly valid?: Value<"B N"> | undefined;
}

export function selectiveScan(
  g: Graph,
  { u, dt, A, B: writes, C: reads, D, bias, z, valid }: Scan,
): { readonly y: Value<"B C N">; readonly state: Value<"B C S"> } {
  const { B, C, N, S } = bind("selectiveScan", { u, dt, A, B: writes, C: reads });
  const column = (x: Value<"C">) => g.reshape(x, "C N", [C, 1]);
  const raw = g.unary("softplus", bias ? g.add(dt, column(bias)) : dt);
  const step = valid ? g.where(g.reshape(valid, "B C N", [B, 1, N]), raw, 0) : raw;
  const wide = (x: Value<"B C N">) => g.reshape(x, "B C N S", [B, C, N, 1]);
  const along = (x: Value<"B S N">) =>
    g.reshape(g.rearrange(x, "B S N -> B N S"), "B C N S", [B, 1, N, S]);
  const keep = g.unary("exp", g.mul(wide(step), g.reshape(A, "B C N S", [1, C, 1, S])));
  const add = g.mul(wide(g.mul(step, u)), along(writes));
  const h = scanned(g, keep, add);
  const read = g.reshape(g.reduce("sum", g.mul(h, along(reads)), ["S"]), "B C N", [B, C, N]);
  const y = D ? g.add(read, g.mul(u, column(D))) : read;
  const state = g.reshape(g.slice(h, "N", N - 1, N), "B C S", [B, C, S]);
  return { y: z ? g.mul(y, g.unary("silu", z)) : y, state };
}

/** All h of `h[n] = keep[n] h[n − 1] + add[n]`, from h = 0. */
function scanned(g: Graph, keep: Value<"B C N S">, add: Value<"B C N S">): Value<"B C N S"> {
  const N = keep.shape[2] ?? 0;
  let [k, a] = [keep, add];
  for (let stride = 1; stride < N; stride *= 2) {
    const before = (x: Value<"B C N S">, fill: number) =>
      g.pad(g.slice(x, "N", 0, N - stride), "N", stride, 0, fill);
    a = g.add(g.mul(k, before(a, 0)), a);
    k = g.mul(k, before(k, 1));
  }
  return a;
}

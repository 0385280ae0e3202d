/**
 * Linformer: keys and values are summed up in K learned summaries of the whole sequence; cost N·K.
 *
 *     out = softmax(q (Pᵀ k)ᵀ / √D) (Rᵀ v)
 *
 * The sequence has a fixed longest length; shorter ones use the first rows. A hidden key adds nothing to the summaries.
 * Weights `proj_k`, `proj_v [length K]`, shared by all heads.
 *
 * Wang et al., "Linformer", 2020, §4. arXiv:2006.04768
 */
import type { Graph, Value } from "../graph.ts";
import type { Core } from "../operator.ts";
import { checkKeyMask, pairingInputs, pairingOf } from "../pairing.ts";
import { bind, ShapeError } from "../shape.ts";
import { softmaxRows } from "../softmax.ts";
import { computed, reader, sum } from "../tensor.ts";

export interface LinformerOptions {
  /** Longest sequence. */
  readonly length: number;
  /** K. */
  readonly summaries: number;
}

const name = "linformer";

export function linformer({ length, summaries }: LinformerOptions): Core {
  const check = (M: number) => {
    if (M > length)
      throw new ShapeError(`${name}: M must be at most ${length}, received ${M} in k`);
  };
  return {
    name,

    reference(q, k, v, pairing = {}, weights) {
      const { B, H, N, M, D, E } = bind(name, { q, k, v });
      checkKeyMask(name, [B, H, N, M], pairing);
      check(M);
      if (weights === undefined) throw new RangeError(`${name}: its reference needs weights`);
      const [P, R] = [reader(weights("proj_k")), reader(weights("proj_v"))];
      const [Q, K, V] = [reader(q), reader(k), reader(v)];
      const mask = pairing.mask ? reader(pairing.mask) : () => 1;
      const key = (b: number, h: number, s: number, d: number) =>
        sum(M, (m) => mask(b, h, 0, m) * P(m, s) * K(b, h, m, d));
      const value = (b: number, h: number, s: number, e: number) =>
        sum(M, (m) => mask(b, h, 0, m) * R(m, s) * V(b, h, m, e));
      const weight = softmaxRows(
        [B, H, N, summaries],
        {},
        (b, h, n, s) => sum(D, (d) => Q(b, h, n, d) * key(b, h, s, d)) / Math.sqrt(D),
      );
      return computed("B H N E", [B, H, N, E], (b, h, n, e) =>
        sum(summaries, (s) => weight(b, h, n, s) * value(b, h, s, e)),
      );
    },

    lower(g, q, k, v, pairing = {}) {
      const { B, H, N, M, D } = bind(name, { q, k, v });
      checkKeyMask(name, [B, H, N, M], pairing);
      check(M);
      const { inputs, takes } = pairingInputs(pairing);
      const all = [q, k, v, table(g, "proj_k"), table(g, "proj_v"), ...inputs] as const;
      return g.call(name, { takes }, all, (f, [Q, K, V, P, R, ...rest]) => {
        const { mask } = pairingOf(takes, rest);
        const keep = mask && f.rearrange(mask, "B H N M -> B H M N");
        const summed = <L extends string>(x: Value, by: Value<"M S">, layout: L) => {
          const rows = f.rearrange(f.slice(by, "M", 0, M), "M S -> S M");
          return f.matmul(rows, keep ? f.where(keep, x, 0) : x, layout);
        };
        const keys = f.rearrange(summed(K, P, "B H S D"), "B H S D -> B H D S");
        const scores = f.matmul(f.scale(Q, 1 / Math.sqrt(D)), keys, "B H N S");
        return f.matmul(f.softmax(scores), summed(V, R, "B H S E"), "B H N E");
      });
    },
  };

  function table(g: Graph, of: string): Value<"M S"> {
    const bound = 1 / Math.sqrt(summaries);
    return g.weight(of, "M S", [length, summaries], { kind: "uniform", bound });
  }
}

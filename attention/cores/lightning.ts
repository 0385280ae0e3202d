/**
 * Linear attention that fades with distance: no softmax, no features, cost linear in N.
 *
 *     out[n] = Σm λ_h^|n − m| (q[n]·k[m]) v[m],   m ≤ n, or all m where it looks both ways
 *
 * Done in blocks: inside a block with the scores of the block, across blocks with the sums of keys times
 * values; powers of λ are only ever taken of distances ≥ 0, so that nothing overflows. `λ_h = exp(−slope_h)`;
 * slope 0 is plain linear attention, which `normalise` divides by its total weight.
 *
 * Qin et al., "Lightning Attention-2", 2024, §3.2. arXiv:2401.04658; slopes as Press et al., "ALiBi", 2022, §3.
 * arXiv:2108.12409
 */
import type { Graph, Value } from "../graph.ts";
import type { Core } from "../operator.ts";
import { checkKeyMask, pairingInputs, pairingOf } from "../pairing.ts";
import { bind, ShapeError } from "../shape.ts";
import { computed, reader, sum } from "../tensor.ts";

export interface LightningOptions {
  /** How fast each head forgets. @default {@link alibiSlopes} */
  readonly slopes?: readonly number[];
  /** `"past"`: a query sees itself and what is before it. @default "both" */
  readonly sees?: "past" | "both";
  /** What queries are multiplied by. @default 1 */
  readonly scale?: number;
  /** Divides by the total weight plus this; no division where absent. */
  readonly normalise?: number;
}

const name = "lightning";
/** Tokens of a block: the scores of a block are 64 × 64. */
const BLOCK = 64;

export function lightning(options: LightningOptions = {}): Core {
  const { sees = "both", scale = 1, normalise } = options;
  return {
    name,

    reference(q, k, v, pairing = {}) {
      const { B, H, N, M, D, E } = bind(name, { q, k, v });
      checkKeyMask(name, [B, H, N, M], pairing);
      const slopes = slopesOf(options, H);
      checkSelf(N, M);
      const [Q, K, V] = [reader(q), reader(k), reader(v)];
      const mask = pairing.mask ? reader(pairing.mask) : () => 1;
      const weight = (b: number, h: number, n: number, m: number) =>
        (sees === "past" && m > n ? 0 : mask(b, h, 0, m)) *
        Math.exp(-(slopes[h] ?? 0) * Math.abs(n - m)) *
        scale *
        sum(D, (d) => Q(b, h, n, d) * K(b, h, m, d));
      return computed("B H N E", [B, H, N, E], (b, h, n, e) => {
        const total = normalise === undefined ? 1 : sum(M, (m) => weight(b, h, n, m)) + normalise;
        return sum(M, (m) => weight(b, h, n, m) * V(b, h, m, e)) / total;
      });
    },

    lower(g, q, k, v, pairing = {}) {
      const { B, H, N, M, E } = bind(name, { q, k, v });
      checkKeyMask(name, [B, H, N, M], pairing);
      const slopes = slopesOf(options, H);
      checkSelf(N, M);
      const { inputs, takes } = pairingInputs(pairing);
      const attributes = { slopes, sees, scale, takes, normalise: normalise ?? -1 };
      return g.call(name, attributes, [q, k, v, ...inputs], (f, [Q, K, V, ...rest]) => {
        const { mask } = pairingOf(takes, rest);
        const keys = mask ? f.where(f.rearrange(mask, "B H N M -> B H M N"), K, 0) : K;
        const queries = f.scale(Q, scale);
        if (normalise === undefined) return blocks(f, queries, keys, V, slopes, sees);
        const ones = f.constant("B H M E", [1, 1, 1, 1], Float32Array.of(1));
        const counted = f.concat([V, f.expand(ones, "B H M E", [B, H, M, 1])], "E");
        const both = blocks(f, queries, keys, counted, slopes, sees);
        const total = f.add(f.slice(both, "E", E, E + 1), normalise);
        return f.div(f.slice(both, "E", 0, E), total);
      });
    },
  };
}

/** ALiBi's slopes: 2^(−8 (h + 1) / H), and for other H than powers of two some of the next power between. */
export function alibiSlopes(heads: number): number[] {
  const whole = 2 ** Math.floor(Math.log2(heads));
  const slopes = Array.from({ length: whole }, (_, h) => 2 ** ((-8 * (h + 1)) / whole));
  if (whole === heads) return slopes;
  const between = alibiSlopes(2 * whole).filter((_, h) => h % 2 === 0);
  return [...slopes, ...between.slice(0, heads - whole)];
}

function slopesOf({ slopes }: LightningOptions, H: number): readonly number[] {
  const all = slopes ?? alibiSlopes(H);
  if (all.length === H) return all;
  throw new ShapeError(`${name}: H is ${H} in q but slopes are ${all.length}`);
}

function checkSelf(N: number, M: number): void {
  if (N !== M)
    throw new ShapeError(`${name}: N is ${N} in q but M is ${M} in k; both are one sequence`);
}

/** Powers of λ for every head: `exp(−slope · distance)`, or 0 where there is no distance. */
function powers(
  g: Graph,
  slopes: readonly number[],
  [rows, columns]: readonly [number, number],
  distance: (i: number, j: number) => number | undefined,
): Value<"H I J"> {
  const each = rows * columns;
  const data = Float32Array.from({ length: slopes.length * each }, (_, at) => {
    const far = distance(Math.floor((at % each) / columns), at % columns);
    return far === undefined ? 0 : Math.exp(-(slopes[Math.floor(at / each)] ?? 0) * far);
  });
  return g.constant("H I J", [slopes.length, rows, columns], data);
}

function blocks(
  g: Graph,
  q: Value<"B H N D">,
  k: Value<"B H M D">,
  v: Value<"B H M E">,
  slopes: readonly number[],
  sees: "past" | "both",
): Value<"B H N E"> {
  const [[B = 0, H = 0, N = 0, D = 0], E] = [q.shape, v.shape[3] ?? 0];
  const size = Math.min(BLOCK, N);
  const T = Math.ceil(N / size);
  const cut = <L extends string>(x: Value<L>, axis: string) =>
    g.rearrange(g.rename(g.pad(x, axis, 0, T * size - N), "B H N D"), "B H (T N) D -> B H T N D", {
      T,
    });
  const [Q, K, V] = [cut(q, "N"), cut(k, "M"), cut(v, "M")];
  const table = (
    [rows, columns]: readonly [number, number],
    far: (i: number, j: number) => number | undefined,
  ) => {
    const all = powers(g, slopes, [rows, columns], far);
    return g.reshape(all, "B H T N D", [1, H, 1, rows, columns]);
  };
  const near = table([size, size], (i, j) =>
    j <= i || sees === "both" ? Math.abs(i - j) : undefined,
  );
  const turned = g.rearrange(K, "B H T N D -> B H T D N");
  const scores = g.mul(g.matmul(Q, turned, "B H T N D"), near);
  const inside = g.matmul(scores, V, "B H T N E");
  /** What the blocks on one side say: keys fade to the block's edge, whole blocks, queries fade in. */
  const side = (isPast: boolean) => {
    const toEdge = (j: number) => (isPast ? size - 1 - j : j);
    const fromEdge = (i: number) => (isPast ? i + 1 : size - i);
    const faded = g.mul(
      turned,
      table([1, size], (_, j) => toEdge(j)),
    );
    const sums = g.reshape(g.matmul(faded, V, "B H T D E"), "B H T I", [B, H, T, D * E]);
    const carry = powers(g, slopes, [T, T], (t, s) => {
      const gap = isPast ? t - s - 1 : s - t - 1;
      return gap < 0 ? undefined : gap * size;
    });
    const state = g.reshape(g.matmul(carry, sums, "B H T I"), "B H T D E", [B, H, T, D, E]);
    const fade = table([size, 1], (i) => fromEdge(i));
    return g.matmul(g.mul(Q, fade), state, "B H T N E");
  };
  const past = T === 1 ? inside : g.add(inside, side(true));
  const all = sees === "both" && T > 1 ? g.add(past, side(false)) : past;
  return g.slice(g.rename(g.rearrange(all, "B H T N E -> B H (T N) E"), "B H N E"), "N", 0, N);
}

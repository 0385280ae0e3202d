/**
 * Native sparse attention: every query reads the whole sequence in summaries, a few blocks of it in full, and its own
 * neighbourhood; three gates say how much of each.
 *
 *     out = g_c attend(q, mean of blocks) + g_s attend(q, best blocks) + g_w attend(q, window)
 *
 * Blocks are chosen by the weights of the summaries, summed over the queries that share a key head; a query's own block is
 * always among them. A choice has no gradient: it is learned through the summaries. What is lowered here is the definition
 * (masks over all pairs, N² work); a kernel reads only what is chosen.
 *
 * Yuan et al., "Native Sparse Attention", 2025, §3. arXiv:2502.11089; blocks as flash-linear-attention has them
 */
import type { Graph, Value } from "../graph.ts";
import { shareHeads } from "../multi-head.ts";
import { isPast, maskOf } from "../pairing.ts";
import { shareOf } from "../projection.ts";
import { bind } from "../shape.ts";
import { maskedSoftmax } from "../softmax.ts";
import { dotProduct } from "./scaled-dot-product.ts";

export interface NativeSparseOptions {
  /** Tokens of a block. */
  readonly block: number;
  /** Blocks that a query reads in full. */
  readonly chosen: number;
  /** Tokens of the window, the query's own among them. */
  readonly window: number;
}

export interface NativeSparse {
  readonly out: Value<"B H N E">;
  /** The three answers before their gates. */
  readonly branches: readonly [
    summaries: Value<"B H N E">,
    blocks: Value<"B H N E">,
    window: Value<"B H N E">,
  ];
  /** Means of the blocks. */
  readonly summaries: { readonly k: Value<"B H T D">; readonly v: Value<"B H T D"> };
  /** int64, the best first: the blocks of every query, −1 for none. */
  readonly blocks: Value<"B H N K">;
}

const name = "nativeSparse";

/** Causal: no query sees the future. `k` and `v` may have fewer heads than `q`; gates are of every query head. */
export function nativeSparse(
  g: Graph,
  q: Value<"B H N D">,
  k: Value<"B G N D">,
  v: Value<"B G N D">,
  gates: readonly [Value<"B H N I">, Value<"B H N I">, Value<"B H N I">],
  { block, chosen, window }: NativeSparseOptions,
): NativeSparse {
  const { B, H, N, D, G } = bind(name, { q, k, v });
  const group = shareOf(name, "H", H, G);
  const T = Math.ceil(N / block);
  const mean = (x: Value<"B G N D">) => {
    const whole = g.pad(x, "N", 0, T * block - N);
    const apart = g.rearrange(whole, "B G (T P) D -> B G T P D", { T });
    return g.reshape(g.reduce("mean", apart, ["P"]), "B H T D", [B, G, T, D]);
  };
  const wide = (x: Value) => shareHeads(g, g.rename(x, "B H N D"), H);
  const summaries = { k: mean(k), v: mean(v) };
  const keys = g.rearrange(wide(summaries.k), "B H N D -> B H D N");
  const scores = g.matmul(g.scale(q, 1 / Math.sqrt(D)), keys, "B H N M");
  const isWhole = maskOf(g, [N, T], (n, t) => (t + 1) * block <= n + 1);
  const weights = maskedSoftmax(g, scores, { mask: isWhole });
  const isOwn = maskOf(g, [N, T], (n, t) => Math.floor(n / block) === t);
  const grouped = g.reshape(g.where(isOwn, 1, weights), "B G I N T", [B, G, group, N, T]);
  const worth = g.reshape(g.reduce("sum", grouped, ["I"]), "B H N T", [B, G, N, T]);
  const { values, indices } = g.topK(g.detach(worth), Math.min(chosen, T));
  const least = g.slice(values, "T", Math.min(chosen, T) - 1, Math.min(chosen, T));
  const isBest = g.unary("not", g.binary("less", g.detach(worth), least));
  const started = maskOf(g, [N, T], (n, t) => t * block <= n);
  const isRead = g.binary("and", g.rename(isBest, "B H N M"), started);
  const past = maskOf(g, [N, N], isPast(N, N));
  const blocksOf = g.constant(
    "N",
    [N],
    BigInt64Array.from({ length: N }, (_, n) => BigInt(Math.floor(n / block))),
  );
  const read = wideMask(g, g.gather(isRead, "M", blocksOf, "B H N M"), H);
  const near = maskOf(g, [N, N], (n, m) => m <= n && m > n - window);
  const core = dotProduct();
  const attend = (mask: Value<"B H N M">) =>
    core.lower(g, q, g.rename(wide(k), "B H M D"), g.rename(wide(v), "B H M E"), { mask });
  const branches = [
    g.matmul(weights, wide(summaries.v), "B H N E"),
    attend(g.binary("and", read, past)),
    attend(near),
  ] as const;
  const [a, b, c] = branches.map((branch, i) => g.mul(branch, gates[i] ?? 1)) as [
    Value<"B H N E">,
    Value<"B H N E">,
    Value<"B H N E">,
  ];
  return {
    out: g.add(g.add(a, b), c),
    branches,
    summaries,
    blocks: g.rename(withoutEmpty(g, indices, N, block), "B H N K"),
  };
}

/** A mask of key heads for all query heads. */
function wideMask(g: Graph, mask: Value<"B H N M">, H: number): Value<"B H N M"> {
  const all = shareHeads(g, g.rename(g.cast(mask, "float32"), "B H N D"), H);
  return g.rename(g.cast(all, "bool"), "B H N M");
}

/** −1 for blocks that have not begun. */
function withoutEmpty(g: Graph, indices: Value, N: number, block: number): Value {
  const own = Float32Array.from({ length: N }, (_, n) => Math.floor(n / block));
  const chosen = g.cast(indices, "float32");
  const isLater = g.binary("greater", chosen, g.constant("N K", [N, 1], own));
  return g.cast(g.where(isLater, -1, chosen), "int64");
}

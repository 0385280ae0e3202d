/**
 * Multi-head attention over any core: projections to heads, the core, a projection back.
 *
 * Queries of `heads` heads may share the keys and values of fewer (`keyHeads`): query head `h` uses key head
 * `⌊h · keyHeads / heads⌋`, so that groups are contiguous; 1 is multi-query attention.
 *
 * Vaswani et al. 2017, arXiv:1706.03762; Shazeer 2019, arXiv:1911.02150 (multi-query);
 * Ainslie et al. 2023, arXiv:2305.13245 (grouped queries).
 */
import type { Graph, Value } from "./graph.ts";
import { rmsNorm } from "./norm.ts";
import type { Core, Grid, Mixer, Near, Pairs } from "./operator.ts";
import { both, keyPadding } from "./pairing.ts";
import { ONE, project, shareOf, ZERO } from "./projection.ts";
import type { ProjectionOptions } from "./projection.ts";
import { bind } from "./shape.ts";

/** Turns queries and keys by where their tokens lie; see `position/rotary.ts`. */
export type Rotate = (
  g: Graph,
  heads: Value<"B H N D">,
  grid: Pick<Grid, "rows" | "columns">,
) => Value<"B H N D">;

/** What a place adds to the scores; see `position/relative-bias.ts`. `q` are the unscaled queries. */
export type PlaceBias = (
  g: Graph,
  q: Value<"B H N D">,
  grid: Pick<Grid, "rows" | "columns">,
) => Value<"B H N M">;

export interface MultiHeadOptions {
  readonly heads: number;
  /** Heads of keys and values; divides `heads`. @default heads */
  readonly keyHeads?: number;
  /** Channels of a query or key of one head. @default C / heads */
  readonly headChannels?: number;
  /** Channels of a value of one head. @default headChannels */
  readonly valueChannels?: number;
  /**
   * `"packed"`: one matrix `qkv` with rows of all queries, then keys, then values (timm's `qkv` and PyTorch's
   * `in_proj`; cross-attention packs `kv`). @default "separate": `q`, `k`, `v`
   */
  readonly projections?: "separate" | "packed";
  /** Biases of the projections to heads. @default true */
  readonly bias?: boolean;
  /** Bias of the projection back. @default true */
  readonly outBias?: boolean;
  /** Start of the projection back; zeros make a residual around it the identity. */
  readonly outInit?: ProjectionOptions["init"];
  /** Norm of queries and keys in every head (`q_norm`, `k_norm`). @default "none" */
  readonly headNorm?: "none" | "layer" | "rms";
  /** @default 1e-5 */
  readonly headNormEps?: number;
  readonly rotate?: Rotate;
  readonly place?: PlaceBias;
  /** Lets every query see only the keys near it. */
  readonly near?: Near;
  /** What is known of pairs in advance, as a causal mask. */
  readonly pairing?: (g: Graph, N: number, M: number) => Pairs;
}

const name = "multiHead";

/** Self-attention over the tokens of a grid. */
export function multiHead(core: Core, options: MultiHeadOptions): Mixer {
  return (g, tokens, grid) => {
    const { N } = bind(name, { tokens });
    const heads = normalised(g, options, projectSelf(g, tokens, core, options));
    const turn = (x: Value<"B H N D">) => (options.rotate ? options.rotate(g, x, grid) : x);
    const [q, k] = [turn(heads.q), turn(heads.k)];
    const place = options.place && { bias: options.place(g, merged(g, q, core), grid) };
    const valid = grid.valid && { mask: keyPadding(g, g.rename(grid.valid, "B M")) };
    const known = [options.pairing?.(g, N, N), place, valid, grid.pairing];
    const pairs = known.reduce<Pairs>((a, b) => both(g, a, b), {});
    const near = options.near ? options.near(core, grid) : core;
    return output(g, tokens, attend(g, near, { q, k, v: heads.v }, pairs), options);
  };
}

/** Queries of one sequence over keys and values of another, each with its own number of channels. */
export type Cross = (
  g: Graph,
  queries: Value<"B N C">,
  keys: Value<"B M E">,
  values?: Value<"B M F">,
  pairing?: Pairs,
) => Value<"B N C">;

/** Cross-attention; `values` are the keys' own tokens where none are given. */
export function multiHeadCross(core: Core, options: MultiHeadOptions): Cross {
  return (g, queries, keys, values, pairing = {}) => {
    const { N, M } = bind(name, { queries, keys, values: values ?? keys });
    const heads = normalised(g, options, projectCross(g, queries, keys, values, core, options));
    const pairs = both(g, options.pairing?.(g, N, M), pairing);
    return output(g, queries, attend(g, core, heads, pairs), options);
  };
}

/** Projected heads: `maps` queries and keys of a head are still apart (`H` counts them all). */
interface Heads {
  readonly q: Value<"B H N D">;
  readonly k: Value<"B H N D">;
  readonly v: Value<"B H N D">;
}

interface Widths {
  readonly maps: number;
  readonly keyHeads: number;
  /** Channels of one map, and of one value. */
  readonly D: number;
  readonly E: number;
}

function widths(C: number, { maps = 1 }: Core, options: MultiHeadOptions): Widths {
  const { heads, keyHeads = heads } = options;
  shareOf(name, "heads", heads, keyHeads);
  const headChannels = options.headChannels ?? shareOf(name, "C", C, heads);
  const D = shareOf(name, "headChannels", headChannels, maps);
  return { maps, keyHeads, D, E: options.valueChannels ?? headChannels };
}

function projectSelf(g: Graph, x: Value<"B N C">, core: Core, options: MultiHeadOptions): Heads {
  if (options.projections !== "packed") return projectCross(g, x, x, undefined, core, options);
  const { heads, bias } = options;
  const { maps, keyHeads, D, E } = widths(x.shape[2] ?? 0, core, options);
  const [Q, K, V] = [heads * maps * D, keyHeads * maps * D, keyHeads * E];
  const all = project(g, "qkv", x, "B N C", Q + K + V, { bias });
  const part = (from: number, to: number, size: number) =>
    split(g, g.slice(all, "C", from, to), size);
  return { q: part(0, Q, D), k: part(Q, Q + K, D), v: part(Q + K, Q + K + V, E) };
}

function projectCross(
  g: Graph,
  queries: Value<"B N C">,
  keys: Value,
  values: Value | undefined,
  core: Core,
  options: MultiHeadOptions,
): Heads {
  const { heads, bias } = options;
  const { maps, keyHeads, D, E } = widths(queries.shape[2] ?? 0, core, options);
  const [K, V] = [keyHeads * maps * D, keyHeads * E];
  const q = split(g, project(g, "q", queries, "B N C", heads * maps * D, { bias }), D);
  if (options.projections === "packed" && values === undefined) {
    const kv = project(g, "kv", keys, "B N C", K + V, { bias });
    const [k, v] = [g.slice(kv, "C", 0, K), g.slice(kv, "C", K, K + V)];
    return { q, k: split(g, k, D), v: split(g, v, E) };
  }
  const k = project(g, "k", keys, "B N C", K, { bias });
  const v = project(g, "v", values ?? keys, "B N C", V, { bias });
  return { q, k: split(g, k, D), v: split(g, v, E) };
}

const split = (g: Graph, x: Value<"B N C">, D: number): Value<"B H N D"> =>
  g.rearrange(x, "B N (H D) -> B H N D", { D });

function normalised(g: Graph, options: MultiHeadOptions, heads: Heads): Heads {
  const { headNorm = "none", headNormEps = 1e-5 } = options;
  if (headNorm === "none") return heads;
  const norm = (scope: Graph, x: Value<"B H N D">) => {
    const D = x.shape[3] ?? 0;
    const scale = scope.weight("weight", "D", [D], ONE);
    if (headNorm === "rms") return rmsNorm(scope, x, scale, headNormEps);
    return scope.layerNorm(x, scale, scope.weight("bias", "D", [D], ZERO), headNormEps);
  };
  return { q: norm(g.at("q_norm"), heads.q), k: norm(g.at("k_norm"), heads.k), v: heads.v };
}

/** Gives every query head its keys and values, and runs the core. */
function attend(g: Graph, core: Core, { q, k, v }: Heads, pairs: Pairs): Value<"B H N E"> {
  const heads = (q.shape[1] ?? 0) / (core.maps ?? 1);
  return core.lower(
    g,
    merged(g, q, core),
    g.rename(merged(g, shareHeads(g, k, q.shape[1] ?? 0), core), "B H M D"),
    g.rename(shareHeads(g, v, heads), "B H M E"),
    pairs,
  );
}

/** Repeats every head until there are `heads`: neighbours share one, as grouped queries do. */
export function shareHeads(g: Graph, x: Value<"B H N D">, heads: number): Value<"B H N D"> {
  const [B = 0, G = 0, N = 0, D = 0] = x.shape;
  if (G === heads) return x;
  const apart = g.reshape(x, "B G I N D", [B, G, 1, N, D]);
  const wide = g.expand(apart, "B G R N D", [B, G, heads / G, N, D]);
  return g.reshape(wide, "B H N D", [B, heads, N, D]);
}

/** Lays the maps of one head side by side. */
function merged(g: Graph, x: Value<"B H N D">, { maps = 1 }: Core): Value<"B H N D"> {
  if (maps === 1) return x;
  return g.rename(g.rearrange(x, "B (H S) N D -> B H N (S D)", { S: maps }), "B H N D");
}

function output(
  g: Graph,
  like: Value<"B N C">,
  mixed: Value<"B H N E">,
  options: MultiHeadOptions,
) {
  const joined = g.rearrange(mixed, "B H N E -> B N (H E)");
  const { outBias: bias, outInit: init } = options;
  return project(g, "proj", joined, "B N C", like.shape[2] ?? 0, { bias, init });
}

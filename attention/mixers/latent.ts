/**
 * Multi-head latent attention: keys and values of all heads come out of one narrow vector a token, so that little has to
 * be kept; a few rotary channels carry the place, one key of them for all heads.
 *
 *     c = norm(W x),  [kₕ vₕ] = Wₕ c,  score = (qₕ·kₕ + rot(rₕ)·rot(r)) / √(nope + rope)
 *
 * `"absorbed"` multiplies W into the queries and works on `c` itself: the same result without keys or values.
 * Weights `wq_a`, `q_norm`, `wq_b` (or `wq`), `wkv_a`, `kv_norm`, `wkv_b`, `wo`.
 *
 * DeepSeek-AI, "DeepSeek-V2", 2024, §2.1. arXiv:2405.04434
 */
import { dotProduct } from "../cores/scaled-dot-product.ts";
import type { Graph, Value } from "../graph.ts";
import { rmsNorm } from "../norm.ts";
import type { Mixer, Pairs } from "../operator.ts";
import { both, keyPadding } from "../pairing.ts";
import { ONE, project } from "../projection.ts";
import { rotary } from "../position/rotary.ts";
import type { RotaryOptions } from "../position/rotary.ts";
import { bind } from "../shape.ts";

export interface LatentOptions {
  readonly heads: number;
  /** Channels of the narrow vectors; `queryRank` 0 projects queries directly. */
  readonly queryRank: number;
  readonly rank: number;
  /** Channels of a head without and with a place, and of its values. */
  readonly nope: number;
  readonly rope: number;
  readonly valueChannels: number;
  /** @default "naive" */
  readonly form?: "naive" | "absorbed";
  readonly rotary?: RotaryOptions;
  readonly pairing?: (g: Graph, N: number) => Pairs;
}

const EPS = 1e-6;

export function latent(options: LatentOptions): Mixer {
  return (g, tokens, grid) => {
    const { N, C } = bind("latent", { tokens });
    const { compressed, place } = latentCache(g, tokens, grid, options);
    const { nope, rope, heads } = options;
    const q = g.rearrange(queries(g, tokens, options), "B N (H D) -> B H N D", { H: heads });
    const turn = rotary(options.rotary);
    const plain = g.slice(q, "D", 0, nope);
    const placed = turn(g, g.slice(q, "D", nope, nope + rope), grid);
    const valid = grid.valid && { mask: keyPadding(g, g.rename(grid.valid, "B M")) };
    const pairs = [options.pairing?.(g, N), valid, grid.pairing].reduce<Pairs>(
      (a, b) => both(g, a, b),
      {},
    );
    const attend = options.form === "absorbed" ? absorbed : naive;
    const mixed = attend(g, { plain, placed, compressed, place }, options, pairs);
    const joined = g.rearrange(mixed, "B H N E -> B N (H E)");
    return project(g, "wo", joined, "B N C", C, { bias: false });
  };
}

/** What has to be kept of every token: the narrow vector and the turned key of the place. */
export function latentCache(
  g: Graph,
  tokens: Value<"B N C">,
  grid: Parameters<Mixer>[2],
  { rank, rope, rotary: turning }: LatentOptions,
): { readonly compressed: Value<"B N C">; readonly place: Value<"B H N D"> } {
  const { B, N } = bind("latent", { tokens });
  const both = project(g, "wkv_a", tokens, "B N C", rank + rope, { bias: false });
  const scale = g.at("kv_norm").weight("weight", "C", [rank], ONE);
  const key = g.reshape(g.slice(both, "C", rank, rank + rope), "B H N D", [B, 1, N, rope]);
  return {
    compressed: rmsNorm(g, g.slice(both, "C", 0, rank), scale, EPS),
    place: rotary(turning)(g, key, grid),
  };
}

function queries(g: Graph, x: Value<"B N C">, options: LatentOptions): Value<"B N C"> {
  const { heads, queryRank, nope, rope } = options;
  const wide = heads * (nope + rope);
  if (queryRank === 0) return project(g, "wq", x, "B N C", wide, { bias: false });
  const narrow = project(g, "wq_a", x, "B N C", queryRank, { bias: false });
  const scale = g.at("q_norm").weight("weight", "C", [queryRank], ONE);
  return project(g, "wq_b", rmsNorm(g, narrow, scale, EPS), "B N C", wide, { bias: false });
}

interface Parts {
  readonly plain: Value<"B H N D">;
  readonly placed: Value<"B H N D">;
  readonly compressed: Value<"B N C">;
  readonly place: Value<"B H N D">;
}

/** W of `[k v] = W c`, a head each: `[H nope C]` and `[H value C]`. */
function expansion(g: Graph, { heads, nope, valueChannels, rank }: LatentOptions) {
  const rows = heads * (nope + valueChannels);
  const scope = g.at("wkv_b");
  const all = scope.weight("weight", "O C", [rows, rank], { kind: "normal", std: 0.02 });
  const apart = g.rearrange(all, "(H D) C -> H D C", { H: heads });
  return {
    keys: g.slice(apart, "D", 0, nope),
    values: g.slice(apart, "D", nope, nope + valueChannels),
  };
}

function naive(g: Graph, parts: Parts, options: LatentOptions, pairs: Pairs): Value<"B H N E"> {
  const { plain, placed, compressed, place } = parts;
  const { keys, values } = expansion(g, options);
  const [B = 0, H = 0, N = 0] = plain.shape;
  const narrow = g.reshape(compressed, "B H N C", [B, 1, N, options.rank]);
  const k = g.matmul(narrow, g.rearrange(keys, "H D C -> H C D"), "B H N D");
  const v = g.matmul(narrow, g.rearrange(values, "H D C -> H C D"), "B H M E");
  const shared = g.expand(place, "B H N D", [B, H, N, options.rope]);
  const scale = 1 / Math.sqrt(options.nope + options.rope);
  const q = g.concat([plain, placed], "D");
  const all = g.rename(g.concat([k, shared], "D"), "B H M D");
  return dotProduct({ scale }).lower(g, q, all, v, pairs);
}

function absorbed(g: Graph, parts: Parts, options: LatentOptions, pairs: Pairs): Value<"B H N E"> {
  const { plain, placed, compressed, place } = parts;
  const { keys, values } = expansion(g, options);
  const [B = 0, H = 0, N = 0] = plain.shape;
  const narrow = g.reshape(compressed, "B H N C", [B, 1, N, options.rank]);
  const every = g.expand(narrow, "B H N C", [B, H, N, options.rank]);
  const shared = g.expand(place, "B H N C", [B, H, N, options.rope]);
  const asked = g.matmul(plain, keys, "B H N D");
  const scale = 1 / Math.sqrt(options.nope + options.rope);
  const all = g.rename(g.concat([every, shared], "C"), "B H M D");
  const q = g.concat([asked, placed], "D");
  const heard = dotProduct({ scale }).lower(g, q, all, g.rename(every, "B H M E"), pairs);
  return g.matmul(heard, g.rearrange(values, "H D C -> H C D"), "B H N E");
}

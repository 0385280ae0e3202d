/** Scaled dot-product attention: FlashAttention's reference, PyTorch's and timm's multi-head modules. */
import {
  band,
  causal,
  isPast,
  keyPadding,
  logSumExp,
  maskOf,
  multiHead,
  multiHeadCross,
  partial,
  project,
  scaledDotProduct,
  shareHeads,
  ZERO,
} from "../../../attention/index.ts";
import type { Core, Graph, Pairs, Value } from "../../../attention/index.ts";
import { numberOf, shapeOf } from "../case.ts";
import type { Case } from "../case.ts";
import type { Alias, Desk, Row } from "../row.ts";

/** A row of tokens. */
const line = (N: number) => ({ rows: 1, columns: N });

/** The core, and the weights that it gave: its answer for unit vectors as values. */
export function watched(core: Core): { readonly core: Core; readonly weights: () => Value } {
  let seen: Value | undefined;
  const lower: Core["lower"] = (g, q, k, v, pairing) => {
    const [B = 0, H = 0, M = 0] = k.shape;
    seen = core.lower(g, q, k, units(g, B, H, M), pairing);
    return core.lower(g, q, k, v, pairing);
  };
  return {
    core: { ...core, lower },
    weights: () => {
      if (seen === undefined) throw new RangeError("watched: the core was never lowered");
      return seen;
    },
  };
}

function units(g: Graph, B: number, H: number, M: number): Value<"B H M E"> {
  const unit = Float32Array.from({ length: M * M }, (_, i) => (i % (M + 1) === 0 ? 1 : 0));
  return g.expand(g.constant("B H M E", [1, 1, M, M], unit), "B H M E", [B, H, M, M]);
}

/** `flash_*`: tokens before heads, grouped heads, causal to the bottom right, windows `[before, after]`. */
function flash({ c, g, input }: Desk): Record<string, Value> {
  const heads = (x: Value<"B N H D">) => g.rearrange(x, "B N H D -> B H N D");
  const q = heads(input("q", "B N H D"));
  const H = q.shape[1] ?? 0;
  const [k, v] = [heads(input("k", "B N H D")), heads(input("v", "B N H D"))].map((x) =>
    shareHeads(g, x, H),
  ) as [Value<"B H N D">, Value<"B H N D">];
  const [N, M] = [q.shape[2] ?? 0, k.shape[2] ?? 0];
  const [before = -1, after = -1] = JSON.parse(c.meta["window"] ?? "[-1,-1]") as number[];
  const isCausal = c.meta["causal"]?.toLowerCase() === "true";
  const sees = (n: number, m: number) =>
    (!isCausal || isPast(N, M)(n, m)) &&
    (before < 0 || m >= n + M - N - before) &&
    (after < 0 || m <= n + M - N + after);
  const slides = before >= 0 && N === M;
  const near = band({ before, after: isCausal ? 0 : after });
  const core = slides ? near(scaledDotProduct, line(N)) : scaledDotProduct;
  const keys = g.rename(k, "B H M D");
  const pairs: Pairs = { mask: maskOf(g, [N, M], sees) };
  const values = g.rename(v, "B H M E");
  const used = slides || (!isCausal && before < 0 && after < 0) ? {} : pairs;
  const out = core.lower(g, q, keys, values, used);
  return {
    o: g.rearrange(out, "B H N E -> B N H E"),
    lse: logSumExp(g, partial(g, q, keys, values, pairs)),
  };
}

/**
 * PyTorch's `MultiheadAttention` under `scope`: `in_proj` holds queries, keys and values one above the other;
 * where keys have other channels than queries, only its bias does.
 */
export const torchNames =
  (c: Case, scope = ""): Alias =>
  (name, g) => {
    const [, part = "", kind = ""] = /([a-z]+)\.(weight|bias)$/.exec(name) ?? [];
    if (part === "qkv") return `${scope}in_proj_${kind}`;
    if (part === "proj") return `${scope}out_proj.${kind}`;
    const packed = c.tensors.get(`w.${scope}in_proj_${kind}`);
    if (packed === undefined) return `${scope}${part}_proj_${kind}`;
    const layout = kind === "weight" ? "O I" : "O";
    const whole = g.weight(`${scope}in_proj_${kind}`, layout, packed.shape, ZERO);
    const [each, at] = [(packed.shape[0] ?? 0) / 3, "qkv".indexOf(part)];
    return g.slice<string>(whole, "O", at * each, (at + 1) * each);
  };

/** `mha_*`: results and the weights of every head. */
function torchMultiHead({ c, named, input }: Desk): Record<string, Value> {
  const g = named(torchNames(c));
  const heads = c.tensors.get("out.w")?.shape[1] ?? numberOf(c, "heads");
  const { core, weights } = watched(scaledDotProduct);
  const given = (name: string) => c.tensors.has(`in.${name}`);
  if (given("x")) {
    const x = input("x", "B N C");
    const pairing = (f: Graph, N: number) =>
      c.name.includes("causal") ? { mask: causal(f, N) } : {};
    const mixer = multiHead(core, { heads, projections: "packed", pairing });
    return { y: mixer(g, x, line(x.shape[1] ?? 0)), w: weights() };
  }
  const [queries, keys] = [input("q", "B N C"), input(given("kv") ? "kv" : "k", "B M E")];
  const values = given("v") ? input("v", "B M F") : undefined;
  const mask = given("key_padding_ignore")
    ? keyPadding(g, g.unary("not", input("key_padding_ignore", "B M")))
    : undefined;
  const y = multiHeadCross(core, { heads })(g, queries, keys, values, { mask });
  return { y, w: weights() };
}

/** `vit_attention*`: timm's attention. */
function timmAttention({ c, g, input }: Desk): Record<string, Value> {
  const x = input("x", "B N C");
  const [, N = 0, C = 0] = x.shape;
  const norm = c.tensors.get("w.q_norm.weight")?.shape[0];
  const keep = c.tensors.has("in.key_keep_mask") ? input("key_keep_mask", "B H N M") : undefined;
  const mixer = multiHead(scaledDotProduct, {
    heads: norm === undefined ? numberOf(c, "heads", 3) : C / norm,
    projections: "packed",
    bias: c.tensors.has("w.qkv.bias"),
    headNorm: norm === undefined ? "none" : "layer",
  });
  return { y: mixer(g, x, { ...line(N), pairing: { mask: keep } }) };
}

/** `cross_attention_pool_latent`: learned queries over tokens, then an MLP; the first query is the result. */
function latentPool({ c, g, input }: Desk): Record<string, Value> {
  const x = input("x", "B N C");
  const [B = 0, , C = 0] = x.shape;
  const [, L = 0] = shapeOf(c, "w.latent");
  const latent = g.expand(g.weight("latent", "B N C", [1, L, C], ZERO), "B N C", [B, L, C]);
  const heads = numberOf(c, "heads", 3);
  const cross = multiHeadCross(scaledDotProduct, { heads, projections: "packed" });
  const pooled = cross(g, latent, g.rename(x, "B M E"));
  const wide = shapeOf(c, "w.mlp.fc1.weight")[0] ?? 0;
  const hidden = g.unary("gelu", project(g.at("mlp"), "fc1", pooled, "B N C", wide));
  const y = g.add(pooled, project(g.at("mlp"), "fc2", hidden, "B N C", C));
  return { y: g.reshape(g.slice(y, "N", 0, 1), "B C", [B, C]) };
}

export const DOT_PRODUCT: readonly Row[] = [
  { prefix: "flash_", build: flash },
  { prefix: "mha_", build: torchMultiHead },
  { prefix: "vit_attention", build: timmAttention },
  { prefix: "cross_attention_pool_latent", build: latentPool },
];

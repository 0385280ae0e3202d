/** Cores other than scaled dot product. */
import {
  alibiSlopes,
  band,
  differential,
  dotProduct,
  entmax,
  keyPadding,
  lightning,
  linear,
  maskOf,
  isPast,
  multiHead,
  performer,
  performerFeatures,
  sparse,
  sparseWeights,
  turned,
} from "../../../attention/index.ts";
import type { Graph, SparseActivation, Value } from "../../../attention/index.ts";
import { numberOf, shapeOf } from "../case.ts";
import { prefixes } from "../row.ts";
import type { Desk, Row } from "../row.ts";
import { watched } from "./dot-product.ts";

const heads = (g: Graph, x: Value<"B N H D">) => g.rearrange(x, "B N H D -> B H N D");
const tokens = (g: Graph, x: Value<"B H N E">) => g.rearrange(x, "B H N E -> B N H E");

/** Queries, keys and values whose heads come after their tokens. */
function tokenFirst({ g, input }: Desk) {
  const of = (name: string) => heads(g, input(name, "B N H D"));
  return {
    q: of("q"),
    k: g.rename(of("k"), "B H M D"),
    v: g.rename(of("v"), "B H M E"),
  };
}

/** `diffattn_*`: the published module; rotary tables are inputs of the case. */
function differentialModule({ c, named, input, literal }: Desk): Record<string, Value> {
  const g = named(
    prefixes({ "q.": "q_proj.", "k.": "k_proj.", "v.": "v_proj.", "proj.": "out_proj." }),
  );
  const x = input("x", "B N C");
  const [N, D] = [x.shape[1] ?? 0, numberOf(c, "head_dim")];
  const table = { cos: literal("cos", "N D"), sin: literal("sin", "N D") };
  const isRotary = !c.name.includes("norotary");
  const mixer = multiHead(differential({ depth: numberOf(c, "depth_index") }), {
    heads: numberOf(c, "heads"),
    keyHeads: (shapeOf(c, "w.k_proj.weight")[0] ?? 0) / (2 * D),
    bias: false,
    outBias: false,
    rotate: (f, heads) => (isRotary ? turned(f, heads, table) : heads),
    pairing: (f) => (c.name.includes("causal") ? { mask: maskOf(f, [N, N], isPast(N, N)) } : {}),
  });
  return { y: mixer(g, x, { rows: 1, columns: N }) };
}

/** `linear_attention_elu_noncausal*`, with padded keys. */
function linearModule(desk: Desk): Record<string, Value> {
  const { c, g, input } = desk;
  const { q, k, v } = tokenFirst(desk);
  const keep = c.tensors.has("in.key_keep") ? input("key_keep", "B M") : undefined;
  const mask = keep && keyPadding(g, g.cast(keep, "bool"));
  return { o: tokens(g, linear.lower(g, q, k, v, { mask })) };
}

/** `fla_linear_attn_normalized_causal*`: tokens first; no decay, but divided by the total weight. */
function linearCausal(desk: Desk): Record<string, Value> {
  const { q, k, v } = tokenFirst(desk);
  const [, H = 0, , D = 1] = q.shape;
  const core = lightning({
    slopes: Array.from({ length: H }, () => 0),
    sees: "past",
    scale: D ** -0.5,
    normalise: 1e-10,
  });
  return { o: tokens(desk.g, core.lower(desk.g, q, k, v)) };
}

/** `lightning2_*`: heads first; slopes are an input of the case. */
function lightningModule({ c, g, input }: Desk): Record<string, Value> {
  const [q, k, v] = [input("q", "B H N D"), input("k", "B H M D"), input("v", "B H M E")];
  const told = c.tensors.get("in.slopes")?.data;
  const H = q.shape[1] ?? 0;
  const none = Array.from({ length: H }, () => 0);
  const slopes = told ? [...told] : c.name.includes("nodecay") ? none : alibiSlopes(H);
  return { o: lightning({ slopes, sees: "past" }).lower(g, q, k, v) };
}

/** `alibi_slopes`: an output for every number of heads. */
function slopes({ c, g }: Desk): Record<string, Value> {
  const counts = [...c.tensors.keys()].flatMap((name) => /^out\.h(\d+)$/.exec(name)?.[1] ?? []);
  return Object.fromEntries(
    counts.map((H) => [
      `h${H}`,
      g.constant("H", [Number(H)], Float32Array.from(alibiSlopes(Number(H)))),
    ]),
  );
}

/** `act_*`: the activation alone. */
function activation({ c, g, input }: Desk): Record<string, Value> {
  const z = input("z", "I K");
  const kind = c.name.replace("act_", "").split("_")[0];
  const alpha = /^act_entmax_bisect_(\d+)p(\d+)/.exec(c.name);
  if (alpha) return { p: entmax(g, z, Number(`${alpha[1]}.${alpha[2]}`)) };
  if (kind === "softmax") return { p: g.softmax(z) };
  if (kind === "sparsemax" || kind === "entmax15")
    return { p: sparseWeights(g, z, kind as SparseActivation) };
  throw new RangeError(`${c.name}: has no activation of that name`);
}

/** `sparsemax_attention*`: scores times a scale of the description. */
function sparseModule({ c, g, input }: Desk): Record<string, Value> {
  const [q, k, v] = [input("q", "B H N D"), input("k", "B H M D"), input("v", "B H M E")];
  const told = Number.parseFloat(/\((\d+(\.\d+)?)\*/.exec(c.meta["op"] ?? "")?.[1] ?? "1");
  const { core, weights } = watched(sparse({ scale: told / Math.sqrt(q.shape[3] ?? 1) }));
  return { o: core.lower(g, q, k, v), p: weights() };
}

/** `performer_favor_noncausal*` and `performer_relu_generalized*`. */
function performerModule({ c, g, input }: Desk): Record<string, Value> {
  const [q, k, v] = [input("q", "B H N D"), input("k", "B H M D"), input("v", "B H M E")];
  const projection = c.tensors.get("w.projection");
  const kernel = c.name.includes("relu") ? "relu" : "softmax";
  if (projection === undefined) return { o: performer({ kernel }).lower(g, q, k, v) };
  const omega = g.buffer("projection", "F D", projection.shape, projection.data);
  return {
    o: performer({ features: projection.shape[0] ?? 0, kernel }).lower(g, q, k, v),
    phi_q: performerFeatures(g, q, omega, ["F"], kernel),
    phi_k: performerFeatures(g, k, omega, ["M", "F"], kernel),
  };
}

/** `longformer_sliding_window_w<side>`: scores are not scaled. */
function longformer(desk: Desk): Record<string, Value> {
  const { c, g } = desk;
  const { q, k, v } = tokenFirst(desk);
  const side = Number(/_w(\d+)/.exec(c.name)?.[1]);
  const near = band({ before: side, after: side });
  const core = near(dotProduct({ scale: 1 }), { rows: 1, columns: q.shape[2] ?? 0 });
  return { o: tokens(g, core.lower(g, q, k, v)), band_scores: bandScores(g, q, k, side) };
}

/** Scores laid out by distance, `2 side + 1` columns; −1e30 where there is no key. */
function bandScores(g: Graph, q: Value<"B H N D">, k: Value<"B H M D">, side: number): Value {
  const [B = 0, H = 0, N = 0] = q.shape;
  const scores = g.matmul(q, g.rearrange(k, "B H M D -> B H D M"), "B H N M");
  const flat = g.reshape(scores, "B H I", [B, H, N * N]);
  const width = 2 * side + 1;
  const key = (at: number) => Math.floor(at / width) + (at % width) - side;
  const exists = (at: number) => key(at) >= 0 && key(at) < N;
  const index = BigInt64Array.from({ length: N * width }, (_, at) =>
    BigInt(Math.floor(at / width) * N + (exists(at) ? key(at) : 0)),
  );
  const picked = g.gather(flat, "I", g.constant("I", [N * width], index), "B H I");
  const mask = Uint8Array.from({ length: N * width }, (_, at) => (exists(at) ? 1 : 0));
  const seen = g.where(g.constant("I", [N * width], mask), picked, -1e30);
  return g.rearrange(seen, "B H (N W) -> B N H W", { N });
}

export const CORES: readonly Row[] = [
  { prefix: "diffattn_", build: differentialModule },
  { prefix: "linear_attention_elu_noncausal", build: linearModule },
  { prefix: "fla_linear_attn_normalized_causal", build: linearCausal },
  { prefix: "lightning2_", build: lightningModule },
  { prefix: "alibi_slopes", build: slopes },
  { prefix: "act_", build: activation },
  { prefix: "sparsemax_attention", build: sparseModule },
  { prefix: "performer_favor_noncausal", build: performerModule },
  { prefix: "performer_relu", build: performerModule },
  { prefix: "longformer_sliding_window", build: longformer },
];

/** Attention from before transformers, and mixers with projections of their own. */
import {
  bigBird,
  causal,
  deformable,
  encodeSentence,
  finish,
  latent,
  latentCache,
  linformer,
  localAttention,
  luong,
  merge,
  multiHead,
  nativeSparse,
  partial,
  pool,
  readMemory,
  reinforceLoss,
  scaledDotProduct,
  selectiveScan,
  ZERO,
} from "../../../attention/index.ts";
import type { Graph, LatentOptions, Value } from "../../../attention/index.ts";
import { buildGraph, gradient, gradientName } from "../../../models/index.ts";
import { runNative } from "../../onnxruntime.ts";
import { numberOf, shapeOf, tensorOf } from "../case.ts";
import type { Case } from "../case.ts";
import { prefixes } from "../row.ts";
import type { Desk, Row } from "../row.ts";

const weight = <const L extends string>({ c, g }: Desk, name: string, layout: L): Value<L> =>
  g.weight(name, layout, shapeOf(c, `w.${name}`), ZERO);

/** bool `[B M]`: places before each length of `in.src_len`. */
function known(g: Graph, lengths: Value<"B">, M: number): Value<"B M"> {
  const B = lengths.shape[0] ?? 0;
  const places = g.constant(
    "B M",
    [1, M],
    Float32Array.from({ length: M }, (_, m) => m),
  );
  const column = g.reshape(g.cast(lengths, "float32"), "B M", [B, 1]);
  return g.binary("less", g.expand(places, "B M", [B, M]), column);
}

/** `luong_<score>_<activation>`. */
function recurrent(desk: Desk): Record<string, Value> {
  const { c, g, input } = desk;
  const [, told = "dot", activation = "softmax"] = c.name.split("_");
  const [q, h] = [input("q", "B N C"), input("h", "B M C")];
  const mask = known(g, input("src_len", "B"), h.shape[1] ?? 0);
  const { out, weights } = luong(g, q, h, mask, {
    score: told === "mlp" ? "additive" : (told as "dot" | "general"),
    activation: activation as "softmax" | "sparsemax",
  });
  return { attn_h: out, align: weights };
}

/** `luong_local_p`. */
function local(desk: Desk): Record<string, Value> {
  const { c, g, input } = desk;
  const [ht, hs] = [input("ht", "B C"), input("hs", "B M C")];
  const length = g.cast(input("src_len", "B"), "float32");
  const { context, place, weights } = localAttention(g, ht, hs, length, { half: numberOf(c, "D") });
  return { p: place, align: weights, c: context };
}

/** `han_two_level`: words to sentences to a document. */
function hierarchical(desk: Desk): Record<string, Value> {
  const { g, input } = desk;
  const h = input("h", "B S J C");
  const [B = 0, S = 0, J = 0, C = 0] = h.shape;
  const question = (of: string) => ({
    weight: weight(desk, `W${of}`, "D C"),
    bias: weight(desk, `b${of}`, "D"),
    score: weight(desk, `u${of}`, "D"),
  });
  const words = g.reshape(h, "B N C", [B * S, J, C]);
  const isWord = g.reshape(input("word_mask", "B S J"), "B N", [B * S, J]);
  const inside = pool(g, words, question("w"), isWord);
  const sentences = g.reshape(inside.out, "B N C", [B, S, C]);
  const whole = pool(g, sentences, question("s"), input("sent_mask", "B N"));
  return {
    alpha_word: g.reshape(inside.weights, "B S J", [B, S, J]),
    sent: sentences,
    alpha_sent: whole.weights,
    doc: whole.out,
  };
}

/** `temporal_attention`: frames pooled under a decoder's state. */
function temporal(desk: Desk): Record<string, Value> {
  const { g, input } = desk;
  const state = g.matmul(
    input("h", "B I"),
    g.rearrange(weight(desk, "Wa", "D I"), "D I -> I D"),
    "B D",
  );
  const { out, weights } = pool(g, input("v", "B N C"), {
    weight: weight(desk, "Ua", "D C"),
    bias: weight(desk, "ba", "D"),
    score: weight(desk, "w", "D"),
    state,
  });
  return { alpha: weights, phi: out };
}

/** `memn2n_layerwise_pe`: two hops over a story of sentences. */
function memory(desk: Desk): Record<string, Value> {
  const { g, input } = desk;
  const places = input("pe", "J C");
  const story = input("story", "B M J");
  const embedded = (of: string) => encodeSentence(g, weight(desk, of, "V C"), story, places);
  const [keys, values] = [
    g.add(embedded("A"), weight(desk, "TA", "M C")),
    g.add(embedded("C"), weight(desk, "TC", "M C")),
  ];
  const query = input("query", "B J");
  const [B = 0, J = 0] = query.shape;
  const ids = g.reshape(query, "B M J", [B, 1, J]);
  const asked = encodeSentence(g, weight(desk, "B", "V C"), ids, places);
  const question = g.reshape(asked, "B C", [B, places.shape[1] ?? 0]);
  const carry = weight(desk, "H", "I C");
  const { state, weights } = readMemory(g, question, keys, values, carry, { hops: 2 });
  const out = g.matmul(state, g.rearrange(weight(desk, "Wout", "V C"), "V C -> C V"), "B V");
  // The case has an input that nothing depends on, with a gradient of zero.
  const unused = g.scale(g.reshape(input("dummy", "I"), "B V", [1, 1]), 0);
  const [p1, p2] = weights;
  return { logits: g.add(out, unused), p1: p1 ?? out, p2: p2 ?? out };
}

/** `ring_partials`: four shares of the keys, each of them apart, and merged out of order. */
function ring({ g, input }: Desk): Record<string, Value> {
  const [q, k, v] = [input("q", "B H N D"), input("k", "B H M D"), input("v", "B H M E")];
  const each = (k.shape[2] ?? 0) / 4;
  const parts = [0, 1, 2, 3].map((i) =>
    partial(
      g,
      q,
      g.slice(k, "M", i * each, (i + 1) * each),
      g.slice(v, "M", i * each, (i + 1) * each),
    ),
  );
  const order = [2, 0, 3, 1].flatMap((i) => parts[i] ?? []);
  const named = parts.flatMap((part, i) => [
    [`m${i}`, part.max] as const,
    [`l${i}`, part.sum] as const,
    [`acc${i}`, part.acc] as const,
  ]);
  return {
    ...Object.fromEntries(named),
    o: finish(
      g,
      order.reduce((a, b) => merge(g, a, b)),
    ),
  };
}

/** `linformer_*`: multi-head attention over summaries. */
function lowRank({ c, named, input }: Desk): Record<string, Value> {
  const g = named(prefixes({ "q.": "to_q.", "k.": "to_k.", "v.": "to_v.", "proj.": "to_out." }));
  const x = input("x", "B N C");
  const [length = 0, summaries = 0] = shapeOf(c, "w.proj_k");
  const heads = numberOf(c, "heads", 2);
  const mixer = multiHead(linformer({ length, summaries }), { heads, bias: false });
  return { y: mixer(g, x, { rows: 1, columns: x.shape[1] ?? 0 }) };
}

/** `mla_*`: both forms, with and without the future. */
function latentModule(desk: Desk): Record<string, Value> {
  const { c, g, input } = desk;
  const x = input("x", "B N C");
  const grid = { rows: 1, columns: x.shape[1] ?? 0 };
  const options: LatentOptions = {
    heads: numberOf(c, "heads"),
    queryRank: numberOf(c, "q_lora_rank"),
    rank: numberOf(c, "kv_lora_rank"),
    nope: numberOf(c, "nope"),
    rope: numberOf(c, "rope"),
    valueChannels: numberOf(c, "v_dim"),
    rotary: { axes: 1 },
  };
  const past = { pairing: (f: Graph, N: number) => ({ mask: causal(f, N) }) };
  const at = (form: "naive" | "absorbed", more: object) =>
    latent({ ...options, form, ...more })(g, x, grid);
  const { compressed, place } = latentCache(g, x, grid, options);
  const [B = 0, N = 0] = x.shape;
  return {
    naive_causal: at("naive", past),
    naive_bidir: at("naive", {}),
    absorb_causal: at("absorbed", past),
    absorb_bidir: at("absorbed", {}),
    cache_kv: compressed,
    cache_kpe: g.reshape(place, "B N D", [B, N, options.rope]),
    // What one token after another gives is what the causal mask gives.
    decode_incremental: at("absorbed", past),
  };
}

/** `mamba_selective_scan*`. */
function scan({ c, g, input }: Desk): Record<string, Value> {
  const maybe = <const L extends string>(name: string, layout: L) =>
    c.tensors.has(`in.${name}`) ? input(name, layout) : undefined;
  const { y, state } = selectiveScan(g, {
    u: input("u", "B C N"),
    dt: input("dt", "B C N"),
    A: input("A", "C S"),
    B: input("B", "B S N"),
    C: input("C", "B S N"),
    D: maybe("D", "C"),
    bias: maybe("bias", "C"),
    z: maybe("z", "B C N"),
  });
  return { y, state };
}

/** `bigbird_dense_mask*`: the case's random blocks, in groups against its dense mask. */
function blocks({ c, g, input }: Desk): Record<string, Value> {
  const [q, k, v] = [input("q", "B H N D"), input("k", "B H M D"), input("v", "B H M E")];
  const { data, shape } = tensorOf(c, "in.rand_blocks");
  const [rows = 0, each = 0] = shape;
  const random = Array.from({ length: rows }, (_, i) => [
    ...data.subarray(i * each, (i + 1) * each),
  ]);
  const near = bigBird({ block: numberOf(c, "block"), random });
  const core = near(scaledDotProduct, { rows: 1, columns: q.shape[2] ?? 0 });
  return { o: core.lower(g, q, k, v) };
}

/** `hard_attention_reinforce_grad`: the gradient itself is an output of the case. */
async function reinforced(c: Case): Promise<ReadonlyMap<string, Float32Array>> {
  const graph = buildGraph(c.name, (g) => {
    const shape = shapeOf(c, "in.e");
    const scores = g.input("e", "B N", shape);
    const drawn = g.input("sample_onehot", "B N", shape);
    const loss = reinforceLoss(g, scores, drawn, g.input("advantage", "B", [shape[0] ?? 0]));
    return { loss, alpha: g.softmax(scores) };
  });
  const feeds = graph.inputs.map((name) => [name, tensorOf(c, `in.${name}`).data]);
  const pulled = gradient(graph, "loss", ["e"]);
  const results = await runNative(pulled, new Map(), Object.fromEntries(feeds));
  const none = new Float32Array();
  return new Map([
    ["out.grad_e", results[gradientName("e")] ?? none],
    ["out.alpha", results["alpha"] ?? none],
  ]);
}

/** `nsa_*`: tokens first; every branch before its gate as well. */
function native({ c, g, input }: Desk): Record<string, Value> {
  const heads = (name: string) => g.rearrange(input(name, "B N H D"), "B N H D -> B H N D");
  const gate = (name: string) => {
    const given = g.rearrange(input(name, "B N H"), "B N H -> B H N");
    return g.reshape(given, "B H N I", [...given.shape, 1]);
  };
  const {
    out,
    branches,
    summaries,
    blocks: chosen,
  } = nativeSparse(
    g,
    heads("q"),
    g.rename(heads("k"), "B G N D"),
    g.rename(heads("v"), "B G N D"),
    [gate("g_cmp"), gate("g_slc"), gate("g_swa")],
    {
      block: numberOf(c, "block_size"),
      chosen: numberOf(c, "num_selected"),
      window: numberOf(c, "window"),
    },
  );
  const back = (x: Value) => g.rearrange(x, "B H N E -> B N H E");
  const [cmp, slc, swa] = branches.map((x) => back(x)) as [Value, Value, Value];
  return {
    o: back(out),
    o_cmp_ungated: cmp,
    o_slc_ungated: slc,
    o_swa_ungated: swa,
    k_cmp: g.rearrange(summaries.k, "B H T D -> B T H D"),
    v_cmp: g.rearrange(summaries.v, "B H T D -> B T H D"),
    block_indices: g.rearrange(chosen, "B H N K -> B N H K"),
  };
}

/** `rtdetr_msdeform_attention*`. */
function deformed({ c, g, input }: Desk): Record<string, Value> {
  const sizes = JSON.parse(c.meta["spatial_shapes"] ?? "[]") as [number, number][];
  const maps = sizes.map(([rows, columns]) => ({ rows, columns }));
  const heads = numberOf(c, "heads", 4);
  const points = (shapeOf(c, "w.attention_weights.weight")[0] ?? 0) / heads / maps.length;
  const [query, value] = [input("query", "B N C"), input("value", "B M C")];
  return { y: deformable(g, query, input("ref", "B N L F"), value, { heads, points, maps }) };
}

export const CLASSIC: readonly Row[] = [
  { prefix: "luong_", build: recurrent },
  { prefix: "luong_local_p", build: local },
  { prefix: "han_two_level", build: hierarchical },
  { prefix: "temporal_attention", build: temporal },
  { prefix: "memn2n_layerwise", build: memory },
  { prefix: "ring_partials", build: ring },
  { prefix: "linformer_", build: lowRank },
  { prefix: "mla_", build: latentModule },
  { prefix: "mamba_selective_scan", build: scan },
  { prefix: "bigbird_dense_mask", build: blocks },
  { prefix: "hard_attention_reinforce", run: reinforced },
  { prefix: "nsa_", build: native, sets: ["block_indices"] },
  { prefix: "rtdetr_msdeform_attention", build: deformed },
];

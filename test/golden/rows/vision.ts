/** Blocks and parts of vision transformers and pyramids. */
import {
  decomposedBias,
  multiHead,
  multiHeadCross,
  project,
  resampleTable,
  scaledDotProduct,
  sinCos,
  windowed,
  ZERO,
} from "../../../attention/index.ts";
import type { Graph, Mixer, Value } from "../../../attention/index.ts";
import { transformerBlock } from "../../../models/blocks/transformer.ts";
import { layerNorm } from "../../../models/layers/tokens.ts";
import { fpn } from "../../../models/necks/fpn.ts";
import { numberOf, shapeOf } from "../case.ts";
import type { Case } from "../case.ts";
import type { Desk, Row } from "../row.ts";
import { torchNames } from "./dot-product.ts";

const has = (c: Case, weight: string): boolean => c.tensors.has(`w.${weight}`);
const width = (c: Case, weight: string): number => shapeOf(c, `w.${weight}`)[0] ?? 0;

/** timm's ViT block under a scope (its norms have eps 1e-6, whatever the case says). */
function block(g: Graph, c: Case, x: Value<"B N C">, scope: string, eps: number): Value<"B N C"> {
  const [, N = 0, C = 1] = x.shape;
  const mixer = multiHead(scaledDotProduct, {
    heads: numberOf(c, "heads", 3),
    projections: "packed",
    bias: has(c, `${scope}attn.qkv.bias`),
  });
  const mlpRatio = width(c, `${scope}mlp.fc1.weight`) / C;
  const layerScale = has(c, `${scope}ls1.gamma`) ? 1 : undefined;
  return transformerBlock(g, x, { rows: 1, columns: N }, { mixer, mlpRatio, layerScale, eps });
}

/** `vit_tiny_model*`: patches, class token, positions, blocks, norm, classifier. */
function vit({ c, g, input }: Desk): Record<string, Value> {
  const image = input("x", "B C Y X");
  const [B = 0] = image.shape;
  const [C = 0, , size = 1] = shapeOf(c, "w.patch_embed.proj.weight");
  const at = g.at("patch_embed").at("proj");
  const kernel = at.weight("weight", "O I P Q", shapeOf(c, "w.patch_embed.proj.weight"), ZERO);
  const patches = g.conv(image, kernel, at.weight("bias", "O", [C], ZERO), { stride: size });
  const tokens = g.rename(g.rearrange(patches, "B C Y X -> B (Y X) C"), "B N C");
  const head = g.weight("cls_token", "B N C", [1, 1, C], ZERO);
  const all = g.concat([g.expand(head, "B N C", [B, 1, C]), tokens], "N");
  const places = g.weight("pos_embed", "B N C", shapeOf(c, "w.pos_embed"), ZERO);
  const names = [...c.tensors.keys()];
  const depth = new Set(names.flatMap((n) => /^w\.blocks\.(\d+)\./.exec(n)?.[1] ?? [])).size;
  const mixed = Array.from({ length: depth }).reduce(
    (x: Value<"B N C">, _, i) => block(g.at(`blocks.${i}`), c, x, `blocks.${i}.`, 1e-6),
    g.add(all, places),
  );
  const features = layerNorm(g.at("norm"), mixed, 1e-6);
  const first = g.slice(features, "N", 0, 1);
  const logits = has(c, "head.weight")
    ? project(g, "head", first, "B N C", width(c, "head.weight"))
    : first;
  const y = g.reshape(logits, "B C", [B, logits.shape[2] ?? 0]);
  return { y, logits: y, features };
}

/** `decoder_layer_prenorm*`: PyTorch's decoder layer, norms first, ReLU between. */
function decoderLayer(desk: Desk): Record<string, Value> {
  const { c, g, input } = desk;
  const given = (names: readonly string[]) =>
    names.find((name) => c.tensors.has(`in.${name}`)) ?? names[0] ?? "";
  const target = input(given(["tgt", "x", "q"]), "B N C");
  const memory = input(given(["memory", "mem", "kv"]), "B N C");
  const [, , C = 0] = target.shape;
  const attend = (name: string, q: Value<"B N C">, kv: Value<"B N C">) => {
    const scope = desk.named(torchNames(c, `${name}.`));
    const cross = multiHeadCross(scaledDotProduct, { heads: numberOf(c, "heads", 2) });
    return cross(scope, q, g.rename(kv, "B M E"));
  };
  const norm = (i: number, x: Value<"B N C">) => layerNorm(g.at(`norm${i}`), x, 1e-5);
  const own = norm(1, target);
  const one = g.add(target, attend("self_attn", own, own));
  const two = g.add(one, attend("multihead_attn", norm(2, one), memory));
  const wide = project(g, "linear1", norm(3, two), "B N C", width(c, "linear1.weight"));
  const three = g.add(two, project(g, "linear2", g.unary("relu", wide), "B N C", C));
  return { y: three };
}

/** `vitdet_attention_relpos*`: global attention with decomposed relative positions, channels last. */
function relativeAttention({ c, g, input }: Desk): Record<string, Value> {
  const x = input("x", "B Y X C");
  const [, rows = 0, columns = 0, C = 0] = x.shape;
  const mixer = multiHead(scaledDotProduct, {
    heads: C / (shapeOf(c, "w.rel_pos_h")[1] ?? 1),
    projections: "packed",
    place: decomposedBias,
    bias: has(c, "qkv.bias"),
  });
  const tokens = g.rename(g.rearrange(x, "B Y X C -> B (Y X) C"), "B N C");
  const y = mixer(g, tokens, { rows, columns });
  return { y: g.rearrange(y, "B (Y X) C -> B Y X C", { Y: rows }) };
}

/** `vitdet_window_partition_pad*`: windows of a map that they do not divide, and the map again. */
function partition({ c, g, input }: Desk): Record<string, Value> {
  const x = input("x", "B Y X C");
  const [, rows = 0, columns = 0] = x.shape;
  const outputs = [...c.tensors].filter(([name]) => name.startsWith("out."));
  const isWhole = (shape: readonly number[]) => shape.join() === x.shape.join();
  const cut = outputs.find(([, { shape }]) => shape.length === 4 && !isWhole(shape));
  const size = cut?.[1].shape[1] ?? 1;
  let windows: Value = x;
  const look: Mixer = (f, inside) => {
    windows = f.rearrange(inside, "B (P Q) C -> B P Q C", { P: size });
    return inside;
  };
  const tokens = g.rename(g.rearrange(x, "B Y X C -> B (Y X) C"), "B N C");
  const whole = windowed(look, { size })(g, tokens, { rows, columns });
  const back = g.rearrange(whole, "B (Y X) C -> B Y X C", { Y: rows });
  const padded = g.constant(
    "I",
    [2],
    Float32Array.of(...[rows, columns].map((n) => Math.ceil(n / size) * size)),
  );
  return Object.fromEntries(
    outputs.map(([name, { shape }]) => [
      name.slice(4),
      isWhole(shape) ? back : shape.length === 4 ? windows : padded,
    ]),
  );
}

/** Simple feature pyramid as detectron2 builds it: strides 4 to 32 of a stride-16 map. */
function featurePyramid(desk: Desk): Record<string, Value> {
  const { c, g, input } = desk;
  const x = input("x", "B C Y X");
  const up = (at: Graph, name: string, map: Value<"B C Y X">) => {
    const weight = at.weight("weight", "I O P Q", shapeOf(c, `w.${name}.weight`), ZERO);
    const bias = at.weight("bias", "O", shapeOf(c, `w.${name}.bias`), ZERO);
    return g.convTranspose(map, weight, bias, { stride: 2 });
  };
  const norm = (at: Graph, map: Value<"B C Y X">) => {
    const last = g.rename(g.rearrange(map, "B C Y X -> B (Y X) C"), "B N C");
    const normed = layerNorm(at, last, 1e-6);
    return g.rearrange(normed, "B (Y X) C -> B C Y X", { Y: map.shape[2] ?? 0 });
  };
  const smooth = (name: string, map: Value<"B C Y X">) => {
    const shape = shapeOf(c, `w.${name}.weight`);
    const weight = g.at(name).weight("weight", "O I P Q", shape, ZERO);
    const pad = ((shape[2] ?? 1) - 1) / 2;
    return norm(g.at(name).at("norm"), g.conv(map, weight, undefined, { pad }));
  };
  const out = (name: string, from: number, map: Value<"B C Y X">) =>
    smooth(`${name}.${from + 1}`, smooth(`${name}.${from}`, map));
  const deconv = (name: string, map: Value<"B C Y X">) => up(g.at(name), name, map);
  const half = g.unary("gelu", norm(g.at("simfp_2.1"), deconv("simfp_2.0", x)));
  return {
    p2: out("simfp_2", 4, deconv("simfp_2.3", half)),
    p3: out("simfp_3", 1, deconv("simfp_3.0", x)),
    p4: out("simfp_4", 0, x),
    p5: out("simfp_5", 1, g.maxPool(x, 2, { stride: 2 })),
  };
}

/** `pos_embed_resample*`: a table of 14 × 14 places and a class token, for every grid that is an output. */
function resampling({ c, g, input }: Desk): Record<string, Value> {
  const table = input("pe", "B N C");
  const side = Math.floor(Math.sqrt(table.shape[1] ?? 0));
  const prefix = (table.shape[1] ?? 0) - side * side;
  const names = [...c.tensors.keys()].filter((name) => name.startsWith("out."));
  return Object.fromEntries(
    names.map((name) => {
      const [rows = 0, columns = 0] = (/(\d+)x(\d+)$/.exec(name) ?? []).slice(1).map(Number);
      const from = { rows: side, columns: side };
      return [name.slice(4), resampleTable(g, table, from, { rows, columns }, { prefix })];
    }),
  );
}

/** `rtdetr_2d_sincos_pos*`: its tokens go down the columns, so that the first column tells how long they are. */
function sines({ c, g }: Desk): Record<string, Value> {
  const outputs = [...c.tensors].filter(([name]) => name.startsWith("out."));
  return Object.fromEntries(
    outputs.map(([name, { shape, data }]) => {
      const [N = 0, C = 0] = shape.slice(-2);
      const next = Array.from({ length: N }, (_, n) => n).find((n) => data[n * C] !== data[0]);
      const rows = next ?? N;
      const columns = N / rows;
      const table = g.constant("Y X C", [rows, columns, C], sinCos({ rows, columns }, C).data);
      return [name.slice(4), g.reshape(g.rearrange(table, "Y X C -> X Y C"), "B N C", shape)];
    }),
  );
}

function pyramid({ c, g, input }: Desk): Record<string, Value> {
  const maps = [input("c3", "B C Y X"), input("c4", "B C Y X"), input("c5", "B C Y X")] as const;
  const [c3, c4, c5] = fpn(g, maps, { channels: width(c, "inner_blocks.0.0.weight") });
  return { c3, c4, c5 };
}

export const VISION: readonly Row[] = [
  {
    prefix: "vit_block",
    build: ({ c, g, input }) => ({ y: block(g, c, input("x", "B N C"), "", 1e-6) }),
  },
  { prefix: "vit_tiny_model", build: vit },
  { prefix: "decoder_layer_prenorm", build: decoderLayer },
  { prefix: "vitdet_attention_relpos", build: relativeAttention },
  { prefix: "vitdet_window_partition", build: partition },
  { prefix: "vitdet_simple_feature_pyramid", build: featurePyramid },
  { prefix: "pos_embed_resample", build: resampling },
  { prefix: "rtdetr_2d_sincos_pos", build: sines },
  { prefix: "fpn_torchvision", build: pyramid },
];

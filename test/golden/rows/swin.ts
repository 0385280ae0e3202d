/** Swin: windows, their mask, relative bias, blocks. */
import {
  multiHead,
  relativeBias,
  scaledDotProduct,
  shiftBias,
  shifted,
  windowed,
} from "../../../attention/index.ts";
import type { Graph, Mixer, Value } from "../../../attention/index.ts";
import { patchMerging } from "../../../models/blocks/patch-merging.ts";
import { transformerBlock } from "../../../models/blocks/transformer.ts";
import { shapeOf } from "../case.ts";
import type { Case } from "../case.ts";
import type { Desk, Row } from "../row.ts";

/** Attention of one window; heads and size out of the bias table. */
function windowAttention(c: Case, scope: string): { readonly mixer: Mixer; readonly size: number } {
  const [offsets = 0, heads = 0] = shapeOf(c, `w.${scope}relative_position_bias_table`);
  const mixer = multiHead(scaledDotProduct, {
    heads,
    projections: "packed",
    place: relativeBias,
    bias: c.tensors.has(`w.${scope}qkv.bias`),
  });
  return { mixer, size: (Math.sqrt(offsets) + 1) / 2 };
}

/** `swin_window_attention*`: windows in the batch, the mask of each repeated for every image. */
function attention({ c, g, input }: Desk): Record<string, Value> {
  const { mixer, size } = windowAttention(c, "");
  const x = input("x", "B N C");
  const grid = { rows: size, columns: size };
  if (!c.tensors.has("in.mask")) return { y: mixer(g, x, grid) };
  const [B = 0, N = 0] = x.shape;
  const mask = input("mask", "W N M");
  const W = mask.shape[0] ?? 1;
  const apart = g.reshape(mask, "I B H N M", [1, W, 1, N, N]);
  const every = g.expand(apart, "I B H N M", [B / W, W, 1, N, N]);
  const bias = g.reshape(every, "B H N M", [B, 1, N, N]);
  return { y: mixer(g, x, { ...grid, pairing: { bias } }) };
}

interface Shift {
  readonly shift: number;
  readonly order: "roll first" | "pad first";
}

/** Swin's block on a map with channels last. */
function block(
  g: Graph,
  c: Case,
  x: Value<"B Y X C">,
  scope: string,
  shift: Shift,
): Value<"B Y X C"> {
  const [, rows = 0, columns = 0, C = 1] = x.shape;
  const { mixer, size } = windowAttention(c, `${scope}attn.`);
  const reach = shift.shift === 0 ? windowed(mixer, { size }) : shifted(mixer, { size, ...shift });
  const mlpRatio = (shapeOf(c, `w.${scope}mlp.fc1.weight`)[0] ?? 0) / C;
  const tokens = g.rename(g.rearrange(x, "B Y X C -> B (Y X) C"), "B N C");
  const y = transformerBlock(g, tokens, { rows, columns }, { mixer: reach, mlpRatio, eps: 1e-5 });
  return g.rearrange(y, "B (Y X) C -> B Y X C", { Y: rows });
}

/** `swin_block_*`: timm's, which rolls and then pads. */
function timmBlock({ c, g, input }: Desk): Record<string, Value> {
  const { size } = windowAttention(c, "attn.");
  const shift = c.name.includes("unshifted") ? 0 : Math.floor(size / 2);
  return { y: block(g, c, input("x", "B Y X C"), "", { shift, order: "roll first" }) };
}

/** `swin_det_basiclayer_*`: detection code's layer, every second block shifted, pads and then rolls. */
function detectionLayer({ c, g, input }: Desk): Record<string, Value> {
  const tokens = c.tensors.get("in.x")?.shape.length === 3;
  const [, rows = "0", columns = "0"] = /_(\d+)x(\d+)/.exec(c.name) ?? [];
  const given = tokens
    ? g.rearrange(input("x", "B N C"), "B (Y X) C -> B Y X C", {
        Y: Number(rows),
        X: Number(columns),
      })
    : input("x", "B Y X C");
  const names = [...c.tensors.keys()];
  const depth = new Set(names.flatMap((n) => /^w\.blocks\.(\d+)\./.exec(n)?.[1] ?? [])).size;
  const { size } = windowAttention(c, "blocks.0.attn.");
  const y = Array.from({ length: depth }).reduce((x: Value<"B Y X C">, _, i) => {
    const shift = i % 2 === 0 ? 0 : Math.floor(size / 2);
    return block(g.at(`blocks.${i}`), c, x, `blocks.${i}.`, { shift, order: "pad first" });
  }, given);
  return { y: tokens ? g.rename(g.rearrange(y, "B Y X C -> B (Y X) C"), "B N C") : y };
}

/** `swin_shift_mask_<Y>x<X>_w<size>_s<shift>`. */
function mask({ c, g }: Desk): Record<string, Value> {
  const told = /_(\d+)x(\d+)_w(\d+)_s(\d+)/.exec(c.name) ?? [];
  const [rows = 0, columns = 0, size = 1, shift = 0] = told.slice(1).map(Number);
  const shape = shapeOf(c, "out.mask");
  return { mask: g.constant("W N M", shape, shiftBias({ rows, columns }, size, shift)) };
}

function partition({ c, g, input }: Desk): Record<string, Value> {
  const [, P = 1] = shapeOf(c, "out.windows");
  const x = input("x", "B Y X C");
  const [, Y = 0, X = 0] = x.shape;
  const tokens = g.rename(g.rearrange(x, "B Y X C -> B (Y X) C"), "B N C");
  let windows: Value | undefined;
  const look: Mixer = (_, inside) => {
    windows = g.rearrange(inside, "B (P Q) C -> B P Q C", { P });
    return inside;
  };
  const whole = windowed(look, { size: P })(g, tokens, { rows: Y, columns: X });
  const back = g.rearrange(whole, "B (Y X) C -> B Y X C", { Y });
  return { windows: windows ?? back, back };
}

export const SWIN: readonly Row[] = [
  { prefix: "swin_window_attention", build: attention },
  { prefix: "swin_window_partition", build: partition },
  { prefix: "swin_shift_mask", build: mask },
  { prefix: "swin_block", build: timmBlock },
  { prefix: "swin_det_basiclayer", build: detectionLayer },
  {
    prefix: "swin_patch_merging",
    build: ({ g, input }) => {
      const x = input("x", "B Y X C");
      const [, rows = 0, columns = 0] = x.shape;
      const tokens = g.rename(g.rearrange(x, "B Y X C -> B (Y X) C"), "B N C");
      const merged = patchMerging(g, tokens, { rows, columns });
      const Y = merged.grid.rows;
      return { y: g.rearrange(merged.tokens, "B (Y X) C -> B Y X C", { Y }) };
    },
  },
];

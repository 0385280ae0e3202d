/** Single layers and losses: what the operators and networks are made of. */
import { batchNorm, ZERO } from "../../../attention/index.ts";
import type { Unary, Value } from "../../../attention/index.ts";
import { binaryCrossEntropy, focalLoss } from "../../../models/losses/classification.ts";
import { ciouLoss, diouLoss, giouLoss } from "../../../models/losses/overlap.ts";
import { numberOf, shapeOf } from "../case.ts";
import type { Case } from "../case.ts";
import type { Desk, GraphRow, Row } from "../row.ts";

/** A number behind a letter in the name: `_s2` is stride 2. */
const told = (c: Case, letter: string): number | undefined => {
  const found = new RegExp(`_${letter}(\\d+)(_|$)`).exec(c.name)?.[1];
  return found === undefined ? undefined : Number(found);
};

/** `p_conv*`: stride, padding and dilation out of the name; padding, if not told, out of the sizes. */
function convolution({ c, g, input }: Desk): Record<string, Value> {
  const x = input("x", "B C Y X");
  const shape = shapeOf(c, "w.weight");
  const [stride, dilation] = [told(c, "s") ?? 1, told(c, "d") ?? 1];
  const pads = [2, 3].map((axis) => {
    const span = dilation * ((shape[axis] ?? 1) - 1) + 1;
    const size = ((shapeOf(c, "out.y")[axis] ?? 1) - 1) * stride + span;
    return told(c, "p") ?? Math.max(0, Math.ceil((size - (x.shape[axis] ?? 0)) / 2));
  });
  const bias = c.tensors.has("w.bias")
    ? g.weight("bias", "O", shapeOf(c, "w.bias"), ZERO)
    : undefined;
  const weight = g.weight("weight", "O I P Q", shape, ZERO);
  const groups = (x.shape[1] ?? 1) / (shape[1] ?? 1);
  const pad = [pads[0] ?? 0, pads[1] ?? 0] as const;
  return { y: g.conv(x, weight, bias, { stride, dilation, groups, pad }) };
}

/** `p_convtranspose*`: stride out of the name or the sizes. */
function transposed({ c, g, input }: Desk): Record<string, Value> {
  const x = input("x", "B C Y X");
  const shape = shapeOf(c, "w.weight");
  const [rows, wide] = [x.shape[2] ?? 1, shapeOf(c, "out.y")[2] ?? 1];
  const pad = told(c, "p") ?? 0;
  const stride = told(c, "s") ?? Math.round((wide + 2 * pad - (shape[2] ?? 1)) / (rows - 1));
  const bias = c.tensors.has("w.bias")
    ? g.weight("bias", "O", shapeOf(c, "w.bias"), ZERO)
    : undefined;
  const groups = 1;
  const weight = g.weight("weight", "I O P Q", shape, ZERO);
  return { y: g.convTranspose(x, weight, bias, { stride, pad, groups }) };
}

/** Where sizes are rounded up, what is missing at the end is padded with what is never the largest. */
function pooling(how: "averagePool" | "maxPool") {
  return ({ c, g, input }: Desk): Record<string, Value> => {
    const size = Number(/pool(\d+)/.exec(c.name)?.[1]);
    const [stride, pad] = [told(c, "s") ?? size, told(c, "p") ?? 0];
    let x = input("x", "B C Y X");
    for (const [i, axis] of ["Y", "X"].entries()) {
      const [from, to] = [x.shape[i + 2] ?? 0, shapeOf(c, "out.y")[i + 2] ?? 0];
      const short = (to - 1) * stride + size - from - 2 * pad;
      if (short > 0 && how === "averagePool")
        throw new RangeError(`${c.name}: means of windows beyond the edge are not offered`);
      if (short > 0) x = g.pad(x, axis, 0, short, -3e38);
    }
    return { y: g[how](x, size, { stride, pad }) };
  };
}

/** `p_interp_<how>[_aa]_to_<Y>x<X>`. */
function interpolation({ c, g, input }: Desk): Record<string, Value> {
  const [, , rows = 0, columns = 0] = shapeOf(c, "out.y");
  const how = (["bilinear", "bicubic"] as const).find((kind) => c.name.includes(kind));
  const antialias = c.name.includes("_aa");
  const x = input("x", "B C Y X");
  return { y: g.resize(x, { rows, columns }, how ?? "nearest", { antialias }) };
}

const elementwise =
  (op: Unary): GraphRow["build"] =>
  ({ g, input }) => ({
    y: g.unary(op, input("x", "B C Y X")),
  });

function layerNorm({ c, g, input }: Desk): Record<string, Value> {
  const scale = g.weight("weight", "X", shapeOf(c, "w.weight"), ZERO);
  const bias = g.weight("bias", "X", shapeOf(c, "w.bias"), ZERO);
  return { y: g.layerNorm(input("x", "B C Y X"), scale, bias, 1e-6) };
}

/** `p_groupnorm`: groups out of the metadata, else three. */
function groupNorm({ c, g, input }: Desk): Record<string, Value> {
  const x = input("x", "B C Y X");
  const [, C = 1, Y = 1, X = 1] = x.shape;
  const size = (C / numberOf(c, "groups", 3)) * Y * X;
  const ones = g.constant("N", [size], new Float32Array(size).fill(1));
  const rows = g.rearrange(x, "B (G C) Y X -> B G (C Y X)", { C: size / Y / X });
  const unit = g.reshape(g.layerNorm(rows, ones, undefined, 1e-5), "B C Y X", x.shape);
  const wide = (name: string) => g.reshape(g.weight(name, "C", [C], ZERO), "C Y X", [C, 1, 1]);
  return { y: g.add(g.mul(unit, wide("weight")), wide("bias")) };
}

/** `p_softmax_masked`: and its logarithm. */
function softmax({ g, input }: Desk): Record<string, Value> {
  const z = input("z", "I K");
  const shifted = g.sub(z, g.reduce("max", z, ["K"]));
  const total = g.reduce("sum", g.unary("exp", shifted), ["K"]);
  return { p: g.softmax(z), lp: g.sub(shifted, g.unary("log", total)) };
}

function overlap({ g, input }: Desk): Record<string, Value> {
  const of = (name: string) => {
    const rows = input(name, "N F");
    return g.reshape(rows, "B N F", [1, rows.shape[0] ?? 0, 4]);
  };
  const [predicted, target] = [of("pred"), of("target")];
  const flat = (loss: Value) => g.reshape(loss, "N", [predicted.shape[1] ?? 0]);
  return {
    giou_loss: flat(giouLoss(g, predicted, target)),
    diou_loss: flat(diouLoss(g, predicted, target)),
    ciou_loss: flat(ciouLoss(g, predicted, target)),
  };
}

/** `yolox_iou_loss`: 1 − IoU² of boxes given by centre and size. */
function squaredOverlap({ g, input }: Desk): Record<string, Value> {
  const [predicted, target] = [input("pred", "N F"), input("target", "N F")];
  type Boxes = typeof predicted;
  const corner = (x: Boxes, sign: number) =>
    g.add(g.slice(x, "F", 0, 2), g.scale(g.slice(x, "F", 2, 4), sign / 2));
  const low = g.binary("max", corner(predicted, -1), corner(target, -1));
  const high = g.binary("min", corner(predicted, 1), corner(target, 1));
  const area = (size: Boxes) => g.mul(g.slice(size, "F", 0, 1), g.slice(size, "F", 1, 2));
  const whole = (x: Boxes) => area(g.slice(x, "F", 2, 4));
  const common = area(g.unary("relu", g.sub(high, low)));
  const union = g.sub(g.add(whole(predicted), whole(target)), common);
  const iou = g.div(common, g.add(union, 1e-16));
  return { l: g.reshape(g.sub(g.scale(g.mul(iou, iou), -1), -1), "N", [predicted.shape[0] ?? 0]) };
}

const classification: GraphRow["build"] = ({ g, input }) => {
  const [x, t] = [input("x", "N"), input("t", "N")];
  return { focal: focalLoss(g, x, t), bce: binaryCrossEntropy(g, x, t) };
};

export const PRIMITIVES: readonly Row[] = [
  { prefix: "p_conv", build: convolution },
  { prefix: "p_convtranspose", build: transposed },
  { prefix: "p_conv_transpose", build: transposed },
  { prefix: "p_avgpool", build: pooling("averagePool") },
  { prefix: "p_maxpool", build: pooling("maxPool") },
  { prefix: "p_interp", build: interpolation },
  {
    prefix: "p_batchnorm_eval",
    build: ({ g, input }) => ({
      y: batchNorm(g, input("x", "B C Y X"), { eps: 1e-3, momentum: 0.03 }),
    }),
  },
  {
    prefix: "p_batchnorm_train",
    training: { running_mean_after: "running_mean", running_var_after: "running_var" },
    build: ({ g, input }) => ({
      y: batchNorm(g, input("x", "B C Y X"), { eps: 1e-3, momentum: 0.03 }),
    }),
  },
  { prefix: "p_layernorm", build: layerNorm },
  { prefix: "p_groupnorm", build: groupNorm },
  { prefix: "p_gelu_erf", build: elementwise("gelu") },
  { prefix: "p_gelu_tanh", build: elementwise("geluTanh") },
  { prefix: "p_silu", build: elementwise("silu") },
  { prefix: "p_hardswish", build: elementwise("hardswish") },
  { prefix: "p_softplus", build: elementwise("softplus") },
  { prefix: "p_softmax", build: softmax },
  {
    prefix: "p_grid_sample",
    build: ({ g, input }) => ({ y: g.gridSample(input("x", "B C Y X"), input("g", "B Y X F")) }),
  },
  { prefix: "box_iou_losses", build: overlap },
  { prefix: "yolox_iou_loss", build: squaredOverlap },
  { prefix: "focal_bce", build: classification },
];

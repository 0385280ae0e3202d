/** Convolutions, pools, resizing, matrix products, norms and reductions. */
import {
  convolution,
  depthwise,
  followedBy,
  matmul,
  poolWindows,
  reshaped,
  transposed,
  withBias,
} from "../../../../attention/index.ts";
import type { Step } from "../../../../attention/index.ts";
import type { OnnxNode } from "../../../../models/index.ts";
import { giveStep, knownOf, read } from "../desk.ts";
import type { Desk } from "../desk.ts";
import { convolutionTransposed, resize } from "../kernels/maps.ts";
import { layerNorm, reduce, REDUCTIONS, softmax } from "../kernels/rows.ts";
import { axisOf, list, nameOf, operand, pair, resultShape, unfit } from "./operation.ts";
import type { Lowering, Lowerings } from "./operation.ts";

type Pair = readonly [y: number, x: number];

/** Rows and columns of a map. */
function sides(node: OnnxNode, shape: readonly number[]): Pair {
  const [, , rows, columns, more] = shape;
  if (rows === undefined || columns === undefined || more !== undefined) {
    throw unfit(node, "be of maps [B C Y X]", `[${shape.join(" ")}]`);
  }
  return [rows, columns];
}

function windowOf(node: OnnxNode, size: Pair) {
  const [stride, dilation] = [pair(node, "strides", 1), pair(node, "dilations", 1)];
  return { size, stride, dilation, pad: pair(node, "pads", 0) };
}

/** Whether the last windows reach beyond the map and its padding. */
function isBeyond(
  node: OnnxNode,
  from: Pair,
  { size, stride }: ReturnType<typeof windowOf>,
  to: Pair,
): boolean {
  const [top = 0, left = 0, bottom = 0, right = 0] = list(node, "pads") ?? [];
  const beyond = (i: 0 | 1, padding: number) =>
    (to[i] - 1) * stride[i] + size[i] > from[i] + padding;
  return beyond(0, top + bottom) || beyond(1, left + right);
}

const biased = (desk: Desk, node: OnnxNode, step: Step): Step =>
  withBias(step, node.inputs[2] ? read(desk, node.inputs[2]) : undefined);

const conv: Lowering = (desk, node) => {
  const to = sides(node, resultShape(desk, node));
  const [x, weight] = [operand(desk, node, 0), operand(desk, node, 1)];
  const size = sides(node, weight.view.shape);
  const groups = Number(node.attributes["group"] ?? 1);
  const window = windowOf(node, size);
  const isDepthwise = groups === x.view.shape[1] && groups === weight.view.shape[0] && groups > 1;
  const step = isDepthwise
    ? depthwise("", { x, weight }, window, to)
    : convolution("", x, weight, { ...window, groups }, to);
  giveStep(desk, nameOf(node), biased(desk, node, step));
};

const convTranspose: Lowering = (desk, node) => {
  const to = sides(node, resultShape(desk, node));
  const { stride, pad, dilation } = windowOf(node, [1, 1]);
  if (dilation.some((d) => d !== 1)) throw unfit(node, "have no dilation", dilation);
  const groups = Number(node.attributes["group"] ?? 1);
  const [x, weight] = [operand(desk, node, 0), operand(desk, node, 1)];
  const step = convolutionTransposed("", x, weight, { stride, pad, groups }, to);
  giveStep(desk, nameOf(node), biased(desk, node, step));
};

const pool = (how: "mean" | "max"): Lowering => {
  return (desk, node) => {
    const [y = 1, x = 1] = list(node, "kernel_shape") ?? [];
    const window = windowOf(node, [y, x]);
    const isPadded = (list(node, "pads") ?? []).some((p) => p > 0);
    if (window.dilation.some((d) => d !== 1))
      throw unfit(node, "have no dilation", window.dilation);
    if (how === "mean" && isPadded && node.attributes["count_include_pad"] !== 1) {
      throw unfit(node, "count its padding", "count_include_pad 0");
    }
    const [from, to] = [operand(desk, node, 0), sides(node, resultShape(desk, node))];
    // A maximum takes nothing from there; a mean would have to count how much of its window is there.
    if (how === "mean" && isBeyond(node, sides(node, from.view.shape), window, to)) {
      throw unfit(node, "keep its windows on the map", "ceil_mode 1");
    }
    giveStep(desk, nameOf(node), poolWindows("", from, how, window, to));
  };
};

const resized: Lowering = (desk, node) => {
  const mode = node.attributes["mode"] ?? "nearest";
  const centres = node.attributes["coordinate_transformation_mode"] ?? "half_pixel";
  const rounding = node.attributes["nearest_mode"] ?? "round_prefer_floor";
  const isNearest = mode === "nearest" && centres === "asymmetric" && rounding === "floor";
  if (!isNearest && !(mode === "linear" && centres === "half_pixel")) {
    throw unfit(node, "be nearest (asymmetric, floor) or linear (half_pixel)", mode);
  }
  const to = sides(node, resultShape(desk, node));
  const how = isNearest ? "nearest" : "linear";
  giveStep(desk, nameOf(node), resize("", operand(desk, node, 0), how, to));
};

const product: Lowering = (desk, node) => {
  const step = matmul("", operand(desk, node, 0), operand(desk, node, 1));
  giveStep(desk, nameOf(node), { ...step, shape: resultShape(desk, node) });
};

const norm: Lowering = (desk, node) => {
  const x = operand(desk, node, 0);
  const rank = x.view.shape.length;
  if (axisOf(node, rank, -1) !== rank - 1) throw unfit(node, "be of the last axis", "another");
  const eps = Number(node.attributes["epsilon"] ?? 1e-5);
  const step = layerNorm("", x, operand(desk, node, 1), eps);
  const bias = node.inputs[2];
  const shifted = bias ? followedBy(step, [read(desk, bias)], (v, b) => `${v} + ${b}`) : step;
  giveStep(desk, nameOf(node), shifted);
};

const softmaxed: Lowering = (desk, node) => {
  const x = operand(desk, node, 0);
  const rank = x.view.shape.length;
  if (axisOf(node, rank, -1) !== rank - 1) throw unfit(node, "be of the last axis", "another");
  giveStep(desk, nameOf(node), softmax("", x));
};

/** Reduced axes go last, as one. */
const reduced: Lowering = (desk, node) => {
  const { from, view } = operand(desk, node, 0);
  const all = view.shape.map((_, axis) => axis);
  const given = knownOf(desk, node.inputs[1]) ?? list(node, "axes") ?? all;
  const gone = new Set(given.map((axis) => (axis + all.length) % all.length));
  const kept = all.filter((axis) => !gone.has(axis));
  const last = transposed(view, [...kept, ...gone]);
  const length = [...gone].reduce((n, axis) => n * (view.shape[axis] ?? 1), 1);
  const rows = kept.map((axis) => view.shape[axis] ?? 1);
  const shape = resultShape(desk, node);
  const x = { from, view: reshaped(last, [...rows, length]) };
  giveStep(desk, nameOf(node), reduce("", node.op, x, shape));
};

export const MAPS: Lowerings = {
  AveragePool: pool("mean"),
  Conv: conv,
  ConvTranspose: convTranspose,
  LayerNormalization: norm,
  MatMul: product,
  MaxPool: pool("max"),
  Resize: resized,
  Softmax: softmaxed,
  ...Object.fromEntries(Object.keys(REDUCTIONS).map((op) => [op, reduced])),
};

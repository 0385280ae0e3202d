/** Moving, cutting and joining: views where that is possible. */
import {
  broadcast,
  copied,
  rolled,
  sliced,
  strides,
  transposed,
  viewOf,
  volume,
} from "../../../../attention/index.ts";
import type { OnnxNode } from "../../../../models/index.ts";
import { emit, giveStep, giveView, knownOf, read, scalarOf, shapeOf, take } from "../desk.ts";
import type { Desk } from "../desk.ts";
import { gather, pad } from "../kernels/maps.ts";
import { relabel } from "./elementwise.ts";
import { axisOf, inputOf, list, nameOf, operand, resultShape, unfit } from "./operation.ts";
import type { Lowering, Lowerings } from "./operation.ts";

const transpose: Lowering = (desk, node) => {
  const { from, view } = operand(desk, node, 0);
  const order = list(node, "perm") ?? view.shape.map((_, axis) => view.shape.length - 1 - axis);
  giveView(desk, nameOf(node), { from, view: transposed(view, order) });
};

/** One axis of a `Slice`: `size` places from `start`, `step` apart. */
interface Cut {
  readonly axis: number;
  readonly start: number;
  readonly size: number;
  readonly step: number;
}

function cutsOf(desk: Desk, node: OnnxNode): Cut[] {
  const shape = shapeOf(desk, inputOf(node, 0));
  const result = resultShape(desk, node);
  const starts = knownOf(desk, node.inputs[1]);
  if (!starts) throw unfit(node, "start at known places", "computed ones");
  const axes = knownOf(desk, node.inputs[3]) ?? shape.map((_, axis) => axis);
  const steps = knownOf(desk, node.inputs[4]) ?? [];
  return starts.map((start, i) => {
    const axis = ((axes[i] ?? i) + shape.length) % shape.length;
    const size = shape[axis] ?? 1;
    const step = steps[i] ?? 1;
    if (step < 1) throw unfit(node, "step forwards", step);
    const from = Math.min(Math.max(start < 0 ? start + size : start, 0), size);
    return { axis, start: from, size: result[axis] ?? 1, step };
  });
}

const slice: Lowering = (desk, node) => {
  const { from, view } = operand(desk, node, 0);
  const cut = cutsOf(desk, node).reduce(
    (x, { axis, start, size, step }) => sliced(x, axis, start, size, step),
    view,
  );
  giveView(desk, nameOf(node), { from, view: cut });
};

/** Two slices that were cut at one place and joined the other way round: how far that rolls their source. */
function rollOf(
  desk: Desk,
  node: OnnxNode,
  axis: number,
): { from: string; by: number } | undefined {
  const parts = node.inputs.map((name) => desk.writers.get(name));
  const [head, tail] = parts;
  if (parts.length !== 2 || head?.op !== "Slice" || tail?.op !== "Slice") return undefined;
  const from = inputOf(head, 0);
  const [[a, ...more], [b, ...others]] = [cutsOf(desk, head), cutsOf(desk, tail)];
  if (from !== inputOf(tail, 0) || !a || !b || more.length + others.length > 0) return undefined;
  const isRoll = [a, b].every((cut) => cut.axis === axis && cut.step === 1) && b.start === 0;
  const isAll = a.start === b.size && a.size + b.size === shapeOf(desk, from)[axis];
  return isRoll && isAll ? { from, by: a.start } : undefined;
}

/** Every part is written where it belongs, by the step that makes it. */
const concat: Lowering = (desk, node) => {
  const shape = resultShape(desk, node);
  const axis = axisOf(node, shape.length, 0);
  const roll = rollOf(desk, node, axis);
  if (roll) {
    const { from, view } = read(desk, roll.from);
    return giveView(desk, nameOf(node), { from, view: rolled(view, axis, roll.by) });
  }
  const step = strides(shape);
  let start = 0;
  for (const name of node.inputs) {
    const part = shapeOf(desk, name);
    const digits = part.map((size, a) => ({ size, stride: step[a] ?? 0 }));
    const place = viewOf(part, { offset: start * (step[axis] ?? 0), digits });
    const made = take(desk, name) ?? copied("", read(desk, name));
    emit(desk, { ...made, writes: nameOf(node), total: volume(shape), place });
    start += part[axis] ?? 0;
  }
  giveView(desk, nameOf(node), { from: nameOf(node), view: { shape, stages: [] } });
};

const expand: Lowering = (desk, node) => {
  const { from, view } = operand(desk, node, 0);
  giveView(desk, nameOf(node), { from, view: broadcast(view, resultShape(desk, node)) });
};

const padded: Lowering = (desk, node) => {
  const mode = node.attributes["mode"] ?? "constant";
  const pads = knownOf(desk, node.inputs[1]);
  if (mode !== "constant" || !pads) throw unfit(node, "pad by known numbers of constants", mode);
  const value = node.inputs[2] ? scalarOf(desk, node.inputs[2]) : 0;
  if (value === undefined) throw unfit(node, "pad with a known number", "a computed one");
  const x = operand(desk, node, 0);
  const { length: rank } = x.view.shape;
  const axes = knownOf(desk, node.inputs[3]) ?? x.view.shape.map((_, axis) => axis);
  const before = Array.from({ length: rank }, () => 0);
  for (const [i, axis] of axes.entries()) before[(axis + rank) % rank] = pads[i] ?? 0;
  giveStep(desk, nameOf(node), pad("", x, before, resultShape(desk, node), value));
};

/** Picks that are evenly spaced are views. */
const gathered: Lowering = (desk, node) => {
  const { from, view } = operand(desk, node, 0);
  const axis = axisOf(node, view.shape.length, 0);
  const places = knownOf(desk, node.inputs[1]);
  const indices = shapeOf(desk, inputOf(node, 1));
  const [first = 0, second = 1] = places ?? [];
  const step = places?.length === 1 ? 1 : second - first;
  const isEven = step > 0 && first >= 0 && places?.every((at, i) => at === first + i * step);
  if (places && isEven && indices.length <= 1) {
    const cut = sliced(view, axis, first, places.length, step);
    const shape = resultShape(desk, node);
    return giveView(desk, nameOf(node), { from, view: { ...cut, shape } });
  }
  giveStep(desk, nameOf(node), gather("", { from, view }, operand(desk, node, 1), axis));
};

export const LAYOUT: Lowerings = {
  Concat: concat,
  Expand: expand,
  Gather: gathered,
  Pad: padded,
  Reshape: relabel,
  Slice: slice,
  Transpose: transpose,
};

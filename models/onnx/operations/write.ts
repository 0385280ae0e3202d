/** Phrases that gradient rules write again and again. */
import { volume } from "../../../attention/index.ts";
import type { NamedValue } from "../graph.ts";
import { range, same } from "./operation.ts";
import type { Writer } from "./operation.ts";

export const add = (w: Writer, a: NamedValue, b: NamedValue): NamedValue => w.node("Add", [a, b]);
export const sub = (w: Writer, a: NamedValue, b: NamedValue): NamedValue => w.node("Sub", [a, b]);
export const mul = (w: Writer, a: NamedValue, b: NamedValue): NamedValue => w.node("Mul", [a, b]);
export const div = (w: Writer, a: NamedValue, b: NamedValue): NamedValue => w.node("Div", [a, b]);

/** `x` times a number. */
export const times = (w: Writer, x: NamedValue, by: number): NamedValue =>
  by === 1 ? x : mul(w, x, w.number(by));

export const reshape = (w: Writer, x: NamedValue, shape: readonly number[]): NamedValue =>
  same(x.shape, shape) ? x : w.node("Reshape", [x, w.ints(shape)]);

export const transpose = (w: Writer, x: NamedValue, perm: readonly number[]): NamedValue =>
  same(perm, range(perm.length)) ? x : w.node("Transpose", [x], { perm });

/** Exchanges the last two axes. */
export function swapLast(w: Writer, x: NamedValue): NamedValue {
  const n = x.shape.length;
  return transpose(w, x, [...range(n - 2), n - 1, n - 2]);
}

export const expand = (w: Writer, x: NamedValue, shape: readonly number[]): NamedValue =>
  same(x.shape, shape) ? x : w.node("Expand", [x, w.ints(shape)]);

/** The sum over axes, which stay with length 1 unless `keep` is false. */
export const sum = (w: Writer, x: NamedValue, axes: readonly number[], keep = true): NamedValue =>
  axes.length === 0 ? x : w.node("ReduceSum", [x, w.ints(axes)], { keepdims: keep ? 1 : 0 });

/** Undoes a broadcast: sums over the axes that `shape` lacks or has with length 1. */
export function sumTo(w: Writer, x: NamedValue, shape: readonly number[]): NamedValue {
  const extra = x.shape.length - shape.length;
  const axes = range(x.shape.length).filter(
    (axis) => axis < extra || (shape[axis - extra] === 1 && x.shape[axis] !== 1),
  );
  return reshape(w, sum(w, x, axes), shape);
}

/** `[start, end)` of one axis. */
export const slice = (
  w: Writer,
  x: NamedValue,
  axis: number,
  start: number,
  end: number,
  step = 1,
): NamedValue =>
  start === 0 && end === x.shape[axis] && step === 1
    ? x
    : w.node("Slice", [x, w.ints([start]), w.ints([end]), w.ints([axis]), w.ints([step])]);

/** The block of `sizes` that begins at `starts`, one number an axis. */
export function cut(
  w: Writer,
  x: NamedValue,
  starts: readonly number[],
  sizes: readonly number[],
): NamedValue {
  const axes = range(x.shape.length).filter((axis) => sizes[axis] !== x.shape[axis]);
  if (axes.length === 0) return x;
  const from = axes.map((axis) => starts[axis] ?? 0);
  const to = axes.map((axis) => (starts[axis] ?? 0) + (sizes[axis] ?? 0));
  return w.node("Slice", [x, ...[from, to, axes, axes.map(() => 1)].map(w.ints)]);
}

/**
 * Zeros (or `value`) before and after each axis; negative numbers cut off.
 *
 * All axes are named, though that is what leaving them out means: ONNX Runtime (1.30) fuses a Pad without axes into
 * the pool behind it, and then refuses padding that is no longer smaller than the window; and it moves transposes
 * across a Pad of some axes as if it were one of all.
 */
export function pad(
  w: Writer,
  x: NamedValue,
  before: readonly number[],
  after: readonly number[],
  value = 0,
): NamedValue {
  const pads = [...before, ...after];
  if (pads.every((p) => p === 0)) return x;
  const fill = value === 0 ? undefined : w.number(value);
  return w.node("Pad", [x, w.ints(pads), fill, w.ints(range(x.shape.length))]);
}

export const concat = (w: Writer, parts: readonly NamedValue[], axis: number): NamedValue =>
  parts.length === 1 && parts[0] !== undefined ? parts[0] : w.node("Concat", parts, { axis });

/** Booleans as 0 and 1. */
export const toFloat = (w: Writer, x: NamedValue): NamedValue => w.node("Cast", [x], { to: 1 });

/** Zeros that take the memory of one number until they are used. */
export const zeros = (w: Writer, shape: readonly number[]): NamedValue =>
  expand(
    w,
    w.constant(
      shape.map(() => 1),
      new Float32Array(1),
    ),
    shape,
  );

/** All axes in one row. */
export const flat = (w: Writer, x: NamedValue): NamedValue => reshape(w, x, [volume(x.shape)]);

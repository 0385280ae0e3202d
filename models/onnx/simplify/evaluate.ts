/** Computes the few operations that constants go through: moving them about, and arithmetic. */
import { strides, volume } from "../../../attention/index.ts";
import type { Data, NamedValue, OnnxNode, ValueType } from "../graph.ts";

/** A value that is known. */
export interface Known extends ValueType {
  readonly data: Data;
}

const MOST_VALUES = 1 << 22;

const UNARY: Readonly<Record<string, (x: number) => number>> = {
  Neg: (x) => -x,
  Sqrt: Math.sqrt,
  Reciprocal: (x) => 1 / x,
  Exp: Math.exp,
  Log: Math.log,
  Tanh: Math.tanh,
  Abs: Math.abs,
  Floor: Math.floor,
  Not: (x) => 1 - x,
  Cast: (x) => x,
};

const BINARY: Readonly<Record<string, (a: number, b: number) => number>> = {
  Add: (a, b) => a + b,
  Sub: (a, b) => a - b,
  Mul: (a, b) => a * b,
  Div: (a, b) => a / b,
  Min: Math.min,
  Max: Math.max,
  Equal: (a, b) => Number(a === b),
  Less: (a, b) => Number(a < b),
  Greater: (a, b) => Number(a > b),
  And: (a, b) => a * b,
  Or: Math.max,
};

/** An array of the right kind, of numbers. */
function dataOf(type: ValueType["type"], count: number, value: (i: number) => number): Data {
  const all = { length: count };
  if (type === "int64") return BigInt64Array.from(all, (_, i) => BigInt(Math.trunc(value(i))));
  if (type === "bool") return Uint8Array.from(all, (_, i) => Number(value(i) !== 0));
  return Float32Array.from(all, (_, i) => value(i));
}

/** Where each element of a result lies in `from`, which broadcasts to it. */
function spread(from: readonly number[], to: readonly number[]): (at: number) => number {
  const extra = to.length - from.length;
  const [inner, own] = [strides(to), strides(from)];
  const steps = to.map((_, axis) =>
    axis < extra || from[axis - extra] === 1 ? 0 : (own[axis - extra] ?? 0),
  );
  return (at) =>
    to.reduce(
      (sum, size, axis) => sum + (Math.floor(at / (inner[axis] ?? 1)) % size) * (steps[axis] ?? 0),
      0,
    );
}

/** Picks elements: `place` says for every index of the result where it comes from. */
function pick(
  x: Known,
  shape: readonly number[],
  place: (index: readonly number[]) => readonly number[],
): Data {
  const [inner, own] = [strides(shape), strides(x.shape)];
  const source = (at: number) => {
    const index = shape.map((size, axis) => Math.floor(at / (inner[axis] ?? 1)) % size);
    return place(index).reduce((sum, i, axis) => sum + i * (own[axis] ?? 0), 0);
  };
  return dataOf(x.type, volume(shape), (at) => Number(x.data[source(at)] ?? 0));
}

const axisOf = (node: OnnxNode, rank: number): number => {
  const axis = Number(node.attributes["axis"] ?? 0);
  return axis < 0 ? axis + rank : axis;
};

function gather(node: OnnxNode, x: Known, at: Known, shape: readonly number[]): Data {
  const axis = axisOf(node, x.shape.length);
  const [wide, step, size] = [at.shape.length, strides(at.shape), x.shape[axis] ?? 0];
  return pick(x, shape, (index) => {
    const inner = index.slice(axis, axis + wide);
    const place = Number(at.data[inner.reduce((s, i, a) => s + i * (step[a] ?? 0), 0)] ?? 0);
    return index.toSpliced(axis, wide, place < 0 ? place + size : place);
  });
}

function concat(node: OnnxNode, parts: readonly Known[], out: ValueType): Data {
  const axis = axisOf(node, out.shape.length);
  const [inner, starts] = [strides(out.shape), [0]];
  for (const { shape } of parts) starts.push((starts.at(-1) ?? 0) + (shape[axis] ?? 0));
  return dataOf(out.type, volume(out.shape), (at) => {
    const index = out.shape.map((size, a) => Math.floor(at / (inner[a] ?? 1)) % size);
    const place = index[axis] ?? 0;
    const part = starts.findLastIndex((start) => start <= place);
    const { shape = [], data } = parts[part] ?? {};
    const own = strides(shape);
    const inside = index.with(axis, place - (starts[part] ?? 0));
    return Number(data?.[inside.reduce((s, i, a) => s + i * (own[a] ?? 0), 0)] ?? 0);
  });
}

function slice(
  x: Known,
  [starts, , axes, steps]: readonly (Known | undefined)[],
  shape: readonly number[],
): Data {
  const numbers = (known: Known | undefined) => Array.from(known?.data ?? [], Number);
  const [from, along, by] = [numbers(starts), numbers(axes), numbers(steps)];
  return pick(x, shape, (index) =>
    index.map((i, axis) => {
      const at =
        axes === undefined ? axis : along.findIndex((a) => a === axis || a + shape.length === axis);
      const start = from[at] ?? 0;
      return (start < 0 ? start + (x.shape[axis] ?? 0) : start) + i * (by[at] ?? 1);
    }),
  );
}

type Move = (
  node: OnnxNode,
  inputs: readonly (Known | undefined)[],
  out: ValueType,
) => Data | undefined;

/** Operations that move values about; the first input is known. */
const MOVES: Readonly<Record<string, Move>> = {
  Identity: (_, [x]) => x?.data,
  Reshape: (_, [x]) => x?.data,
  Expand: (_, [x], { type, shape }) => x && dataOf(type, volume(shape), broadcastRead(x, shape)),
  Transpose: ({ attributes: { perm } }, [x], { shape }) => {
    const order = typeof perm === "object" ? perm : shape.map((_, a) => shape.length - 1 - a);
    return x && pick(x, shape, (index) => index.map((_, axis) => index[order.indexOf(axis)] ?? 0));
  },
  Gather: (node, [x, at], { shape }) => x && at && gather(node, x, at, shape),
  Concat: (node, parts, out) =>
    parts.every((part) => part !== undefined) ? concat(node, parts, out) : undefined,
  Slice: (_, [x, ...where], { shape }) => x && slice(x, where, shape),
};

/** Reads `x` as if it had grown to `shape`. */
function broadcastRead(x: Known, shape: readonly number[]): (at: number) => number {
  const place = spread(x.shape, shape);
  return (at) => Number(x.data[place(at)] ?? 0);
}

/** What a node gives for known inputs; undefined where it is no operation of this file, or the result is large. */
export function evaluate(
  node: OnnxNode,
  inputs: readonly (Known | undefined)[],
  out: NamedValue,
): Data | undefined {
  const [x, y] = inputs;
  const { shape, type } = out;
  if (x === undefined || node.outputs.length !== 1 || volume(shape) > MOST_VALUES) return undefined;
  const [one, two] = [UNARY[node.op], BINARY[node.op]];
  if (one !== undefined) return dataOf(type, volume(shape), (at) => one(Number(x.data[at] ?? 0)));
  if (two !== undefined && y !== undefined) {
    const [a, b] = [broadcastRead(x, shape), broadcastRead(y, shape)];
    return dataOf(type, volume(shape), (at) => two(a(at), b(at)));
  }
  return MOVES[node.op]?.(node, inputs, out);
}

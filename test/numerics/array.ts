/** Arithmetic on dense arrays of doubles in plain loops: what the oracles of the tests are made of. */
import { strides, volume } from "../../attention/tensor.ts";

export interface Doubles {
  readonly shape: readonly number[];
  readonly data: Float64Array;
}

export const doubles = (shape: readonly number[], data?: ArrayLike<number>): Doubles => ({
  shape,
  data: data === undefined ? new Float64Array(volume(shape)) : Float64Array.from(data),
});

/** The array whose value at every index is `formula(index)`. */
export function fill(
  shape: readonly number[],
  formula: (index: readonly number[]) => number,
): Doubles {
  const out = doubles(shape);
  const step = strides(shape);
  for (let at = 0; at < out.data.length; at++) {
    const index = shape.map((size, axis) => Math.floor(at / (step[axis] ?? 1)) % size);
    out.data[at] = formula(index);
  }
  return out;
}

/** Reads by index; an axis of length 1 answers every index, axes in front that `x` lacks are ignored. */
export function reading({ shape, data }: Doubles): (index: readonly number[]) => number {
  const step = strides(shape).map((stride, axis) => (shape[axis] === 1 ? 0 : stride));
  return (index) => {
    const extra = index.length - shape.length;
    let at = 0;
    for (let axis = 0; axis < shape.length; axis++)
      at += (index[axis + extra] ?? 0) * (step[axis] ?? 0);
    return data[at] ?? Number.NaN;
  };
}

export function broadcastShape(shapes: readonly (readonly number[])[]): number[] {
  const rank = Math.max(...shapes.map((s) => s.length));
  return Array.from({ length: rank }, (_, axis) =>
    Math.max(...shapes.map((s) => s[axis - rank + s.length] ?? 1)),
  );
}

/** Applies `f` elementwise to arrays that broadcast. */
export function zip(f: (...values: number[]) => number, ...arrays: readonly Doubles[]): Doubles {
  const shape = broadcastShape(arrays.map((a) => a.shape));
  const at = arrays.map((array) => offsets(array, shape));
  const out = doubles(shape);
  for (let i = 0; i < out.data.length; i++)
    out.data[i] = f(...arrays.map(({ data }, k) => data[at[k]?.(i) ?? 0] ?? Number.NaN));
  return out;
}

/** Where each element of `shape` lies in an array that broadcasts to it. */
function offsets(x: Doubles, shape: readonly number[]): (at: number) => number {
  if (volume(x.shape) === volume(shape)) return (at) => at;
  if (x.data.length === 1) return () => 0;
  const extra = shape.length - x.shape.length;
  const own = strides(x.shape).map((stride, axis) => (x.shape[axis] === 1 ? 0 : stride));
  const step = strides(shape);
  return (at) => {
    let place = 0;
    for (let axis = extra; axis < shape.length; axis++)
      place += (Math.floor(at / (step[axis] ?? 1)) % (shape[axis] ?? 1)) * (own[axis - extra] ?? 0);
    return place;
  };
}

export function matmul(a: Doubles, b: Doubles): Doubles {
  const [rows, inner, columns] = [a.shape.at(-2) ?? 0, a.shape.at(-1) ?? 0, b.shape.at(-1) ?? 0];
  const batch = broadcastShape([a.shape.slice(0, -2), b.shape.slice(0, -2)]);
  const out = doubles([...batch, rows, columns]);
  const matrices = (x: Doubles) => {
    const count = fill(x.shape.slice(0, -2), () => 0);
    return offsets(count, batch);
  };
  const [inA, inB] = [matrices(a), matrices(b)];
  for (let at = 0; at < volume(batch); at++) {
    const [fromA, fromB] = [inA(at) * rows * inner, inB(at) * inner * columns];
    for (let i = 0; i < rows; i++) {
      for (let j = 0; j < columns; j++) {
        let total = 0;
        for (let k = 0; k < inner; k++)
          total += (a.data[fromA + i * inner + k] ?? 0) * (b.data[fromB + k * columns + j] ?? 0);
        out.data[(at * rows + i) * columns + j] = total;
      }
    }
  }
  return out;
}

/** Every index of a shape, last axis fastest. */
export function* indices(shape: readonly number[]): Generator<number[]> {
  const step = strides(shape);
  for (let at = 0; at < volume(shape); at++)
    yield shape.map((size, axis) => Math.floor(at / (step[axis] ?? 1)) % size);
}

/** Reduces axes, which stay with length 1. */
export function reduce(
  x: Doubles,
  axes: readonly number[],
  how: "sum" | "mean" | "max" | "min",
): Doubles {
  const read = reading(x);
  const window = axes.map((axis) => x.shape[axis] ?? 1);
  const kept = x.shape.map((size, axis) => (axes.includes(axis) ? 1 : size));
  return fill(kept, (index) => {
    const values = [];
    for (const inner of indices(window)) {
      const at = [...index];
      for (const [i, axis] of axes.entries()) at[axis] = inner[i] ?? 0;
      values.push(read(at));
    }
    if (how === "max") return Math.max(...values);
    if (how === "min") return Math.min(...values);
    return values.reduce((s, v) => s + v, 0) / (how === "mean" ? values.length : 1);
  });
}

export function transpose(x: Doubles, perm: readonly number[]): Doubles {
  const read = reading(x);
  return fill(
    perm.map((axis) => x.shape[axis] ?? 0),
    (index) => {
      const at: number[] = [];
      for (const [to, from] of perm.entries()) at[from] = index[to] ?? 0;
      return read(at);
    },
  );
}

export function concat(parts: readonly Doubles[], axis: number): Doubles {
  const sizes = parts.map((part) => part.shape[axis] ?? 0);
  const total = sizes.reduce((a, b) => a + b, 0);
  const reads = parts.map(reading);
  return fill((parts[0]?.shape ?? []).with(axis, total), (index) => {
    let [part, place] = [0, index[axis] ?? 0];
    while (place >= (sizes[part] ?? Infinity)) place -= sizes[part++] ?? 0;
    return reads[part]?.(index.with(axis, place)) ?? Number.NaN;
  });
}

/** Zeros (or `value`) around; negative numbers cut. */
export function pad(
  x: Doubles,
  before: readonly number[],
  after: readonly number[],
  value = 0,
): Doubles {
  const read = reading(x);
  const shape = x.shape.map((size, axis) => size + (before[axis] ?? 0) + (after[axis] ?? 0));
  return fill(shape, (index) => {
    const at = index.map((i, axis) => i - (before[axis] ?? 0));
    // An axis of length 1 answers every index, so the range is checked here.
    return at.every((i, axis) => i >= 0 && i < (x.shape[axis] ?? 0)) ? read(at) : value;
  });
}

export function gather(x: Doubles, axis: number, at: Doubles): Doubles {
  const [read, places] = [reading(x), reading(at)];
  const wide = at.shape.length;
  const size = x.shape[axis] ?? 0;
  return fill(x.shape.toSpliced(axis, 1, ...at.shape), (index) => {
    const place = places(index.slice(axis, axis + wide));
    return read(index.toSpliced(axis, wide, place < 0 ? place + size : place));
  });
}

/** The largest `k` of the last axis, earlier ones first among equals. */
export function topK(x: Doubles, k: number): { values: Doubles; indices: Doubles } {
  const read = reading(x);
  const n = x.shape.at(-1) ?? 0;
  const found = x.shape.with(-1, k);
  const order = (front: readonly number[]) =>
    Array.from({ length: n }, (_, i) => i).sort(
      (a, b) => read([...front, b]) - read([...front, a]) || a - b,
    );
  const places = fill(found, (index) => order(index.slice(0, -1))[index.at(-1) ?? 0] ?? 0);
  const where = reading(places);
  const values = fill(found, (index) => read([...index.slice(0, -1), where(index)]));
  return { values, indices: places };
}

export function softmax(x: Doubles, axis: number): Doubles {
  const top = reduce(x, [axis], "max");
  const e = zip((a, b) => Math.exp(a - b), x, top);
  return zip((a, b) => a / b, e, reduce(e, [axis], "sum"));
}

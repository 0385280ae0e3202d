/**
 * A graph that computes at once, in double precision and plain loops: the second oracle for anything that lowers.
 * It shares no code with the builder but the port.
 */
import type {
  Binary,
  ConvOptions,
  ElementType,
  Graph,
  Rearranged,
  Unary,
  Value,
} from "../attention/graph.ts";
import { tensor, volume } from "../attention/tensor.ts";
import type { Tensor } from "../attention/tensor.ts";
import { resampling } from "../models/onnx/resample.ts";
import * as array from "./numerics/array.ts";
import { doubles, zip } from "./numerics/array.ts";
import type { Doubles } from "./numerics/array.ts";
import * as maps from "./numerics/maps.ts";
import type { Window } from "./numerics/maps.ts";
import * as scalar from "./numerics/scalar.ts";

/** A graph that computes, and the way in and out of it. */
export interface Eager {
  readonly graph: Graph;
  readonly put: <L extends string>(t: Tensor<L>, type?: ElementType) => Value<L>;
  readonly read: <L extends string>(v: Value<L>) => Tensor<L>;
  /** The numbers before they are rounded to float32. */
  readonly doubles: (v: Value) => Float64Array;
}

const UNARY: Record<Unary, (x: number) => number> = {
  exp: Math.exp,
  log: Math.log,
  sqrt: Math.sqrt,
  reciprocal: (x) => 1 / x,
  neg: (x) => -x,
  abs: Math.abs,
  tanh: Math.tanh,
  atan: Math.atan,
  sin: Math.sin,
  cos: Math.cos,
  erf: scalar.erf,
  sigmoid: scalar.sigmoid,
  relu: (x) => Math.max(x, 0),
  elu: (x) => (x > 0 ? x : Math.expm1(x)),
  softplus: scalar.softplus,
  silu: (x) => x * scalar.sigmoid(x),
  hardswish: scalar.hardswish,
  gelu: scalar.gelu,
  geluTanh: scalar.geluTanh,
  floor: Math.floor,
  round: scalar.roundEven,
  not: (x) => 1 - x,
};

const BINARY: Record<Binary, (a: number, b: number) => number> = {
  add: (a, b) => a + b,
  sub: (a, b) => a - b,
  mul: (a, b) => a * b,
  div: (a, b) => a / b,
  pow: (a, b) => a ** b,
  min: Math.min,
  max: Math.max,
  equal: (a, b) => Number(a === b),
  less: (a, b) => Number(a < b),
  greater: (a, b) => Number(a > b),
  and: (a, b) => Number(a !== 0 && b !== 0),
  or: (a, b) => Number(a !== 0 || b !== 0),
};
const COMPARES: readonly Binary[] = ["equal", "less", "greater", "and", "or"];

const pair = (value: number | readonly [number, number] = 1): readonly [number, number] =>
  typeof value === "number" ? [value, value] : value;

function windowOf({ stride, pad = 0, dilation, groups = 1 }: ConvOptions): Window {
  const [top, left] = pair(pad);
  return {
    strides: pair(stride),
    dilations: pair(dilation),
    pads: [top, left, top, left],
    groups,
  };
}

const groupsOf = (side: string): string[][] =>
  [...side.matchAll(/\(([^)]*)\)|\S+/g)].map((m) => (m[1] ?? m[0]).split(" "));

/** einops by index arithmetic: every result looks up where it came from. */
function rearranged(x: Doubles, pattern: string, given: Readonly<Record<string, number>>) {
  const [left = "", right = ""] = pattern.split(" -> ");
  const size: Record<string, number> = { ...given };
  for (const [i, names] of groupsOf(left).entries()) {
    const known = names.reduce((p, n) => p * (size[n] ?? 1), 1);
    for (const n of names) size[n] ??= (x.shape[i] ?? 0) / known;
  }
  const [from, to] = [groupsOf(left).flat(), groupsOf(right).flat()];
  const lengths = (names: readonly string[]) => names.map((n) => size[n] ?? 1);
  const read = array.reading(doubles(lengths(from), x.data));
  const moved = array.fill(lengths(to), (index) =>
    read(from.map((n) => index[to.indexOf(n)] ?? 0)),
  );
  const shape = groupsOf(right).map((g) => lengths(g).reduce((a, b) => a * b, 1));
  const layout = groupsOf(right)
    .map((g) => g.join(""))
    .join(" ");
  return { layout, array: doubles(shape, moved.data) };
}

function resized(
  x: Doubles,
  [rows, columns]: readonly [number, number],
  how: "nearest" | "bilinear" | "bicubic",
  antialias: boolean,
): Doubles {
  if (how === "nearest" || (how === "bilinear" && !antialias))
    return maps.resize(x, [rows, columns], how);
  const [, , Y = 0, X = 0] = x.shape;
  const matrix = (from: number, to: number) =>
    doubles([to, from], resampling(how, from, to, { antialias }));
  const across = array.transpose(matrix(X, columns), [1, 0]);
  return array.matmul(matrix(Y, rows), array.matmul(x, across));
}

/**
 * Makes an eager graph.
 *
 * @param weights  gives the values of weights and buffers by name; buffers that come with data ask nobody
 */
export function eager(
  weights: (name: string, shape: readonly number[]) => ArrayLike<number>,
): Eager {
  const held = new Map<number, Doubles>();
  const keep = <L extends string>(
    layout: L,
    x: Doubles,
    type: ElementType = "float32",
  ): Value<L> => {
    const id = held.size;
    held.set(id, x);
    return { id, layout, shape: x.shape, type };
  };
  const get = (v: Value): Doubles => held.get(v.id) ?? doubles([0]);
  const operand = (v: Value | number) => (typeof v === "number" ? doubles([], [v]) : get(v));
  const axisOf = (x: Value, axis: string) => x.layout.split(" ").indexOf(axis);
  const binary = <L extends string>(op: Binary, a: Value<L>, b: Value | number): Value<L> => {
    const wider = typeof b !== "number" && b.shape.length > a.shape.length ? b : a;
    const type = COMPARES.includes(op) ? "bool" : a.type;
    return keep(wider.layout as L, zip(BINARY[op], get(a), operand(b)), type);
  };
  const build = (scope: string): Graph => {
    const graph: Graph = {
      at: (name) => build(`${scope}${name}.`),
      weight: (name, layout, shape) => keep(layout, doubles(shape, weights(scope + name, shape))),
      buffer: (name, layout, shape, init) =>
        keep(
          layout,
          doubles(shape, init instanceof Float32Array ? init : weights(scope + name, shape)),
        ),
      constant: (layout, shape, data) =>
        keep(
          layout,
          doubles(shape, Array.from(data, Number)),
          data instanceof BigInt64Array ? "int64" : data instanceof Uint8Array ? "bool" : "float32",
        ),
      unary: (op, x) => keep(x.layout, zip(UNARY[op], get(x)), x.type),
      binary,
      add: (a, b) => binary("add", a, b),
      sub: (a, b) => binary("sub", a, b),
      mul: (a, b) => binary("mul", a, b),
      div: (a, b) => binary("div", a, b),
      scale: (x, by) => binary("mul", x, by),
      where(condition, a, b) {
        const values = [condition, a, b].filter((v) => typeof v !== "number");
        const widest = values.reduce((x, y) => (y.shape.length > x.shape.length ? y : x));
        const named = [a, b].find(
          (v) => typeof v !== "number" && v.shape.length === widest.shape.length,
        );
        const { layout } = typeof named === "object" ? named : widest;
        const type = [a, b].find((v) => typeof v !== "number")?.type;
        const chosen = zip((c, x, y) => (c ? x : y), get(condition), operand(a), operand(b));
        return keep(layout as never, chosen, type);
      },
      detach: (x) => x,
      cast: (x, type) =>
        keep(
          x.layout,
          zip(
            type === "bool" ? (v) => Number(v !== 0) : type === "int64" ? Math.trunc : (v) => v,
            get(x),
          ),
          type,
        ),
      matmul: (a, b, layout) => keep(layout, array.matmul(get(a), get(b))),
      softmax: (x) => keep(x.layout, array.softmax(get(x), x.shape.length - 1)),
      reduce: (how, x, axes) =>
        keep(
          x.layout,
          array.reduce(
            get(x),
            axes.map((axis) => axisOf(x, axis)),
            how,
          ),
          x.type,
        ),
      rearrange<const P extends string>(
        x: Value,
        pattern: P,
        sizes: Readonly<Record<string, number>> = {},
      ) {
        const { layout, array: moved } = rearranged(get(x), pattern, sizes);
        return keep(layout as Rearranged<P>, moved, x.type);
      },
      rename: (x, layout) => keep(layout, get(x), x.type),
      expand: (x, layout, shape) =>
        keep(
          layout,
          zip((v) => v, get(x), doubles(shape)),
          x.type,
        ),
      reshape: (x, layout, shape) => keep(layout, doubles(shape, get(x).data), x.type),
      concat: (parts, axis) => {
        const [head] = parts;
        if (head === undefined) throw new RangeError("concat: parts must not be empty");
        return keep(head.layout, array.concat(parts.map(get), axisOf(head, axis)), head.type);
      },
      slice(x, axis, start, end) {
        const at = axisOf(x, axis);
        const cut = (size: number) => x.shape.map((_, i) => (i === at ? size : 0));
        const size = x.shape[at] ?? 0;
        return keep(x.layout, array.pad(get(x), cut(-start), cut(end - size)), x.type);
      },
      pad(x, axis, before, after, value = 0) {
        const grow = (size: number) => x.shape.map((_, i) => (i === axisOf(x, axis) ? size : 0));
        return keep(x.layout, array.pad(get(x), grow(before), grow(after), value), x.type);
      },
      gather: (x, axis, at, layout) =>
        keep(layout, array.gather(get(x), axisOf(x, axis), get(at)), x.type),
      topK(x, k) {
        const { values, indices } = array.topK(get(x), k);
        return { values: keep(x.layout, values), indices: keep(x.layout, indices, "int64") };
      },
      conv: (x, weight, bias, options = {}) =>
        keep("B C Y X", maps.conv(get(x), get(weight), bias && get(bias), windowOf(options))),
      convTranspose: (x, weight, bias, options = {}) =>
        keep(
          "B C Y X",
          maps.convTranspose(get(x), get(weight), bias && get(bias), windowOf(options)),
        ),
      averagePool: (x, size, options = {}) =>
        keep("B C Y X", maps.pool("mean", get(x), [size, size], windowOf(options)).values),
      maxPool: (x, size, options = {}) =>
        keep("B C Y X", maps.pool("max", get(x), [size, size], windowOf(options)).values),
      resize: (x, { rows, columns }, how, { antialias = false } = {}) =>
        keep("B C Y X", resized(get(x), [rows, columns], how, antialias)),
      gridSample: (x, grid) => keep("B C Y X", maps.gridSample(get(x), get(grid))),
      layerNorm: (x, scale, bias, eps) =>
        keep(x.layout, maps.layerNorm(get(x), get(scale), bias && get(bias), eps).values),
      batchNorm(x, parameters, { eps }) {
        const wide = (v: Value) => doubles([volume(v.shape), 1, 1], get(v).data);
        const { scale, bias, mean, variance } = parameters;
        const normal = zip(
          (v, s, b, m, q) => ((v - m) / Math.sqrt(q + eps)) * s + b,
          get(x),
          ...[scale, bias, mean, variance].map(wide),
        );
        return keep("B C Y X", normal);
      },
      call: (_name, _attributes, inputs, body) => body(build(scope), inputs),
    };
    return graph;
  };
  return {
    graph: build(""),
    put: (t, type) => keep(t.layout, doubles(t.shape, t.data), type),
    read: (v) => tensor(v.layout, v.shape, Float32Array.from(get(v).data)),
    doubles: (v) => get(v).data,
  };
}

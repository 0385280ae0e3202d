/**
 * Runs a graph in double precision and plain loops, node by node as the ONNX operator documents describe them:
 * what finite differences are taken of, and what gradients are compared with.
 */
import { volume } from "../attention/tensor.ts";
import type { AttributeValue, OnnxGraph, OnnxNode } from "../models/onnx/graph.ts";
import { inlineFunctions } from "../models/onnx/inline.ts";
import * as array from "./numerics/array.ts";
import { doubles, zip } from "./numerics/array.ts";
import type { Doubles } from "./numerics/array.ts";
import * as maps from "./numerics/maps.ts";
import * as scalar from "./numerics/scalar.ts";

type Attributes = Readonly<Record<string, AttributeValue>>;

const UNARY: Readonly<Record<string, (x: number, attributes: Attributes) => number>> = {
  Exp: Math.exp,
  Log: Math.log,
  Sqrt: Math.sqrt,
  Reciprocal: (x) => 1 / x,
  Neg: (x) => -x,
  Abs: Math.abs,
  Sign: Math.sign,
  Tanh: Math.tanh,
  Atan: Math.atan,
  Sin: Math.sin,
  Cos: Math.cos,
  Erf: scalar.erf,
  Sigmoid: scalar.sigmoid,
  Relu: (x) => Math.max(x, 0),
  Elu: (x) => (x > 0 ? x : Math.expm1(x)),
  Softplus: scalar.softplus,
  HardSwish: scalar.hardswish,
  Gelu: (x, { approximate }) => (approximate === "tanh" ? scalar.geluTanh(x) : scalar.gelu(x)),
  Floor: Math.floor,
  Round: scalar.roundEven,
  Not: (x) => 1 - x,
  Identity: (x) => x,
  Cast: (x, { to }) => (to === 9 ? Number(x !== 0) : to === 7 ? Math.trunc(x) : x),
};

const BINARY: Readonly<Record<string, (a: number, b: number) => number>> = {
  Add: (a, b) => a + b,
  Sub: (a, b) => a - b,
  Mul: (a, b) => a * b,
  Div: (a, b) => a / b,
  Pow: (a, b) => a ** b,
  Min: Math.min,
  Max: Math.max,
  Equal: (a, b) => Number(a === b),
  Less: (a, b) => Number(a < b),
  Greater: (a, b) => Number(a > b),
  And: (a, b) => a * b,
  Or: (a, b) => Math.max(a, b),
};

/** Inputs and attributes of one node, as its formula reads them. */
interface Call {
  readonly x: Doubles;
  readonly at: (i: number) => Doubles;
  readonly given: (i: number) => Doubles | undefined;
  readonly numbers: (i: number) => number[];
  readonly attributes: Attributes;
}

const listOf = (attributes: Attributes, name: string, otherwise: readonly number[]) => {
  const value = attributes[name];
  return typeof value === "object" ? value : otherwise;
};
const axisOf = ({ attributes: { axis = -1 }, x }: Call) =>
  Number(axis) < 0 ? Number(axis) + x.shape.length : Number(axis);

function windowOf(attributes: Attributes): maps.Window {
  const [sY = 1, sX = 1] = listOf(attributes, "strides", []);
  const [dY = 1, dX = 1] = listOf(attributes, "dilations", []);
  const [top = 0, left = 0, bottom = 0, right = 0] = listOf(attributes, "pads", []);
  const groups = Number(attributes["group"] ?? 1);
  return { strides: [sY, sX], dilations: [dY, dX], pads: [top, left, bottom, right], groups };
}

function reduction(how: "sum" | "mean" | "max" | "min") {
  return ({ x, numbers, attributes }: Call): Doubles[] => {
    const axes = numbers(1).map((axis) => (axis < 0 ? axis + x.shape.length : axis));
    const out = array.reduce(x, axes, how);
    const shape = out.shape.filter((_, axis) => !axes.includes(axis));
    return [attributes["keepdims"] === 0 ? doubles(shape, out.data) : out];
  };
}

function pool(how: "mean" | "max") {
  return ({ x, attributes }: Call): Doubles[] => {
    const [kY = 1, kX = 1] = listOf(attributes, "kernel_shape", []);
    const { values, places } = maps.pool(how, x, [kY, kX], windowOf(attributes));
    return [values, places];
  };
}

function scatter(
  x: Doubles,
  places: Doubles,
  updates: Doubles,
  placeOf: (i: readonly number[]) => number[],
) {
  const out = doubles(x.shape, x.data);
  const step = x.shape.map((_, axis) => volume(x.shape.slice(axis + 1)));
  const read = array.reading(updates);
  for (const index of array.indices(updates.shape)) {
    const at = placeOf(index).reduce((sum, i, axis) => sum + i * (step[axis] ?? 0), 0);
    out.data[at] = (out.data[at] ?? 0) + read(index);
  }
  return [out];
}

const FORMULAS: Readonly<Record<string, (call: Call) => Doubles[]>> = {
  Where: ({ at }) => [zip((c, a, b) => (c ? a : b), at(0), at(1), at(2))],
  MatMul: ({ x, at }) => [array.matmul(x, at(1))],
  ReduceSum: reduction("sum"),
  ReduceMean: reduction("mean"),
  ReduceMax: reduction("max"),
  ReduceMin: reduction("min"),
  Softmax: (call) => [array.softmax(call.x, axisOf(call))],
  LogSoftmax: (call) => [zip(Math.log, array.softmax(call.x, axisOf(call)))],
  Reshape: ({ x, numbers }) => {
    const shape = numbers(1);
    const known = volume(shape.filter((n) => n > 0));
    return [
      doubles(
        shape.map((n) => (n < 0 ? x.data.length / known : n)),
        x.data,
      ),
    ];
  },
  Transpose: ({ x, attributes }) => [array.transpose(x, listOf(attributes, "perm", []))],
  Expand: ({ x, numbers }) => [zip((v) => v, x, doubles(numbers(1)))],
  Concat: (call) => {
    const parts = [];
    for (let i = 0, part = call.given(0); part !== undefined; part = call.given(++i))
      parts.push(part);
    return [array.concat(parts, axisOf(call))];
  },
  Slice: ({ x, numbers }) => {
    const [starts, ends, axes, steps] = [numbers(1), numbers(2), numbers(3), numbers(4)];
    const read = array.reading(x);
    const along = x.shape.map((size, axis) => {
      const i = axes.indexOf(axis);
      return i < 0
        ? { start: 0, step: 1, count: size }
        : {
            start: starts[i] ?? 0,
            step: steps[i] ?? 1,
            count: Math.ceil(((ends[i] ?? 0) - (starts[i] ?? 0)) / (steps[i] ?? 1)),
          };
    });
    return [
      array.fill(
        along.map((a) => a.count),
        (index) =>
          read(index.map((i, axis) => (along[axis]?.start ?? 0) + i * (along[axis]?.step ?? 1))),
      ),
    ];
  },
  Pad: ({ x, numbers, given }) => {
    const [pads, axes] = [numbers(1), numbers(3)];
    const at = (first: number) =>
      x.shape.map((_, axis) => (axes.includes(axis) ? (pads[axes.indexOf(axis) + first] ?? 0) : 0));
    return [array.pad(x, at(0), at(axes.length), given(2)?.data[0] ?? 0)];
  },
  Gather: (call) => [array.gather(call.x, axisOf(call), call.at(1))],
  GatherElements: (call) => {
    const [read, places, axis] = [array.reading(call.x), array.reading(call.at(1)), axisOf(call)];
    return [array.fill(call.at(1).shape, (index) => read(index.with(axis, places(index))))];
  },
  ScatterElements: (call) => {
    const [places, axis] = [array.reading(call.at(1)), axisOf(call)];
    return scatter(call.x, call.at(1), call.at(2), (index) => index.with(axis, places(index)));
  },
  ScatterND: ({ x, at }) => {
    const places = array.reading(at(1));
    const wide = at(1).shape.length - 1;
    return scatter(x, at(1), at(2), (index) => [
      places([...index.slice(0, wide), 0]),
      ...index.slice(wide),
    ]);
  },
  TopK: ({ x, numbers }) => {
    const { values, indices } = array.topK(x, numbers(1)[0] ?? 0);
    return [values, indices];
  },
  Conv: ({ x, at, given, attributes }) => [maps.conv(x, at(1), given(2), windowOf(attributes))],
  ConvTranspose: ({ x, at, given, attributes }) => {
    const window = windowOf(attributes);
    const [top, left, bottom, right] = window.pads;
    // What is cut off less is there more.
    const [down = 0, across = 0] = listOf(attributes, "output_padding", []);
    const pads = [top, left, bottom - down, right - across] as const;
    return [maps.convTranspose(x, at(1), given(2), { ...window, pads })];
  },
  AveragePool: pool("mean"),
  MaxPool: pool("max"),
  Resize: ({ x, given, numbers, attributes }) => {
    const scales = given(2);
    const to = scales ? x.shape.map((size, i) => size * (scales.data[i] ?? 1)) : numbers(3);
    const how = attributes["mode"] === "nearest" ? "nearest" : "bilinear";
    return [maps.resize(x, [to[2] ?? 0, to[3] ?? 0], how)];
  },
  GridSample: ({ x, at }) => [maps.gridSample(x, at(1))],
  LayerNormalization: ({ x, at, given, attributes }) => {
    const eps = Number(attributes["epsilon"]);
    const { values, mean, inverse } = maps.layerNorm(x, at(1), given(2), eps);
    return [values, mean, inverse];
  },
  BatchNormalization: ({ x, at, attributes }) => {
    const [eps, momentum] = [Number(attributes["epsilon"]), Number(attributes["momentum"] ?? 0.9)];
    const wide = (v: Doubles) => doubles([v.data.length, 1, 1], v.data);
    const normal = (mean: Doubles, variance: Doubles) =>
      zip(
        (v = 0, s = 0, b = 0, m = 0, q = 0) => ((v - m) / Math.sqrt(q + eps)) * s + b,
        x,
        ...[at(1), at(2), mean, variance].map(wide),
      );
    if (attributes["training_mode"] !== 1) return [normal(at(3), at(4))];
    const over = (values: Doubles) => {
      const found = array.reduce(values, [0, 2, 3], "mean");
      return doubles([found.data.length], found.data);
    };
    const mean = over(x);
    const variance = over(zip((v = 0, m = 0) => (v - m) ** 2, x, wide(mean)));
    const follow = (running: Doubles, now: Doubles) =>
      zip((r = 0, n = 0) => r * momentum + n * (1 - momentum), running, now);
    return [normal(mean, variance), follow(at(3), mean), follow(at(4), variance)];
  },
};

function runNode(node: OnnxNode, held: ReadonlyMap<string, Doubles>): Doubles[] {
  const given = (i: number) => held.get(node.inputs[i] ?? "");
  const at = (i: number) => {
    const value = given(i);
    if (value === undefined) throw new RangeError(`${node.op}: no input ${i}`);
    return value;
  };
  const { attributes } = node;
  const [unary, binary, formula] = [UNARY[node.op], BINARY[node.op], FORMULAS[node.op]];
  if (unary) return [zip((x) => unary(x, attributes), at(0))];
  if (binary) return [zip(binary, at(0), at(1))];
  if (formula === undefined) throw new TypeError(`interpret: no formula for ${node.op}`);
  return formula({ x: at(0), at, given, numbers: (i) => [...at(i).data], attributes });
}

/** Every value of a graph, from its inputs and weights. */
export function interpret(
  graph: OnnxGraph,
  feeds: Readonly<Record<string, ArrayLike<number>>>,
): ReadonlyMap<string, Doubles> {
  const flat = inlineFunctions(graph);
  const shapeOf = (name: string) => flat.values.get(name)?.shape ?? [];
  const held = new Map<string, Doubles>();
  for (const [name, data] of Object.entries(feeds)) held.set(name, doubles(shapeOf(name), data));
  for (const [name, data] of flat.constants)
    held.set(name, doubles(shapeOf(name), Array.from(data, Number)));
  for (const node of flat.nodes) {
    const results = runNode(node, held);
    for (const [i, name] of node.outputs.entries()) held.set(name, results[i] ?? doubles([0]));
  }
  return held;
}

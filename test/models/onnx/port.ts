/** One small graph for every operation of the port, with sizes that make mistakes show. */
import type { Graph, Unary, Value } from "../../../attention/graph.ts";
import { buildGraph } from "../../../models/onnx/builder.ts";
import type { OnnxGraph } from "../../../models/onnx/graph.ts";

export interface PortCase {
  readonly inputs: Readonly<Record<string, readonly [layout: string, ...shape: number[]]>>;
  readonly write: (g: Graph, inputs: Readonly<Record<string, Value>>) => Value;
  /** Where the function is smooth, so that finite differences hold. @default true */
  readonly smooth?: boolean;
  /** Inputs are made positive. */
  readonly positive?: boolean;
}

const SMOOTH: readonly Unary[] = [
  "exp", "log", "sqrt", "reciprocal", "neg", "abs", "tanh", "atan", "sin", "cos", "erf", "sigmoid",
  "relu", "elu", "softplus", "silu", "hardswish", "gelu", "geluTanh",
]; // prettier-ignore

const map = ["B C Y X", 2, 4, 5, 6] as const;
type Map4 = Value<"B C Y X">;

const unary = (op: Unary, smooth: boolean): PortCase => ({
  inputs: { x: ["A B", 3, 5] },
  write: (g, { x }) => g.unary(op, x as Value),
  positive: op === "log" || op === "sqrt" || op === "reciprocal",
  smooth,
});

const binaries = (["add", "sub", "mul", "div", "pow", "min", "max"] as const).map(
  (op): [string, PortCase] => [
    op,
    {
      inputs: { a: ["A B C", 2, 3, 4], b: ["B C", 3, 1] },
      write: (g, { a, b }) => g.binary(op, a as Value, b as Value),
      positive: op === "div" || op === "pow",
    },
  ],
);

const conv = (
  weight: readonly [number, number, number, number],
  options: NonNullable<Parameters<Graph["conv"]>[3]>,
  transpose = false,
): PortCase => ({
  inputs: {
    x: map,
    w: ["O I P Q", ...weight],
    b: ["O", transpose ? weight[1] * (options.groups ?? 1) : weight[0]],
  },
  write: (g, { x, w, b }) =>
    g[transpose ? "convTranspose" : "conv"](x as Map4, w as Value, b, options),
});

const onMap = (write: (g: Graph, x: Map4) => Value, smooth = true): PortCase => ({
  inputs: { x: map },
  write: (g, { x }) => write(g, x as Map4),
  smooth,
});

const indices = (g: Graph, shape: readonly number[], ...values: readonly number[]) =>
  g.constant(shape.map((_, i) => `I${i}`).join(" "), shape, BigInt64Array.from(values, BigInt));

export const PORT_CASES: Readonly<Record<string, PortCase>> = {
  ...Object.fromEntries(SMOOTH.map((op) => [op, unary(op, true)])),
  floor: unary("floor", false),
  round: unary("round", false),
  ...Object.fromEntries(binaries),
  scale: { inputs: { x: ["A B", 2, 3] }, write: (g, { x }) => g.scale(x as Value, 0.3) },
  number: { inputs: { x: ["A B", 2, 3] }, write: (g, { x }) => g.div(g.add(x as Value, 2), 3) },
  where: {
    inputs: { a: ["A B", 2, 3], b: ["B", 3] },
    write: (g, { a, b }) =>
      g.where(g.binary("less", a as Value, b as Value), a as Value, g.mul(b as Value, 2)),
  },
  "where, a number": {
    inputs: { a: ["A B", 2, 3] },
    write: (g, { a }) =>
      g.where(g.unary("not", g.binary("greater", a as Value, 0)), g.mul(a as Value, a as Value), 7),
  },
  "and, or, equal": {
    inputs: { a: ["A B", 2, 3], b: ["A B", 2, 3] },
    write: (g, { a, b }) => {
      const [p, q] = [g.binary("greater", a as Value, 0), g.binary("less", b as Value, 0.2)];
      const both = g.cast(g.binary("and", p, q), "float32");
      return g.add(
        both,
        g.cast(g.binary("equal", g.cast(g.binary("or", p, q), "float32"), both), "float32"),
      );
    },
    smooth: false,
  },
  cast: {
    inputs: { x: ["A B", 2, 3] },
    write: (g, { x }) => g.cast(g.mul(g.cast(g.scale(x as Value, 5), "int64"), 3), "float32"),
    smooth: false,
  },
  matmul: {
    inputs: { a: ["A B N K", 2, 1, 3, 4], b: ["B K M", 3, 4, 2] },
    write: (g, { a, b }) => g.matmul(a as Value, b as Value, "A B N M"),
  },
  "matmul by a shared matrix": {
    inputs: { a: ["B N K", 2, 3, 4], b: ["K M", 4, 5] },
    write: (g, { a, b }) => g.matmul(a as Value, b as Value, "B N M"),
  },
  softmax: { inputs: { x: ["A B", 3, 5] }, write: (g, { x }) => g.softmax(x as Value) },
  ...Object.fromEntries(
    (["sum", "mean", "max", "min"] as const).map((how) => [
      `reduce ${how}`,
      {
        inputs: { x: ["A B C", 2, 3, 4] },
        write: (g: Graph, { x }: Record<string, Value>) => g.reduce(how, x as Value, ["A", "C"]),
      } satisfies PortCase,
    ]),
  ),
  "rearrange heads": {
    inputs: { x: ["B N C", 2, 3, 8] },
    write: (g, { x }) => g.rearrange(x as Value, "B N (H D) -> B H N D", { H: 2 }),
  },
  "rearrange windows": {
    inputs: { x: map },
    write: (g, { x }) =>
      g.rearrange(x as Value, "B C (R P) (W Q) -> (B R W) (P Q) C", { R: 5, W: 2 }),
  },
  "rearrange, batch of one": {
    inputs: { x: ["B N C", 1, 3, 4] },
    write: (g, { x }) => g.rearrange(x as Value, "B N C -> C B N"),
  },
  expand: {
    inputs: { x: ["A B", 1, 3] },
    write: (g, { x }) => g.expand(x as Value, "C A B", [2, 4, 3]),
  },
  reshape: {
    inputs: { x: ["A B", 4, 3] },
    write: (g, { x }) => g.reshape(x as Value, "A B", [2, 6]),
  },
  concat: {
    inputs: { a: ["A B", 2, 3], b: ["A B", 2, 1] },
    write: (g, { a, b }) => g.concat([a as Value, b as Value, a as Value], "B"),
  },
  slice: { inputs: { x: ["A B", 4, 5] }, write: (g, { x }) => g.slice(x as Value, "B", 1, 4) },
  pad: { inputs: { x: ["A B", 2, 3] }, write: (g, { x }) => g.pad(x as Value, "B", 1, 2) },
  "pad with a number": {
    inputs: { x: ["A B", 2, 3] },
    write: (g, { x }) => g.pad(x as Value, "A", 0, 2, -5),
  },
  "gather rows": {
    inputs: { x: ["A B", 4, 3] },
    write: (g, { x }) => g.gather(x as Value, "A", indices(g, [2, 3], 3, 0, 1, 3, 3, 0), "I J B"),
  },
  "gather inside": {
    inputs: { x: ["A B C", 2, 4, 3] },
    write: (g, { x }) => g.gather(x as Value, "B", indices(g, [2], 2, 2), "A I C"),
  },
  topK: { inputs: { x: ["A B", 3, 6] }, write: (g, { x }) => g.topK(x as Value, 4).values },
  "topK places": {
    inputs: { x: ["A B", 3, 6] },
    write: (g, { x }) => g.cast(g.topK(x as Value, 4).indices, "float32"),
    smooth: false,
  },
  "conv 1×1": conv([3, 4, 1, 1], {}),
  "conv 3×3": conv([3, 4, 3, 3], { pad: 1 }),
  "conv 3×2, stride 2": conv([3, 4, 3, 2], { stride: 2, pad: [1, 0] }),
  "conv, stride 3 leaves pixels": conv([2, 4, 2, 2], { stride: [3, 4] }),
  "conv, dilated": conv([3, 4, 3, 3], { pad: [2, 1], dilation: [2, 1] }),
  "conv, dilated and strided": conv([3, 4, 2, 3], { pad: 2, dilation: 2, stride: [2, 1] }),
  "conv, grouped": conv([6, 2, 3, 3], { pad: 1, groups: 2 }),
  "conv, grouped and strided": conv([6, 2, 3, 3], { pad: 1, groups: 2, stride: 2 }),
  "conv, depthwise": conv([4, 1, 3, 5], { pad: [1, 2], groups: 4 }),
  "conv, depthwise, strided and dilated": conv([4, 1, 2, 2], {
    pad: 1,
    groups: 4,
    stride: 2,
    dilation: 2,
  }),
  "conv, two maps a channel": conv([8, 1, 3, 3], { pad: 1, groups: 4 }),
  "conv, wide padding": conv([3, 4, 1, 2], { pad: [1, 2] }),
  "convTranspose, doubling": conv([4, 3, 2, 2], { stride: 2 }, true),
  "convTranspose, padded": conv([4, 3, 3, 3], { stride: 2, pad: 1 }, true),
  "convTranspose, grouped and dilated": conv(
    [4, 2, 3, 2],
    { groups: 2, dilation: 2, pad: 1 },
    true,
  ),
  averagePool: onMap((g, x) => g.averagePool(x, 3, { stride: 1, pad: 1 })),
  "averagePool, strided": onMap((g, x) => g.averagePool(x, 3, { stride: 2, pad: 1 })),
  "averagePool, halving": onMap((g, x) => g.averagePool(x, 2, { stride: 2 })),
  maxPool: onMap((g, x) => g.maxPool(x, 3, { stride: 1, pad: 1 })),
  "maxPool, strided": onMap((g, x) => g.maxPool(x, 2, { stride: 2 })),
  "resize nearest, whole": onMap((g, x) => g.resize(x, { rows: 10, columns: 18 }, "nearest")),
  "resize nearest, smaller": onMap((g, x) => g.resize(x, { rows: 3, columns: 7 }, "nearest")),
  "resize bilinear": onMap((g, x) => g.resize(x, { rows: 8, columns: 4 }, "bilinear")),
  "resize bicubic": onMap((g, x) => g.resize(x, { rows: 7, columns: 9 }, "bicubic")),
  "resize, antialiased": onMap((g, x) =>
    g.resize(x, { rows: 3, columns: 2 }, "bilinear", { antialias: true }),
  ),
  gridSample: {
    inputs: { x: map, grid: ["B P Q V", 2, 3, 4, 2] },
    write: (g, { x, grid }) => g.gridSample(x as Map4, grid as Value),
  },
  layerNorm: {
    inputs: { x: ["A B C", 2, 3, 5], s: ["C", 5], b: ["C", 5] },
    write: (g, { x, s, b }) => g.layerNorm(x as Value, s as Value, b, 1e-5),
  },
  "layerNorm without bias": {
    inputs: { x: ["A C", 3, 5], s: ["C", 5] },
    write: (g, { x, s }) => g.layerNorm(x as Value, s as Value, undefined, 1e-5),
  },
  batchNorm: {
    inputs: { x: map, scale: ["C", 4], bias: ["C", 4] },
    write: (g, { x, scale, bias }) => {
      const [mean, variance] = [
        g.constant("C", [4], Float32Array.of(0.1, -0.2, 0.3, 0)),
        g.constant("C", [4], Float32Array.of(1, 2, 0.5, 0.7)),
      ];
      const parameters = { scale: scale as Value, bias: bias as Value, mean, variance };
      return g.batchNorm(x as Map4, parameters, { eps: 1e-3, momentum: 0.03 });
    },
  },
  call: {
    inputs: { a: ["A B", 2, 3], b: ["B C", 3, 4] },
    write: (g, { a, b }) => {
      const twice = (f: Graph, x: Value) =>
        f.call("twice", { by: 2 }, [x], (h, [y]) => h.scale(y, 2));
      return g.call("outer", {}, [a as Value, b as Value], (f, [x, y]) =>
        f.matmul(twice(f, x), y, "A C"),
      );
    },
  },
};

/** The graph of a case, with the output `y`. */
export const graphOf = (name: string, { inputs, write }: PortCase): OnnxGraph =>
  buildGraph(name, (g) => {
    const values = Object.entries(inputs).map(([input, [layout, ...shape]]): [string, Value] => [
      input,
      g.input(input, layout, shape),
    ]);
    return { y: write(g, Object.fromEntries(values)) };
  });

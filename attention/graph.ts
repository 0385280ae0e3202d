/**
 * The graph port: what an operator or a network may ask of a graph.
 *
 * `models/onnx` implements it by writing ONNX nodes, `test/eager.ts` by computing at once; the caller
 * cannot tell which. All sizes are known while the graph is written.
 */
import type { Shaped } from "./shape.ts";

/** Element types that a graph carries between its nodes. */
export type ElementType = "float32" | "int64" | "bool";

/** A value of a graph under construction. */
export interface Value<L extends string = string> extends Shaped<L> {
  readonly id: number;
  readonly type: ElementType;
}

type Join<S extends string> = S extends `${infer A} ${infer R}` ? `${A}${Join<R>}` : S;
type Fold<S extends string> = S extends `${infer A}(${infer G})${infer R}`
  ? `${A}${Join<G>}${Fold<R>}`
  : S;

/** The layout a rearrangement gives: a group `(P Q)` becomes the axis `PQ`. */
export type Rearranged<P extends string> = P extends `${string} -> ${infer Out}`
  ? Fold<Out>
  : never;

/** Elementwise functions of one argument, by their ONNX meaning. */
export type Unary =
  | "exp"
  | "log"
  | "sqrt"
  | "reciprocal"
  | "neg"
  | "abs"
  | "tanh"
  | "atan"
  | "sin"
  | "cos"
  | "erf"
  | "sigmoid"
  | "relu"
  | "elu"
  | "softplus"
  | "silu"
  | "hardswish"
  | "gelu"
  | "geluTanh"
  | "floor"
  | "round"
  | "not";

/** Elementwise functions of two arguments that broadcast as NumPy does. */
export type Binary =
  | "add"
  | "sub"
  | "mul"
  | "div"
  | "pow"
  | "min"
  | "max"
  | "equal"
  | "less"
  | "greater"
  | "and"
  | "or";

/** How a weight starts when a network is trained from nothing. */
export type Init =
  | { readonly kind: "constant"; readonly value: number }
  /** Uniform in ±bound. */
  | { readonly kind: "uniform"; readonly bound: number }
  /** Normal, cut off at two standard deviations. */
  | { readonly kind: "normal"; readonly std: number };

/** Geometry of a convolution or pooling window: one number serves both directions. */
export interface WindowOptions {
  readonly stride?: number | readonly [y: number, x: number];
  /** Zeros added on each side. */
  readonly pad?: number | readonly [y: number, x: number];
}

export interface ConvOptions extends WindowOptions {
  readonly groups?: number;
  readonly dilation?: number | readonly [y: number, x: number];
}

/** Plain facts about a function call, kept as ONNX attributes for engines that fuse it. */
export type Attributes = Readonly<Record<string, number | string | readonly number[]>>;

export interface Graph {
  /** The same graph, with `name.` before the names of its weights. */
  readonly at: (name: string) => Graph;
  /** A trainable weight; `init` says how it starts, stored weights replace it. */
  readonly weight: <const L extends string>(
    name: string,
    layout: L,
    shape: readonly number[],
    init: Init,
  ) => Value<L>;
  /** A stored value that is not trained: running statistics, index tables. */
  readonly buffer: <const L extends string>(
    name: string,
    layout: L,
    shape: readonly number[],
    init: Init | Float32Array,
  ) => Value<L>;
  /** A literal. Numbers become float32, `bigint`s int64; `Uint8Array` is bool. */
  readonly constant: <const L extends string>(
    layout: L,
    shape: readonly number[],
    data: Float32Array | BigInt64Array | Uint8Array,
  ) => Value<L>;

  readonly unary: <L extends string>(op: Unary, x: Value<L>) => Value<L>;
  /** Result has the layout of the operand of higher rank (`a` where they are equal). */
  readonly binary: <L extends string>(op: Binary, a: Value<L>, b: Value | number) => Value<L>;
  readonly add: <L extends string>(a: Value<L>, b: Value | number) => Value<L>;
  readonly sub: <L extends string>(a: Value<L>, b: Value | number) => Value<L>;
  readonly mul: <L extends string>(a: Value<L>, b: Value | number) => Value<L>;
  readonly div: <L extends string>(a: Value<L>, b: Value | number) => Value<L>;
  readonly scale: <L extends string>(x: Value<L>, by: number) => Value<L>;
  /** `condition ? a : b`, elementwise, broadcasting. */
  readonly where: <L extends string>(
    condition: Value,
    a: Value<L> | number,
    b: Value<L> | number,
  ) => Value<L>;
  /** The same numbers, but no gradient flows through. */
  readonly detach: <L extends string>(x: Value<L>) => Value<L>;
  readonly cast: <L extends string>(x: Value<L>, type: ElementType) => Value<L>;

  /** Batched matrix product over the last two axes. */
  readonly matmul: <const L extends string>(a: Value, b: Value, layout: L) => Value<L>;
  /** Over the last axis. */
  readonly softmax: <L extends string>(x: Value<L>) => Value<L>;
  /** Reduces the named axes, which stay with length 1. */
  readonly reduce: <L extends string>(
    how: "sum" | "mean" | "max" | "min",
    x: Value<L>,
    axes: readonly string[],
  ) => Value<L>;

  /** As einops: `rearrange(x, "B N (H D) -> B H N D", { H })`. */
  readonly rearrange: <const P extends string>(
    x: Value,
    pattern: P,
    sizes?: Readonly<Record<string, number>>,
  ) => Value<Rearranged<P>>;
  /** Calls the axes by other names. */
  readonly rename: <const L extends string>(x: Value, layout: L) => Value<L>;
  /** Repeats axes of length 1 to `shape`. */
  readonly expand: <const L extends string>(
    x: Value,
    layout: L,
    shape: readonly number[],
  ) => Value<L>;
  readonly reshape: <const L extends string>(
    x: Value,
    layout: L,
    shape: readonly number[],
  ) => Value<L>;
  readonly concat: <L extends string>(parts: readonly Value<L>[], axis: string) => Value<L>;
  /** The half-open range `[start, end)` of one axis. */
  readonly slice: <L extends string>(
    x: Value<L>,
    axis: string,
    start: number,
    end: number,
  ) => Value<L>;
  /** Zeros (or `value`) before and after along one axis. */
  readonly pad: <L extends string>(
    x: Value<L>,
    axis: string,
    before: number,
    after: number,
    value?: number,
  ) => Value<L>;
  /** Rows of `x` along `axis` at `indices`, whose axes replace it. */
  readonly gather: <const L extends string>(
    x: Value,
    axis: string,
    indices: Value,
    layout: L,
  ) => Value<L>;
  /** The `k` largest of the last axis in falling order, and where they were. */
  readonly topK: <L extends string>(
    x: Value<L>,
    k: number,
  ) => { readonly values: Value<L>; readonly indices: Value<L> };

  /** `weight` is `[out, in / groups, kY, kX]`, as ONNX and PyTorch have it. */
  readonly conv: (
    x: Value<"B C Y X">,
    weight: Value,
    bias: Value | undefined,
    options?: ConvOptions,
  ) => Value<"B C Y X">;
  /** `weight` is `[in, out / groups, kY, kX]`. */
  readonly convTranspose: (
    x: Value<"B C Y X">,
    weight: Value,
    bias: Value | undefined,
    options?: ConvOptions,
  ) => Value<"B C Y X">;
  /** Padding zeros are counted in the mean, as PyTorch's default does. */
  readonly averagePool: (
    x: Value<"B C Y X">,
    size: number,
    options?: WindowOptions,
  ) => Value<"B C Y X">;
  readonly maxPool: (
    x: Value<"B C Y X">,
    size: number,
    options?: WindowOptions,
  ) => Value<"B C Y X">;
  /**
   * To an exact size, as PyTorch's `interpolate(align_corners=False)`. With `antialias` the kernel widens
   * where the map shrinks.
   */
  readonly resize: (
    x: Value<"B C Y X">,
    size: { readonly rows: number; readonly columns: number },
    how: "nearest" | "bilinear" | "bicubic",
    options?: { readonly antialias?: boolean },
  ) => Value<"B C Y X">;
  /**
   * Reads `x` at places `(x, y)` in −1…1 from edge to edge: bilinear, zeros outside (PyTorch `grid_sample`,
   * `align_corners=False`). `grid` is `[B, rows, columns, 2]`.
   */
  readonly gridSample: (x: Value<"B C Y X">, grid: Value) => Value<"B C Y X">;

  /** Over the last axis. */
  readonly layerNorm: <L extends string>(
    x: Value<L>,
    scale: Value,
    bias: Value | undefined,
    eps: number,
  ) => Value<L>;
  /**
   * Batch normalisation over `C`. While a network is trained the batch's own statistics are used and the
   * running ones are updated (`momentum` is the weight of the new value); else the running ones are used.
   */
  readonly batchNorm: (
    x: Value<"B C Y X">,
    parameters: {
      readonly scale: Value;
      readonly bias: Value;
      readonly mean: Value;
      readonly variance: Value;
    },
    options: { readonly eps: number; readonly momentum: number },
  ) => Value<"B C Y X">;

  /**
   * Calls an operator as a function of its own (an ONNX model-local function of domain `nadir.attention`).
   * `body` sees the inputs as values of an empty graph; weights must be among `inputs`. Runtimes inline it,
   * an engine that knows `name` may replace it by one kernel.
   */
  readonly call: <const L extends string, const I extends readonly Value[]>(
    name: string,
    attributes: Attributes,
    inputs: I,
    body: (g: Graph, inputs: I) => Value<L>,
  ) => Value<L>;
}

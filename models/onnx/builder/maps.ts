/** Convolutions, pools, resizing and normalisation of feature maps. */
import type { ConvOptions, Graph, Value, WindowOptions } from "../../../attention/index.ts";
import { volume } from "../../../attention/index.ts";
import type { AttributeValue, NamedValue } from "../graph.ts";
import { add, times } from "../operations/write.ts";
import { resampling } from "../resample.ts";
import type { Resampling } from "../resample.ts";
import type { Writer } from "../operations/operation.ts";
import { give, take } from "./desk.ts";
import type { Desk, Place } from "./desk.ts";

type Pair = number | readonly [y: number, x: number];

const pair = (value: Pair = 1): readonly [number, number] =>
  typeof value === "number" ? [value, value] : value;

/** ONNX's attributes of a window; what has its default is left out. */
function windowAttributes(
  kernel: readonly number[],
  { stride, pad = 0, groups = 1, dilation }: ConvOptions,
): Record<string, AttributeValue> {
  const [top, left] = pair(pad);
  return {
    kernel_shape: kernel,
    ...(stride === undefined ? {} : { strides: pair(stride) }),
    ...(top === 0 && left === 0 ? {} : { pads: [top, left, top, left] }),
    ...(dilation === undefined ? {} : { dilations: pair(dilation) }),
    ...(groups === 1 ? {} : { group: groups }),
  };
}

function convolution(op: "Conv" | "ConvTranspose", { desk, w }: Place): Graph["conv"] {
  return (x, weight, bias, options = {}) => {
    const inputs = [take(desk, x), take(desk, weight), ...(bias ? [take(desk, bias)] : [])];
    const attributes = windowAttributes(weight.shape.slice(2), options);
    return give(desk, "B C Y X", w.node(op, inputs, attributes));
  };
}

/** Picks one axis at rounded places. */
function pick(w: Writer, x: NamedValue, axis: number, to: number): NamedValue {
  const from = x.shape[axis] ?? 0;
  if (from === to) return x;
  const at = BigInt64Array.from({ length: to }, (_, i) => BigInt(Math.floor((i * from) / to)));
  return w.node("Gather", [x, w.constant([to], at)], { axis });
}

/**
 * Resizes by what ONNX Runtime does fast: whole factors and bilinear by `Resize`; nearest by other factors
 * as two gathers (no rounding of coordinates left to the runtime); cubic and widened kernels as two products.
 */
function resize(
  w: Writer,
  x: NamedValue,
  [rows, columns]: readonly [number, number],
  how: Resampling,
  antialias: boolean,
): NamedValue {
  const [Y = 1, X = 1] = x.shape.slice(2);
  if (rows === Y && columns === X) return x;
  const whole = Number.isInteger(rows / Y) && Number.isInteger(columns / X);
  if (how === "nearest" && whole) {
    const scales = w.constant([4], Float32Array.of(1, 1, rows / Y, columns / X));
    const rounding = { coordinate_transformation_mode: "asymmetric", nearest_mode: "floor" };
    return w.node("Resize", [x, undefined, scales], { mode: "nearest", ...rounding });
  }
  if (how === "nearest") return pick(w, pick(w, x, 2, rows), 3, columns);
  if (how === "bilinear" && !antialias) {
    const sizes = w.ints([...x.shape.slice(0, 2), rows, columns]);
    const centres = { coordinate_transformation_mode: "half_pixel" };
    return w.node("Resize", [x, undefined, undefined, sizes], { mode: "linear", ...centres });
  }
  const across = resampling(how, X, columns, { antialias });
  const turned = Float32Array.from(
    across,
    (_, i) => across[(i % columns) * X + Math.floor(i / columns)] ?? 0,
  );
  const down = w.constant([rows, Y], resampling(how, Y, rows, { antialias }));
  return w.node("MatMul", [down, w.node("MatMul", [x, w.constant([X, columns], turned)])]);
}

/**
 * The mean over windows at every pixel, zeros around: the mean of means across and down, each a matrix product, which
 * takes ONNX Runtime on a CPU a tenth of the time that its pools take.
 */
function squareMean(
  w: Writer,
  x: NamedValue,
  size: number,
  [top, left]: readonly [number, number],
): NamedValue {
  const [Y = 1, X = 1] = x.shape.slice(2);
  const [rows, columns] = [Y + 2 * top - size + 1, X + 2 * left - size + 1];
  const share = (pixel: number, first: number) =>
    pixel >= first && pixel < first + size ? 1 / size : 0;
  const filled = (shape: readonly [number, number], value: (i: number, j: number) => number) => {
    const at = (k: number) => value(Math.floor(k / shape[1]), k % shape[1]);
    return w.constant(
      shape,
      Float32Array.from({ length: volume(shape) }, (_, k) => at(k)),
    );
  };
  const across = filled([X, columns], (pixel, window) => share(pixel, window - left));
  const down = filled([rows, Y], (window, pixel) => share(pixel, window - top));
  return w.node("MatMul", [down, w.node("MatMul", [x, across])]);
}

interface Normalisation {
  readonly scale: NamedValue;
  readonly bias: NamedValue;
  readonly mean: NamedValue;
  readonly variance: NamedValue;
}

/** Normalises by the batch's own statistics, and lets the running ones follow. */
function batchNormTraining(
  { desk, w }: Place,
  x: NamedValue,
  { scale, bias, mean, variance }: Normalisation,
  { eps, momentum }: { readonly eps: number; readonly momentum: number },
): NamedValue {
  for (const running of [mean, variance]) {
    if (desk.stored?.has(running.name) === true) continue;
    throw new RangeError(
      `batchNorm: running statistics must be buffers of the graph while it is trained, received ${running.name}`,
    );
  }
  const channels = x.shape[1] ?? 0;
  const count = volume(x.shape) / channels;
  // With momentum 0 the "running" outputs are the batch's own mean and (biased) variance. ONNX Runtime writes them over
  // the inputs they would have moved, so those are values that nobody else reads.
  const inputs = [x, scale, bias, times(w, mean, 0), times(w, variance, 0)];
  const attributes = { epsilon: eps, momentum: 0, training_mode: 1 };
  const [y = x, centre = mean, spread = variance] = w.nodes(
    "BatchNormalization",
    inputs,
    attributes,
    3,
  );
  const follow = (running: NamedValue, now: NamedValue, unbiased: number) => {
    const next = add(w, times(w, running, 1 - momentum), times(w, now, momentum * unbiased));
    desk.updates.set(running.name, next.name);
  };
  follow(mean, centre, 1);
  follow(variance, spread, count / Math.max(count - 1, 1));
  return y;
}

const takeAll = (
  desk: Desk,
  values: Readonly<Record<keyof Normalisation, Value>>,
): Normalisation => ({
  scale: take(desk, values.scale),
  bias: take(desk, values.bias),
  mean: take(desk, values.mean),
  variance: take(desk, values.variance),
});

export function mapsPart(
  place: Place,
): Pick<
  Graph,
  | "conv"
  | "convTranspose"
  | "averagePool"
  | "maxPool"
  | "resize"
  | "gridSample"
  | "layerNorm"
  | "batchNorm"
> {
  const { desk, w } = place;
  const pool = (
    op: string,
    x: Value,
    size: readonly [number, number],
    options: WindowOptions,
    more = {},
  ) => {
    const attributes = { ...windowAttributes(size, options), ...more };
    return give(desk, "B C Y X", w.node(op, [take(desk, x)], attributes));
  };
  return {
    conv: convolution("Conv", place),
    convTranspose: convolution("ConvTranspose", place),
    averagePool: (x, size, options = {}) => {
      const counted = options.pad === undefined ? {} : { count_include_pad: 1 };
      if ((options.stride ?? 1) !== 1)
        return pool("AveragePool", x, [size, size], options, counted);
      const [top, left] = pair(options.pad ?? 0);
      return give(desk, "B C Y X", squareMean(w, take(desk, x), size, [top, left]));
    },
    maxPool: (x, size, options = {}) => pool("MaxPool", x, [size, size], options),
    resize: (x, { rows, columns }, how, { antialias = false } = {}) =>
      give(desk, x.layout, resize(w, take(desk, x), [rows, columns], how, antialias)),
    gridSample(x, grid) {
      const attributes = { mode: "linear", padding_mode: "zeros", align_corners: 0 };
      return give(
        desk,
        "B C Y X",
        w.node("GridSample", [take(desk, x), take(desk, grid)], attributes),
      );
    },
    layerNorm(x, scale, bias, eps) {
      const inputs = [take(desk, x), take(desk, scale), ...(bias ? [take(desk, bias)] : [])];
      const attributes = { axis: -1, epsilon: eps };
      return give(desk, x.layout, w.node("LayerNormalization", inputs, attributes));
    },
    batchNorm(x, parameters, { eps, momentum }) {
      const [from, p] = [take(desk, x), takeAll(desk, parameters)];
      if (desk.training) {
        return give(desk, x.layout, batchNormTraining(place, from, p, { eps, momentum }));
      }
      const inputs = [from, p.scale, p.bias, p.mean, p.variance];
      return give(desk, x.layout, w.node("BatchNormalization", inputs, { epsilon: eps }));
    },
  };
}

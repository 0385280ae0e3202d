/** Convolution layers: a convolution, batch normalisation, an activation. */
import type { Graph, Unary, Value } from "../../attention/index.ts";
import { batchNorm, bind, kernel2d } from "../../attention/index.ts";

/** A feature map: channels first, rows from top to bottom. */
export type FeatureMap = Value<"B C Y X">;

export interface ConvOptions {
  /** Output channels. */
  readonly channels: number;
  /** Side of the kernel, odd; padded so that stride 1 keeps the size. @default 1 */
  readonly kernel?: number;
  /** @default 1 */
  readonly stride?: number;
  /** @default 1 */
  readonly groups?: number;
}

export interface ConvLayerOptions extends ConvOptions {
  /** `"none"` leaves it out. @default "silu" */
  readonly activation?: Unary | "none";
}

/** PyTorch's weight of the new value in running statistics, and the eps, of YOLO-style networks. */
const NORM = { eps: 1e-3, momentum: 0.03 } as const;

/** Convolution without bias, batch norm, activation; weights `conv.weight`, `bn.*`. */
export function convNormAct(g: Graph, x: FeatureMap, options: ConvLayerOptions): FeatureMap {
  const { activation = "silu" } = options;
  const mapped = batchNorm(g.at("bn"), convolve(g.at("conv"), x, options, "none"), NORM);
  return activation === "none" ? mapped : g.unary(activation, mapped);
}

/** A convolution with bias and nothing after it. */
export function conv(g: Graph, x: FeatureMap, options: ConvOptions): FeatureMap {
  return convolve(g, x, options, undefined);
}

/** Depthwise k×k, then pointwise: a 3×3 convolution at about a ninth of the multiplications. */
export function separable(g: Graph, x: FeatureMap, options: ConvLayerOptions): FeatureMap {
  const { C } = bind("separable", { x });
  const { kernel = 3, stride = 1, channels, activation = "silu" } = options;
  const spread = convNormAct(g.at("depthwise"), x, { channels: C, kernel, stride, groups: C });
  return convNormAct(g.at("pointwise"), spread, { channels, activation });
}

function convolve(
  g: Graph,
  x: FeatureMap,
  { channels, kernel = 1, stride = 1, groups = 1 }: ConvOptions,
  bias: "none" | undefined,
): FeatureMap {
  const { C } = bind("conv", { x });
  const weights = kernel2d(g, { in: C, out: channels, size: kernel, groups, bias });
  return g.conv(x, weights.weight, weights.bias, { stride, groups, pad: (kernel - 1) / 2 });
}

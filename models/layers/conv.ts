/** Convolution layers: a convolution, batch normalisation, an activation. */
import type { ConvOptions, Graph, Unary, Value } from "../../attention/index.ts";
import { bind } from "../../attention/index.ts";

/** A feature map: channels first, rows from top to bottom. */
export type FeatureMap = Value<"B C Y X">;

export interface ConvLayerOptions {
  /** Output channels. */
  readonly channels: number;
  /** Side of the kernel, odd; padded so that stride 1 keeps the size. @default 1 */
  readonly kernel?: number;
  /** @default 1 */
  readonly stride?: number;
  /** @default 1 */
  readonly groups?: number;
  /** `undefined` for none. @default "silu" */
  readonly activation?: Unary | undefined;
}

/** Convolution without bias, batch norm (eps 1e-3, momentum 0.03), activation. */
export function convNormAct(g: Graph, x: FeatureMap, options: ConvLayerOptions): FeatureMap {
  const { channels } = options;
  const activation = "activation" in options ? options.activation : "silu";
  const mapped = batchNorm(g.at("bn"), convolve(g.at("conv"), x, options, false), channels);
  return activation === undefined ? mapped : g.unary(activation, mapped);
}

/** A plain convolution with bias. */
export function conv(g: Graph, x: FeatureMap, options: ConvLayerOptions): FeatureMap {
  const mapped = convolve(g, x, options, true);
  return options.activation === undefined ? mapped : g.unary(options.activation, mapped);
}

/** Depthwise k×k, then pointwise: a 3×3 convolution at a ninth of the multiplications. */
export function separable(g: Graph, x: FeatureMap, options: ConvLayerOptions): FeatureMap {
  const { C } = bind("separable", { x });
  const { kernel = 3, stride = 1, channels } = options;
  const spread = convNormAct(g.at("depthwise"), x, { channels: C, kernel, stride, groups: C });
  return convNormAct(g.at("pointwise"), spread, {
    ...options,
    channels,
    kernel: 1,
    stride: 1,
    groups: 1,
  });
}

/** Batch normalisation over channels with its four parameters. */
export function batchNorm(g: Graph, x: FeatureMap, channels: number): FeatureMap {
  const vector = (name: string, value: number) =>
    g.weight(name, "C", [channels], { kind: "constant", value });
  const running = (name: string, value: number) =>
    g.buffer(name, "C", [channels], { kind: "constant", value });
  return g.batchNorm(
    x,
    {
      scale: vector("weight", 1),
      bias: vector("bias", 0),
      mean: running("running_mean", 0),
      variance: running("running_var", 1),
    },
    { eps: 1e-3, momentum: 0.03 },
  );
}

function convolve(g: Graph, x: FeatureMap, options: ConvLayerOptions, biased: boolean): FeatureMap {
  const { C } = bind("conv", { x });
  const { channels, kernel = 1, stride = 1, groups = 1 } = options;
  const fanIn = (C / groups) * kernel * kernel;
  const init = { kind: "uniform", bound: 1 / Math.sqrt(fanIn) } as const;
  const weight = g.weight("weight", "O I P Q", [channels, C / groups, kernel, kernel], init);
  const bias = biased ? g.weight("bias", "O", [channels], init) : undefined;
  const geometry: ConvOptions = { stride, groups, pad: (kernel - 1) / 2 };
  return g.conv(x, weight, bias, geometry);
}

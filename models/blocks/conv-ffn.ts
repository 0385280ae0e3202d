/**
 * PKINet's convolutional feed-forward part: layer norm over channels, widen, 3×3 depthwise, GSiLU, narrow.
 *
 * Cai et al., 2024, arXiv:2403.06258; names of weights as in its code.
 */
import type { Graph } from "../../attention/index.ts";
import { bind, toMap, toTokens } from "../../attention/index.ts";
import type { FeatureMap } from "../layers/conv.ts";
import { conv } from "../layers/conv.ts";
import { layerNorm } from "../layers/tokens.ts";

export interface ConvFfnOptions {
  /** Hidden channels as a multiple of C. */
  readonly ratio: number;
  /** Side of the depthwise kernel. */
  readonly kernel: number;
}

export function convFfn(g: Graph, x: FeatureMap, { ratio, kernel }: ConvFfnOptions): FeatureMap {
  const { C, Y } = bind("convFfn", { x });
  const wide = ratio * C;
  const layer = (i: number) => g.at(`ffn_layers.${i}`);
  const tokens = layerNorm(layer(1), toTokens(g, x), 1e-5);
  const normed = toMap(g, tokens, Y);
  const spread = conv(layer(3).at("conv"), normed, { channels: wide });
  const local = conv(layer(4).at("conv"), spread, { channels: wide, kernel, groups: wide });
  return conv(layer(7).at("conv"), gsilu(g, local), { channels: C });
}

/** `x · σ(mean of x over the map)`: SiLU with one gate a channel. */
export const gsilu = (g: Graph, x: FeatureMap): FeatureMap =>
  g.mul(x, g.unary("sigmoid", g.reduce("mean", x, ["Y", "X"])));

/** Layers over tokens `[B N C]`, and the way between tokens and maps. */
import type { Graph, Grid, Init, Mixer, Value } from "../../attention/index.ts";
import { bind } from "../../attention/index.ts";
import type { FeatureMap } from "./conv.ts";

export type Tokens = Value<"B N C">;

/** Truncated normal of 0.02: how ViT and Swin start their linear layers. */
const NARROW: Init = { kind: "normal", std: 0.02 };

/** `y = x Wᵀ + b`, the weight stored `[out, in]` as PyTorch does. */
export function linear(
  g: Graph,
  x: Tokens,
  channels: number,
  { bias = true, init = NARROW }: { readonly bias?: boolean; readonly init?: Init } = {},
): Tokens {
  const { C } = bind("linear", { x });
  const weight = g.weight("weight", "O I", [channels, C], init);
  const y = g.matmul(x, g.rearrange(weight, "O I -> I O"), "B N C");
  return bias ? g.add(y, g.weight("bias", "O", [channels], { kind: "constant", value: 0 })) : y;
}

export function layerNorm(g: Graph, x: Tokens, eps = 1e-6): Tokens {
  const { C } = bind("layerNorm", { x });
  const scale = g.weight("weight", "C", [C], { kind: "constant", value: 1 });
  const bias = g.weight("bias", "C", [C], { kind: "constant", value: 0 });
  return g.layerNorm(x, scale, bias, eps);
}

/** Two linear layers with GELU between: `C → ratio·C → C`. */
export function mlp(g: Graph, x: Tokens, ratio: number): Tokens {
  const { C } = bind("mlp", { x });
  return linear(g.at("fc2"), g.unary("gelu", linear(g.at("fc1"), x, ratio * C)), C);
}

export const toTokens = (g: Graph, map: FeatureMap): Tokens =>
  g.rename(g.rearrange(map, "B C Y X -> B (Y X) C"), "B N C");

export const toMap = (g: Graph, tokens: Tokens, { rows, columns }: Grid): FeatureMap =>
  g.rearrange(tokens, "B (Y X) C -> B C Y X", { Y: rows, X: columns });

/** Applies a mixer to a feature map. */
export function mixMap(g: Graph, map: FeatureMap, mixer: Mixer): FeatureMap {
  const { Y, X } = bind("mixMap", { map });
  const grid = { rows: Y, columns: X };
  return toMap(g, mixer(g, toTokens(g, map), grid), grid);
}

/** Layers over tokens `[B N C]`. */
import type { Graph, Mixer, Value } from "../../attention/index.ts";
import { bind, ONE, project, toMap, toTokens, ZERO } from "../../attention/index.ts";
import type { FeatureMap } from "./conv.ts";

export type Tokens = Value<"B N C">;

/** Layer normalisation over channels with its two weights. */
export function layerNorm(g: Graph, x: Tokens, eps = 1e-6): Tokens {
  const { C } = bind("layerNorm", { x });
  return g.layerNorm(x, g.weight("weight", "C", [C], ONE), g.weight("bias", "C", [C], ZERO), eps);
}

/** Two linear layers with GELU between: `C → ratio·C → C`. */
export function mlp(g: Graph, x: Tokens, ratio: number): Tokens {
  const { C } = bind("mlp", { x });
  const wide = g.unary("gelu", project(g, "fc1", x, "B N C", ratio * C));
  return project(g, "fc2", wide, "B N C", C);
}

/** Applies a mixer to a feature map. */
export function mixMap(g: Graph, map: FeatureMap, mixer: Mixer): FeatureMap {
  const { Y, X } = bind("mixMap", { map });
  return toMap(g, mixer(g, toTokens(g, map), { rows: Y, columns: X }), Y);
}

import type { Graph } from "../../attention/index.ts";
import { bind } from "../../attention/index.ts";
import type { FeatureMap } from "./conv.ts";

/** Nearest-neighbour upsampling to the exact size of another map (FPN, arXiv:1612.03144). */
export function upsampleLike(g: Graph, x: FeatureMap, like: FeatureMap): FeatureMap {
  const { Y, X } = bind("upsampleLike", { like });
  return g.resize(x, { rows: Y, columns: X }, "nearest");
}

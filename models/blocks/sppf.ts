/**
 * Spatial pyramid pooling, fast form: three 5×5 max pools in a row see 5, 9 and 13 pixels.
 *
 * He et al., "Spatial Pyramid Pooling in Deep Convolutional Networks", 2014, arXiv:1406.4729.
 */
import type { Graph } from "../../attention/index.ts";
import { bind } from "../../attention/index.ts";
import type { FeatureMap } from "../layers/conv.ts";
import { convNormAct } from "../layers/conv.ts";

export function sppf(g: Graph, x: FeatureMap): FeatureMap {
  const { C } = bind("sppf", { x });
  const narrow = convNormAct(g.at("enter"), x, { channels: C / 2 });
  const pool = (map: FeatureMap) => g.maxPool(map, 5, { pad: 2 });
  const once = pool(narrow);
  const twice = pool(once);
  return convNormAct(g.at("leave"), g.concat([narrow, once, twice, pool(twice)], "C"), {
    channels: C,
  });
}

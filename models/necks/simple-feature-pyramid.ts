/**
 * Simple feature pyramid: three strides out of the one map of a plain transformer.
 *
 * Stride 8 by a 2×2 transposed convolution, 16 as it is, 32 by a 2×2 max pool; each then 1×1 and 3×3 convolutions, each
 * with layer norm over channels. Li et al., 2022, §3, arXiv:2203.16527.
 */
import type { Graph } from "../../attention/index.ts";
import { bind } from "../../attention/index.ts";
import type { Pyramid } from "../backbones/csp.ts";
import type { FeatureMap } from "../layers/conv.ts";
import { convNormAct } from "../layers/conv.ts";

export function simpleFeaturePyramid(
  g: Graph,
  map: FeatureMap,
  { channels }: { readonly channels: number },
): Pyramid {
  const { C } = bind("simpleFeaturePyramid", { map });
  const smooth = (name: string, x: FeatureMap): FeatureMap => {
    const narrow = convNormAct(g.at(`${name}.lateral`), x, { channels });
    return convNormAct(g.at(`${name}.smooth`), narrow, { channels, kernel: 3 });
  };
  const init = { kind: "uniform", bound: 1 / Math.sqrt(C * 4) } as const;
  const up = g.at("up");
  const finer = up.convTranspose(
    map,
    up.weight("weight", "I O P Q", [C, C / 2, 2, 2], init),
    up.weight("bias", "O", [C / 2], init),
    { stride: 2 },
  );
  return [smooth("p3", finer), smooth("p4", map), smooth("p5", g.maxPool(map, 2, { stride: 2 }))];
}

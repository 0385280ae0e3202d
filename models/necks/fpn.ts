/**
 * Feature pyramid: lateral 1×1, top-down nearest upsampling to the lateral's exact size, sum, 3×3.
 *
 * Lin et al., "Feature Pyramid Networks for Object Detection", 2017, §3, arXiv:1612.03144.
 */
import type { Graph } from "../../attention/index.ts";
import type { Pyramid } from "../backbones/csp.ts";
import type { FeatureMap } from "../layers/conv.ts";
import { conv } from "../layers/conv.ts";
import { upsampleLike } from "../layers/upsample.ts";

export function fpn(g: Graph, maps: Pyramid, { channels }: { readonly channels: number }): Pyramid {
  const lateral = (i: 0 | 1 | 2): FeatureMap =>
    conv(g.at(`inner_blocks.${i}.0`), maps[i], { channels });
  const smooth = (i: number, x: FeatureMap): FeatureMap =>
    conv(g.at(`layer_blocks.${i}.0`), x, { channels, kernel: 3 });

  const p5 = lateral(2);
  const p4 = g.add(lateral(1), upsampleLike(g, p5, maps[1]));
  const p3 = g.add(lateral(0), upsampleLike(g, p4, maps[0]));
  return [smooth(0, p3), smooth(1, p4), smooth(2, p5)];
}

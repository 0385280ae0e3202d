/**
 * Path aggregation: coarse features flow down to fine maps and back up again.
 *
 * Liu et al., "Path Aggregation Network", 2018, arXiv:1803.01534, with cross-stage partial blocks at every joint and an
 * open mixer slot in each of them.
 */
import type { Graph, Mixer } from "../../attention/index.ts";
import { bind } from "../../attention/index.ts";
import type { Pyramid } from "../backbones/csp.ts";
import { cspBlock } from "../blocks/csp.ts";
import type { FeatureMap } from "../layers/conv.ts";
import { convNormAct } from "../layers/conv.ts";
import { upsampleLike } from "../layers/upsample.ts";

export function pafpn(
  g: Graph,
  [p3, p4, p5]: Pyramid,
  { depth, mixer }: { readonly depth: number; readonly mixer?: Mixer | undefined },
): Pyramid {
  const join = (name: string, a: FeatureMap, b: FeatureMap, channels: number): FeatureMap =>
    cspBlock(g.at(name), g.concat([a, b], "C"), { channels, depth, residual: false, mixer });
  const down = (name: string, x: FeatureMap): FeatureMap =>
    convNormAct(g.at(name), x, { channels: channelsOf(x), kernel: 3, stride: 2 });

  const middle = join("top4", upsampleLike(g, p5, p4), p4, channelsOf(p4));
  const n3 = join("top3", upsampleLike(g, middle, p3), p3, channelsOf(p3));
  const n4 = join("bottom4", down("down3", n3), middle, channelsOf(p4));
  const n5 = join("bottom5", down("down4", n4), p5, channelsOf(p5));
  return [n3, n4, n5];
}

const channelsOf = (map: FeatureMap): number => bind("pafpn", { map }).C;

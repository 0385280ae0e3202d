/** A convolutional backbone of cross-stage partial blocks: features at strides 8, 16 and 32. */
import type { Graph, Mixer } from "../../attention/index.ts";
import { cspBlock } from "../blocks/csp.ts";
import { positionSensitiveBlock } from "../blocks/position-sensitive.ts";
import { sppf } from "../blocks/sppf.ts";
import type { FeatureMap } from "../layers/conv.ts";
import { convNormAct } from "../layers/conv.ts";

/** Features by rising stride: 8, 16, 32. */
export type Pyramid = readonly [p3: FeatureMap, p4: FeatureMap, p5: FeatureMap];

export interface CspBackboneOptions {
  /** Channels at strides 2, 4, 8, 16, 32. */
  readonly widths: readonly [number, number, number, number, number];
  /** Bottlenecks at strides 4, 8, 16, 32. */
  readonly depths: readonly [number, number, number, number];
  /** Mixes the deepest features. */
  readonly mixer: Mixer;
}

export function cspBackbone(
  g: Graph,
  image: FeatureMap,
  { widths, depths, mixer }: CspBackboneOptions,
): Pyramid {
  const stage = (name: string, x: FeatureMap, channels: number, depth: number): FeatureMap => {
    const halved = convNormAct(g.at(`${name}.down`), x, { channels, kernel: 3, stride: 2 });
    return cspBlock(g.at(`${name}.csp`), halved, { channels, depth });
  };
  const stem = convNormAct(g.at("stem"), image, { channels: widths[0], kernel: 3, stride: 2 });
  const c2 = stage("c2", stem, widths[1], depths[0]);
  const c3 = stage("c3", c2, widths[2], depths[1]);
  const c4 = stage("c4", c3, widths[3], depths[2]);
  const c5 = sppf(g.at("sppf"), stage("c5", c4, widths[4], depths[3]));
  return [c3, c4, positionSensitiveBlock(g.at("psa"), c5, { depth: 1, mixer })];
}

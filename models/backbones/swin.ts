/**
 * Swin: a hierarchy of transformer blocks whose windows shift, features at strides 8, 16 and 32.
 *
 * Liu et al., "Swin Transformer", 2021, §3, arXiv:2103.14030.
 */
import type { Graph, Grid, Mixer } from "../../attention/index.ts";
import { bind, toMap, toTokens } from "../../attention/index.ts";
import { patchMerging } from "../blocks/patch-merging.ts";
import { transformerBlock } from "../blocks/transformer.ts";
import type { FeatureMap } from "../layers/conv.ts";
import { convNormAct } from "../layers/conv.ts";
import type { Tokens } from "../layers/tokens.ts";
import { layerNorm } from "../layers/tokens.ts";
import type { Pyramid } from "./csp.ts";

export interface SwinBackboneOptions {
  /** Channels at stride 4; each stage doubles them. */
  readonly channels: number;
  readonly depths: readonly [number, number, number, number];
  /** What mixes the tokens of block `block` in stage `stage`. */
  readonly mixerAt: (stage: number, block: number) => Mixer;
}

export function swinBackbone(g: Graph, image: FeatureMap, options: SwinBackboneOptions): Pyramid {
  const { channels, depths, mixerAt } = options;
  const patches = embed(g.at("patch_embed"), image, channels);
  const { Y, X } = bind("swinBackbone", { patches });
  let grid: Grid = { rows: Y, columns: X };
  let tokens: Tokens = layerNorm(g.at("patch_embed.norm"), toTokens(g, patches), 1e-5);
  const maps: FeatureMap[] = [];
  for (const [stage, depth] of depths.entries()) {
    const at = g.at(`layers.${stage}`);
    if (stage > 0) ({ tokens, grid } = patchMerging(at.at("downsample"), tokens, grid));
    for (let block = 0; block < depth; block++) {
      const mixer = mixerAt(stage, block);
      tokens = transformerBlock(at.at(`blocks.${block}`), tokens, grid, { mixer });
    }
    if (stage > 0) maps.push(toMap(g, layerNorm(g.at(`norms.${stage}`), tokens, 1e-5), grid.rows));
  }
  return maps as unknown as Pyramid; // three of the four stages: strides 8, 16, 32
}

/** Two strided 3×3 convolutions instead of one 4×4 patch projection: see `vit.ts` on stems. */
function embed(g: Graph, image: FeatureMap, channels: number): FeatureMap {
  const half = convNormAct(g.at("0"), image, { channels: channels / 2, kernel: 3, stride: 2 });
  return convNormAct(g.at("1"), half, { channels, kernel: 3, stride: 2, activation: "none" });
}

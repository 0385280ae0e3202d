/**
 * A plain vision transformer: one stride-16 map of tokens, windowed and a few global blocks.
 *
 * Dosovitskiy et al., 2021, arXiv:2010.11929; Li et al., "Exploring Plain Vision Transformer Backbones for Object
 * Detection", 2022, arXiv:2203.16527 §3. The stem is four strided convolutions, which train better on little data than
 * one 16×16 patch projection: Xiao et al., "Early Convolutions Help Transformers See Better", 2021, arXiv:2106.14881.
 */
import type { Graph, Mixer } from "../../attention/index.ts";
import { bind, sinCos, toMap, toTokens } from "../../attention/index.ts";
import { transformerBlock } from "../blocks/transformer.ts";
import type { FeatureMap } from "../layers/conv.ts";
import { conv, convNormAct } from "../layers/conv.ts";
import { layerNorm } from "../layers/tokens.ts";

export interface VitBackboneOptions {
  readonly channels: number;
  readonly depth: number;
  /** What mixes the tokens of a block; blocks differ by depth, not the backbone. */
  readonly mixerAt: (block: number) => Mixer;
}

export function vitBackbone(g: Graph, image: FeatureMap, options: VitBackboneOptions): FeatureMap {
  const { channels, depth, mixerAt } = options;
  const map = stem(g.at("stem"), image, channels);
  const { Y, X } = bind("vitBackbone", { map });
  const grid = { rows: Y, columns: X };
  const places = sinCos(grid, channels);
  let tokens = g.add(toTokens(g, map), g.constant("N C", places.shape, places.data));
  for (let i = 0; i < depth; i++) {
    tokens = transformerBlock(g.at(`blocks.${i}`), tokens, grid, {
      mixer: mixerAt(i),
      layerScale: 0.1,
    });
  }
  return toMap(g, layerNorm(g.at("norm"), tokens), Y);
}

function stem(g: Graph, image: FeatureMap, channels: number): FeatureMap {
  const halves = [channels / 8, channels / 4, channels / 2, channels];
  const map = halves.reduce(
    (x, width, i) => convNormAct(g.at(`${i}`), x, { channels: width, kernel: 3, stride: 2 }),
    image,
  );
  return conv(g.at("project"), map, { channels });
}

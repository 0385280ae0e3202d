/**
 * Cross-stage partial blocks: part of the channels takes a short cut, the rest goes through residual
 * bottlenecks, and every intermediate result is kept for the last 1×1 convolution.
 *
 * Wang et al., "CSPNet", 2020, arXiv:1911.11929; Wang et al., "Designing Network Design Strategies Through
 * Gradient Path Analysis" (ELAN), 2022, arXiv:2211.04800.
 */
import type { Graph, Mixer } from "../../attention/index.ts";
import { bind } from "../../attention/index.ts";
import type { FeatureMap } from "../layers/conv.ts";
import { convNormAct } from "../layers/conv.ts";
import { mixMap } from "../layers/tokens.ts";

export interface CspOptions {
  readonly channels: number;
  /** Bottlenecks in a row. */
  readonly depth: number;
  /** Whether a bottleneck adds its input. @default true */
  readonly residual?: boolean;
  /** Mixes the last bottleneck's output: the open slot. */
  readonly mixer?: Mixer | undefined;
}

export function cspBlock(g: Graph, x: FeatureMap, options: CspOptions): FeatureMap {
  const { channels, depth, residual = true, mixer } = options;
  const half = channels / 2;
  const both = convNormAct(g.at("enter"), x, { channels });
  const kept = [g.slice(both, "C", 0, half), g.slice(both, "C", half, channels)];
  let path = kept[1] as FeatureMap;
  for (let i = 0; i < depth; i++) {
    path = bottleneck(g.at(`bottlenecks.${i}`), path, residual);
    kept.push(path);
  }
  if (mixer !== undefined) kept[kept.length - 1] = g.add(path, mixMap(g.at("mixer"), path, mixer));
  return convNormAct(g.at("leave"), g.concat(kept, "C"), { channels });
}

function bottleneck(g: Graph, x: FeatureMap, residual: boolean): FeatureMap {
  const { C } = bind("bottleneck", { x });
  const narrow = convNormAct(g.at("reduce"), x, { channels: C / 2, kernel: 3 });
  const wide = convNormAct(g.at("expand"), narrow, { channels: C, kernel: 3 });
  return residual ? g.add(x, wide) : wide;
}

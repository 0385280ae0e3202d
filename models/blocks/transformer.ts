/**
 * The pre-norm transformer block with an open mixer slot; ViT's and, with a windowed mixer, Swin's.
 *
 *     x ← x + γ₁ mixer(LN x);  x ← x + γ₂ MLP(LN x)
 *
 * Dosovitskiy et al., 2021, arXiv:2010.11929 §3.1; LayerScale: Touvron et al., 2021, arXiv:2103.17239 §2.
 */
import type { Graph, Grid, Mixer } from "../../attention/index.ts";
import { bind } from "../../attention/index.ts";
import type { Tokens } from "../layers/tokens.ts";
import { layerNorm, mlp } from "../layers/tokens.ts";

export interface TransformerBlockOptions {
  readonly mixer: Mixer;
  /** Hidden channels of the MLP as a multiple of C. @default 4 */
  readonly mlpRatio?: number;
  /** Start of LayerScale; undefined for none. */
  readonly layerScale?: number | undefined;
  /** Of the norms: ViT has 1e-6, Swin 1e-5. @default 1e-6 */
  readonly eps?: number;
}

export function transformerBlock(
  g: Graph,
  x: Tokens,
  grid: Grid,
  { mixer, mlpRatio = 4, layerScale, eps = 1e-6 }: TransformerBlockOptions,
): Tokens {
  const { C } = bind("transformerBlock", { x });
  const scaled = (name: string, y: Tokens): Tokens =>
    layerScale === undefined
      ? y
      : g.mul(y, g.at(name).weight("gamma", "C", [C], { kind: "constant", value: layerScale }));
  const mixed = mixer(g.at("attn"), layerNorm(g.at("norm1"), x, eps), grid);
  const seen = g.add(x, scaled("ls1", mixed));
  const normed = layerNorm(g.at("norm2"), seen, eps);
  return g.add(seen, scaled("ls2", mlp(g.at("mlp"), normed, mlpRatio)));
}

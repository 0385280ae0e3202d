/**
 * Patch merging: four neighbouring tokens become one of twice the channels.
 *
 * Order of concatenation (row, column): (0,0), (1,0), (0,1), (1,1); then layer norm and a linear layer without bias.
 * Odd sizes are padded with zeros. Liu et al., 2021, §3.1, arXiv:2103.14030.
 */
import type { Graph, Grid } from "../../attention/index.ts";
import { bind, project } from "../../attention/index.ts";
import type { Tokens } from "../layers/tokens.ts";
import { layerNorm } from "../layers/tokens.ts";

export function patchMerging(
  g: Graph,
  tokens: Tokens,
  { rows, columns }: Grid,
): { readonly tokens: Tokens; readonly grid: Grid } {
  const { C } = bind("patchMerging", { tokens });
  const grid = { rows: Math.ceil(rows / 2), columns: Math.ceil(columns / 2) };
  const map = g.rearrange(tokens, "B (Y X) C -> B Y X C", { Y: rows, X: columns });
  const even = g.pad(g.pad(map, "Y", 0, rows % 2), "X", 0, columns % 2);
  const merged = g.rearrange(even, "B (Y P) (X Q) C -> B (Y X) (Q P C)", { P: 2, Q: 2 });
  const normed = layerNorm(g.at("norm"), g.rename(merged, "B N C"), 1e-5);
  return { tokens: project(g, "reduction", normed, "B N C", 2 * C, { bias: false }), grid };
}

import type { Graph, Value } from "../graph.ts";
import type { Grid } from "../operator.ts";
import { ShapeError } from "../shape.ts";

type Places = Pick<Grid, "rows" | "columns">;

export interface ResampleOptions {
  /** Leading tokens that have no place and are kept (ViT's class token). @default 0 */
  readonly prefix?: number;
  /** Widens the kernel where the table shrinks. @default true */
  readonly antialias?: boolean;
}

/**
 * Resamples a learned table of positions (bicubic), so that weights for one input size serve another.
 *
 * Dosovitskiy et al., "An Image is Worth 16x16 Words", 2021, §3.2; antialiased as timm does it.
 *
 * @param from  the grid that the table was learned on
 * @param to  the grid that is wanted
 */
export function resampleTable(
  g: Graph,
  table: Value<"B N C">,
  from: Places,
  to: Places,
  { prefix = 0, antialias = true }: ResampleOptions = {},
): Value<"B N C"> {
  const N = table.shape[1] ?? 0;
  const places = from.rows * from.columns;
  if (N !== prefix + places) {
    throw new ShapeError(`resampleTable: N is ${prefix + places} on its grid but ${N} in table`);
  }
  if (from.rows === to.rows && from.columns === to.columns) return table;
  const placed = g.slice(table, "N", prefix, N);
  const map = g.rearrange(placed, "B (Y X) C -> B C Y X", { Y: from.rows });
  const sized = g.resize(map, to, "bicubic", { antialias });
  const moved = g.rename(g.rearrange(sized, "B C Y X -> B (Y X) C"), "B N C");
  return prefix === 0 ? moved : g.concat([g.slice(table, "N", 0, prefix), moved], "N");
}

/**
 * Multi-scale deformable attention: a query reads a few points of each map, near where it stands, and says itself where
 * and how much. Cost linear in queries, whatever the maps' sizes.
 *
 *     out = Σ_{l p} A[l p] · value_l(place + offset[l p]),   A = softmax over all points of all maps
 *
 * A place of two numbers (x, y in 0…1) is offset in pixels of each map; one of four (a box x, y, w, h) in halves of the box
 * over the number of points. Values are read bilinearly, zeros outside. Weights `sampling_offsets`, `attention_weights`,
 * `value_proj`, `output_proj`.
 *
 * Zhu et al., "Deformable DETR", 2021, §4.1. arXiv:2010.04159; as RT-DETR has it.
 */
import type { Graph, Value } from "./graph.ts";
import type { Grid } from "./operator.ts";
import { project, shareOf, ZERO } from "./projection.ts";
import { bind, ShapeError } from "./shape.ts";

export interface DeformableOptions {
  readonly heads: number;
  /** Points of each map that a head reads. */
  readonly points: number;
  /** Sizes of the maps, in the order their tokens follow each other. */
  readonly maps: readonly Pick<Grid, "rows" | "columns">[];
}

const name = "deformable";

/**
 * Queries over the tokens of some maps.
 *
 * @param places  where each query stands, for every map: `[B N L 2]` or `[B N L 4]`
 * @param tokens  the tokens of all maps, one map after another
 */
export function deformable(
  g: Graph,
  queries: Value<"B N C">,
  places: Value<"B N L F">,
  tokens: Value<"B M C">,
  { heads, points, maps }: DeformableOptions,
): Value<"B N C"> {
  const { B, N, M, C, L, F } = bind(name, { queries, places, tokens });
  const D = shareOf(name, "C", C, heads);
  const size = maps.reduce((sum, { rows, columns }) => sum + rows * columns, 0);
  if (L !== maps.length || M !== size || (F !== 2 && F !== 4)) {
    throw new ShapeError(
      `${name}: L must be ${maps.length}, M ${size} and F 2 or 4, received places [${places.shape.join(" ")}] and tokens [${tokens.shape.join(" ")}]`,
    );
  }
  const each = { H: heads, L, P: points };
  const init = { kind: "uniform", bound: 0.01 } as const;
  const count = heads * L * points;
  const offsets = g.rearrange(
    project(g, "sampling_offsets", queries, "B N C", count * 2, { init }),
    "B N (H L P I) -> B N H L P I",
    each,
  );
  const asked = project(g, "attention_weights", queries, "B N C", count, { init: ZERO });
  const weights = g.softmax(g.rearrange(asked, "B N (H W) -> B H N W", { H: heads }));
  const values = project(g, "value_proj", tokens, "B M C", C);
  let from = 0;
  const read = maps.map(({ rows, columns }, l) => {
    const part = g.slice(values, "M", from, from + rows * columns);
    from += rows * columns;
    const map = g.rearrange(part, "B (Y X) (H D) -> (B H) D Y X", { Y: rows, D });
    const offset = g.reshape(g.slice(offsets, "L", l, l + 1), "B N H P I", [
      B,
      N,
      heads,
      points,
      2,
    ]);
    const place = g.reshape(g.slice(places, "L", l, l + 1), "B N H P I", [B, N, 1, 1, F]);
    const at = located(g, place, offset, { rows, columns }, points);
    const grid = g.rearrange(g.sub(g.scale(at, 2), 1), "B N H P I -> (B H) N P I");
    return g.gridSample(g.rename(map, "B C Y X"), grid);
  });
  const all = g.rearrange(g.concat(read, "X"), "B C Y X -> B Y X C");
  const shares = g.reshape(weights, "B Y I W", [B * heads, N, 1, L * points]);
  const mixed = g.reshape(g.matmul(shares, all, "B Y I C"), "B H N D", [B, heads, N, D]);
  const joined = g.rearrange(mixed, "B H N D -> B N (H D)");
  return project(g, "output_proj", joined, "B N C", C);
}

/** Where the points lie, in 0…1. */
function located(
  g: Graph,
  place: Value<"B N H P I">,
  offset: Value<"B N H P I">,
  { rows, columns }: Pick<Grid, "rows" | "columns">,
  points: number,
): Value<"B N H P I"> {
  const centre = g.slice(place, "I", 0, 2);
  if (place.shape[4] === 2) {
    const pixel = g.constant("I", [2], Float32Array.of(1 / columns, 1 / rows));
    return g.add(g.mul(offset, pixel), centre);
  }
  const half = g.scale(g.slice(place, "I", 2, 4), 0.5 / points);
  return g.add(g.mul(offset, half), centre);
}

/**
 * Decomposed relative position: what a query has to say about keys so many rows, and so many columns, away.
 *
 *     bias[n m] = q[n]·Rʰ[yₙ − yₘ] + q[n]·Rʷ[xₙ − xₘ]
 *
 * Weights `rel_pos_h [2Y − 1, D]` and `rel_pos_w [2X − 1, D]`, starting at zero; `q` before its scale.
 *
 * Li et al., "MViTv2", 2022, §4.1. arXiv:2112.01526; as ViTDet uses it, arXiv:2203.16527
 */
import type { Graph, Value } from "../graph.ts";
import type { PlaceBias } from "../multi-head.ts";
import { ZERO } from "../projection.ts";
import { bind, ShapeError } from "../shape.ts";

export const decomposedBias: PlaceBias = (g, q, { rows: Y, columns: X }) => {
  const { B, H, N } = bind("decomposedBias", { q });
  if (N !== Y * X) {
    throw new ShapeError(`decomposedBias: N is ${N} in q but its grid is ${Y} × ${X}`);
  }
  const D = q.shape[3] ?? 0;
  const tables = {
    rows: offsets(g, g.weight("rel_pos_h", "O D", [2 * Y - 1, D], ZERO), Y),
    columns: offsets(g, g.weight("rel_pos_w", "O D", [2 * X - 1, D], ZERO), X),
  };
  const byRow = g.rearrange(q, "B H (Y X) D -> Y (B H X) D", { Y });
  const down = g.rearrange(g.matmul(byRow, tables.rows, "Y I K"), "Y (B H X) K -> B H (Y X) K", {
    B,
    H,
  });
  const byColumn = g.rearrange(q, "B H (Y X) D -> X (B H Y) D", { Y });
  const across = g.rearrange(
    g.matmul(byColumn, tables.columns, "X I L"),
    "X (B H Y) L -> B H (Y X) L",
    { B, H },
  );
  const both = g.add(
    g.expand(g.reshape(down, "B H N K L", [B, H, N, Y, 1]), "B H N K L", [B, H, N, Y, X]),
    g.reshape(across, "B H N K L", [B, H, N, 1, X]),
  );
  return g.reshape(both, "B H N M", [B, H, N, N]);
};

/** `[n, D, m]`: the row of a table for every pair of places along one side. */
function offsets(g: Graph, table: Value<"O D">, size: number): Value<"N D M"> {
  const index = BigInt64Array.from({ length: size * size }, (_, at) =>
    BigInt(Math.floor(at / size) - (at % size) + size - 1),
  );
  const picked = g.gather(table, "O", g.constant("I", [size * size], index), "I D");
  return g.rearrange(picked, "(N M) D -> N D M", { N: size });
}

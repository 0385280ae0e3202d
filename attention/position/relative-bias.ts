/**
 * Relative position bias: a learned number for every offset between query and key, a head.
 *
 *     bias[n m] = table[(Δy + P − 1)(2Q − 1) + (Δx + Q − 1)],   Δ = place(n) − place(m)
 *
 * Weight `relative_position_bias_table [(2P − 1)(2Q − 1), H]` on a grid of P × Q.
 *
 * Liu et al., "Swin Transformer", 2021, §3.2. arXiv:2103.14030
 */
import type { Grid } from "../operator.ts";
import type { PlaceBias } from "../multi-head.ts";

export const relativeBias: PlaceBias = (g, q, grid) => {
  const { rows: P, columns: Q } = grid;
  const [H, N] = [q.shape[1] ?? 0, P * Q];
  const offsets = (2 * P - 1) * (2 * Q - 1);
  const table = g.weight("relative_position_bias_table", "O H", [offsets, H], {
    kind: "normal",
    std: 0.02,
  });
  const index = g.constant("I", [N * N], relativeIndex(grid));
  const picked = g.reshape(g.gather(table, "O", index, "I H"), "B N M H", [1, N, N, H]);
  return g.rearrange(picked, "B N M H -> B H N M");
};

/** The row of the table for every pair of query and key, `[N N]`. */
export function relativeIndex({
  rows,
  columns,
}: Pick<Grid, "rows" | "columns">): BigInt64Array<ArrayBuffer> {
  const N = rows * columns;
  return BigInt64Array.from({ length: N * N }, (_, at) => {
    const [n, m] = [Math.floor(at / N), at % N];
    const dy = Math.floor(n / columns) - Math.floor(m / columns) + rows - 1;
    const dx = (n % columns) - (m % columns) + columns - 1;
    return BigInt(dy * (2 * columns - 1) + dx);
  });
}

import type { Grid } from "../operator.ts";
import { shareOf } from "../projection.ts";
import { computed } from "../tensor.ts";
import type { Tensor } from "../tensor.ts";

export interface SinCosOptions {
  /** @default 10000 */
  readonly temperature?: number;
}

/**
 * Fixed position embeddings of a grid: a quarter of the channels each for the sine and cosine of the column,
 * then of the row, at frequencies `temperature^(−i / quarter)`.
 *
 * Vaswani et al. 2017, §3.5, in two dimensions as MAE, DETR and RT-DETR have it.
 *
 * @returns one row of `channels` for every token
 */
export function sinCos(
  { rows, columns }: Pick<Grid, "rows" | "columns">,
  channels: number,
  { temperature = 10_000 }: SinCosOptions = {},
): Tensor<"N C"> {
  const quarter = shareOf("sinCos", "channels", channels, 4);
  return computed("N C", [rows * columns, channels], (n, c) => {
    const part = Math.floor(c / quarter);
    const place = part < 2 ? n % columns : Math.floor(n / columns);
    const angle = place * temperature ** -((c % quarter) / quarter);
    return part % 2 === 0 ? Math.sin(angle) : Math.cos(angle);
  });
}

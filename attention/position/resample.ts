/**
 * Bicubic resampling, as PyTorch and PIL do it, written as one small matrix a side: exact, differentiable, and
 * of nothing but matrix products.
 *
 * Keys, "Cubic Convolution Interpolation for Digital Image Processing", 1981. The kernel's parameter is −0.75
 * without and −0.5 with antialiasing (where it is widened by the factor of reduction), PyTorch's two values.
 */
import type { Graph, Value } from "../graph.ts";
import type { Grid } from "../operator.ts";
import { bind, ShapeError } from "../shape.ts";

export interface ResampleOptions {
  /** Widens the kernel when making smaller. @default true */
  readonly antialias?: boolean;
}

/** Resamples a map to `rows × columns`. Half-pixel centres. */
export function resample(
  g: Graph,
  map: Value<"B C Y X">,
  { rows, columns }: Pick<Grid, "rows" | "columns">,
  { antialias = true }: ResampleOptions = {},
): Value<"B C Y X"> {
  const { Y, X } = bind("resample", { map });
  const side = (from: number, to: number) => bicubicMatrix(from, to, antialias);
  const down = g.constant("P Y", [rows, Y], side(Y, rows));
  const across = g.constant("Q X", [columns, X], side(X, columns));
  const tall = g.matmul(down, map, "B C Y X");
  return g.matmul(tall, g.rearrange(across, "Q X -> X Q"), "B C Y X");
}

/**
 * Resamples a learned table of positions, so that weights for one input size serve another.
 *
 * @param options.prefix  leading tokens that have no place and are kept (ViT's class token). @default 0
 */
export function resampleTable(
  g: Graph,
  table: Value<"B N C">,
  from: Pick<Grid, "rows" | "columns">,
  to: Pick<Grid, "rows" | "columns">,
  { prefix = 0, antialias = true }: ResampleOptions & { readonly prefix?: number } = {},
): Value<"B N C"> {
  const N = table.shape[1] ?? 0;
  if (N !== prefix + from.rows * from.columns) {
    throw new ShapeError(
      `resampleTable: N is ${prefix + from.rows * from.columns} in the grid but ${N} in table`,
    );
  }
  if (from.rows === to.rows && from.columns === to.columns) return table;
  const places = g.slice(table, "N", prefix, N);
  const map = g.rearrange(places, "B (Y X) C -> B C Y X", { Y: from.rows });
  const sized = g.rearrange(resample(g, map, to, { antialias }), "B C Y X -> B (Y X) C");
  const moved = g.rename(sized, "B N C");
  return prefix === 0 ? moved : g.concat([g.slice(table, "N", 0, prefix), moved], "N");
}

/** `[to, from]`: the weights of the old samples in every new one. */
export function bicubicMatrix(
  from: number,
  to: number,
  antialias: boolean,
): Float32Array<ArrayBuffer> {
  const out = new Float32Array(to * from);
  const scale = from / to;
  const stretch = antialias ? Math.max(scale, 1) : 1;
  const cubic = antialias ? keys(-0.5) : keys(-0.75);
  for (let i = 0; i < to; i++) {
    const centre = scale * (i + 0.5) - 0.5;
    const first = Math.floor(centre - 2 * stretch) + 1;
    const taps = Array.from({ length: Math.ceil(4 * stretch) + 1 }, (_, t) => first + t);
    // Antialiased kernels are cut off at the rim and scaled to one; plain ones repeat the rim.
    const used = antialias ? taps.filter((j) => j >= 0 && j < from) : taps;
    const weights = used.map((j) => cubic((j - centre) / stretch));
    const total = weights.reduce((a, w) => a + w, 0);
    for (const [t, j] of used.entries()) {
      const at = i * from + Math.min(Math.max(j, 0), from - 1);
      out[at] = (out[at] ?? 0) + (weights[t] ?? 0) / total;
    }
  }
  return out;
}

/** Keys' cubic kernel, zero beyond 2. */
const keys =
  (a: number) =>
  (signed: number): number => {
    const x = Math.abs(signed);
    if (x <= 1) return ((a + 2) * x - (a + 3)) * x * x + 1;
    return x < 2 ? a * (((x - 5) * x + 8) * x - 4) : 0;
  };

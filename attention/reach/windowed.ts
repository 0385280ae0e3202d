import type { Graph, Value } from "../graph.ts";
import type { Grid, Mixer, Pairs } from "../operator.ts";
import { checkGrid } from "./check-grid.ts";

export interface WindowedOptions {
  /** Side of a window, in tokens. A grid that it does not divide is padded below and to the right. */
  readonly size: number;
  /**
   * Whether tokens of padding are read by the others. Published Swin and ViTDet weights were trained with
   * padding seen, as zeros. @default "seen"
   */
  readonly padding?: "seen" | "hidden";
}

const name = "windowed";

/**
 * Lets a mixer see one window at a time.
 *
 * Liu et al., "Swin Transformer", 2021, §3.2. arXiv:2103.14030;
 * Li et al., "Exploring Plain Vision Transformer Backbones", 2022, §3. arXiv:2203.16527
 */
export function windowed(mixer: Mixer, options: WindowedOptions): Mixer {
  return (g, tokens, grid) => {
    checkGrid(name, tokens, grid);
    const padded = padTo(g, tokens, grid, options);
    const mixed = inWindows(g, mixer, padded.tokens, padded.grid, options.size);
    return crop(g, mixed, padded.grid, grid);
  };
}

/** Runs a mixer over every window of a grid that the windows divide; windows lie in the batch. */
export function inWindows(
  g: Graph,
  mixer: Mixer,
  tokens: Value<"B N C">,
  { rows, columns, valid }: Grid,
  size: number,
  pairing?: Pairs,
): Value<"B N C"> {
  const cut = { R: rows / size, W: columns / size, P: size, Q: size };
  const windows = g.rename(g.rearrange(tokens, "B (R P W Q) C -> (B R W) (P Q) C", cut), "B N C");
  const known = valid && g.rename(g.rearrange(valid, "B (R P W Q) -> (B R W) (P Q)", cut), "B N");
  const mixed = mixer(g, windows, { rows: size, columns: size, valid: known, pairing });
  return g.rename(g.rearrange(mixed, "(B R W) (P Q) C -> B (R P W Q) C", cut), "B N C");
}

/** Tokens on a grid whose sides are multiples of `size`, with zeros below and to the right. */
export function padTo(
  g: Graph,
  tokens: Value<"B N C">,
  grid: Grid,
  { size, padding = "seen" }: WindowedOptions,
): { readonly tokens: Value<"B N C">; readonly grid: Grid } {
  const { rows: Y, columns: X } = grid;
  const [rows, columns] = [Y, X].map((side) => Math.ceil(side / size) * size) as [number, number];
  if (rows === Y && columns === X) return { tokens, grid };
  const map = g.rearrange(tokens, "B (Y X) C -> B Y X C", { Y });
  const wide = g.pad(g.pad(map, "Y", 0, rows - Y), "X", 0, columns - X);
  const valid =
    padding === "hidden" || grid.valid
      ? known(g, tokens, grid, [rows, columns], padding)
      : undefined;
  return {
    tokens: g.rename(g.rearrange(wide, "B Y X C -> B (Y X) C"), "B N C"),
    grid: { rows, columns, valid },
  };
}

/** Which tokens of the padded grid may be read. */
function known(
  g: Graph,
  tokens: Value<"B N C">,
  { rows: Y, columns: X, valid }: Grid,
  [rows, columns]: readonly [number, number],
  padding: "seen" | "hidden",
): Value<"B N"> {
  const B = tokens.shape[0] ?? 0;
  const all = valid
    ? g.cast(valid, "float32")
    : g.constant("B N", [B, Y * X], new Float32Array(B * Y * X).fill(1));
  const map = g.rearrange(all, "B (Y X) -> B Y X", { Y });
  const fill = padding === "seen" ? 1 : 0;
  const wide = g.pad(g.pad(map, "Y", 0, rows - Y, fill), "X", 0, columns - X, fill);
  return g.rename(g.cast(g.rearrange(wide, "B Y X -> B (Y X)"), "bool"), "B N");
}

/** The upper left of a padded grid. */
export function crop(g: Graph, tokens: Value<"B N C">, from: Grid, to: Grid): Value<"B N C"> {
  if (from.rows === to.rows && from.columns === to.columns) return tokens;
  const map = g.rearrange(tokens, "B (Y X) C -> B Y X C", { Y: from.rows });
  const part = g.slice(g.slice(map, "Y", 0, to.rows), "X", 0, to.columns);
  return g.rename(g.rearrange(part, "B Y X C -> B (Y X) C"), "B N C");
}

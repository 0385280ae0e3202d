import type { Graph, Value } from "../graph.ts";
import type { Grid, Mixer } from "../operator.ts";
import { checkGrid } from "./check-grid.ts";
import { crop, inWindows, padTo } from "./windowed.ts";
import type { WindowedOptions } from "./windowed.ts";

export interface ShiftedOptions extends WindowedOptions {
  /** How far windows are shifted, in tokens. @default ⌊size / 2⌋ */
  readonly shift?: number;
  /**
   * Which comes first on a grid that the windows do not divide. timm and Swin's own code roll and then pad;
   * detection code (detectron2, mmdetection) pads and then rolls. Weights are the same, results are not.
   * @default "pad first"
   */
  readonly order?: "pad first" | "roll first";
}

/** What pairs from different sides of the cut get added: Swin's value, finite on purpose. */
const APART = -100;

/**
 * Windows shifted by half a window: the grid is rolled, so that windows at the rim hold tokens from both
 * ends; those are told apart by a bias of −100.
 *
 * Liu et al., "Swin Transformer", 2021, §3.2, figure 4. arXiv:2103.14030
 */
export function shifted(mixer: Mixer, options: ShiftedOptions): Mixer {
  const { size, shift = Math.floor(size / 2), order = "pad first" } = options;
  return (g, tokens, grid) => {
    checkGrid("shifted", tokens, grid);
    const roll = (x: Value<"B N C">, on: Grid, by: number) => rolled(g, x, on, by);
    const rollGrid = (on: Grid) => ({
      ...on,
      valid: on.valid && rolledMask(g, on.valid, on, shift),
    });
    if (order === "roll first") {
      const first = { tokens: roll(tokens, grid, shift), grid: rollGrid(grid) };
      const padded = padTo(g, first.tokens, first.grid, options);
      const mixed = mixApart(g, mixer, padded.tokens, padded.grid, size, shift);
      return roll(crop(g, mixed, padded.grid, grid), grid, -shift);
    }
    const padded = padTo(g, tokens, grid, options);
    const [turned, on] = [roll(padded.tokens, padded.grid, shift), rollGrid(padded.grid)];
    const mixed = mixApart(g, mixer, turned, on, size, shift);
    return crop(g, roll(mixed, padded.grid, -shift), padded.grid, grid);
  };
}

function mixApart(
  g: Graph,
  mixer: Mixer,
  tokens: Value<"B N C">,
  grid: Grid,
  size: number,
  shift: number,
): Value<"B N C"> {
  const mask = shiftBias(grid, size, shift);
  const [B, windows, N] = [tokens.shape[0] ?? 0, mask.length / size ** 4, size * size];
  const one = g.constant("I B H N M", [1, windows, 1, N, N], mask);
  const all = g.expand(one, "I B H N M", [B, windows, 1, N, N]);
  const bias = g.reshape(all, "B H N M", [B * windows, 1, N, N]);
  return inWindows(g, mixer, tokens, grid, size, { bias });
}

/**
 * Swin's attention mask, `[windows, size², size²]`: 0 between tokens of one region, −100 between tokens that
 * the roll has brought together from different ones.
 */
export function shiftBias(
  { rows, columns }: Pick<Grid, "rows" | "columns">,
  size: number,
  shift: number,
): Float32Array<ArrayBuffer> {
  const side = (at: number, length: number) =>
    at < length - size ? 0 : at < length - shift ? 1 : 2;
  const region = (y: number, x: number) => 3 * side(y, rows) + side(x, columns);
  const [W, N] = [columns / size, size * size];
  const out = new Float32Array((rows / size) * W * N * N);
  for (let at = 0; at < out.length; at++) {
    const [m, n, window] = [at % N, Math.floor(at / N) % N, Math.floor(at / N / N)];
    const [y, x] = [Math.floor(window / W) * size, (window % W) * size];
    const of = (i: number) => region(y + Math.floor(i / size), x + (i % size));
    out[at] = of(n) === of(m) ? 0 : APART;
  }
  return out;
}

/** Moves every token `by` rows up and `by` columns to the left, around the rim. */
function rolled(g: Graph, tokens: Value<"B N C">, grid: Grid, by: number): Value<"B N C"> {
  const map = g.rearrange(tokens, "B (Y X) C -> B Y X C", { Y: grid.rows });
  const turned = turn(g, turn(g, map, "Y", grid.rows, by), "X", grid.columns, by);
  return g.rename(g.rearrange(turned, "B Y X C -> B (Y X) C"), "B N C");
}

function rolledMask(g: Graph, valid: Value<"B N">, grid: Grid, by: number): Value<"B N"> {
  const one = g.rename(g.reshape(valid, "B N C", [...valid.shape, 1]), "B N C");
  return g.reshape(rolled(g, one, grid, by), "B N", valid.shape);
}

function turn<L extends string>(g: Graph, x: Value<L>, axis: string, size: number, by: number) {
  const cut = ((by % size) + size) % size;
  if (cut === 0) return x;
  return g.concat([g.slice(x, axis, cut, size), g.slice(x, axis, 0, cut)], axis);
}

import type { Value } from "../graph.ts";
import type { Grid } from "../operator.ts";
import { bind, ShapeError } from "../shape.ts";

/**
 * The check of whatever cuts a grid anew or lays it out as a map: tokens are those of the grid, and nothing is said of
 * pairs, which would have no meaning in the parts.
 *
 * @throws {ShapeError} naming the operator, the axis and both sizes
 */
export function checkGrid(
  caller: string,
  tokens: Value<"B N C">,
  { rows, columns, valid, pairing }: Grid,
): void {
  const all = { layout: "B N", shape: tokens.shape.slice(0, 2) } as const;
  const { N } = bind(caller, { tokens, valid: valid ?? all });
  if (N !== rows * columns) {
    throw new ShapeError(`${caller}: N is ${N} in tokens but its grid is ${rows} × ${columns}`);
  }
  if (pairing !== undefined) {
    throw new ShapeError(`${caller}: takes whole grids, received one with a mask or bias of pairs`);
  }
}

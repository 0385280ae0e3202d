/** What YOLO-like heads share: one output with a row (or a column) for each candidate. */
import type { Columns } from "./columns.ts";
import { strideRank, stridesFor } from "./grid.ts";
import type { DecodeContext, Decoded, Facts } from "./head.ts";
import { decodeTiles, indexOfMax, rangeOf, type Table } from "./table.ts";

/** The output that holds the candidates. */
export interface Sole {
  readonly name: string;
  /** The two axes after the batch. */
  readonly first: number;
  readonly second: number;
  /** Columns of mask coefficients, at the end of each row; 0 where the model gives no masks. */
  readonly masks: number;
  readonly notices: readonly string[];
}

/** The only output of rank 3; maps of masks or raw features beside it are named in the notices. */
export function soleOutput({ probe }: Facts): Sole | undefined {
  const all = Object.entries(probe);
  const tables = all.filter(([, { dims }]) => dims.length === 3);
  const [only] = tables;
  if (only === undefined || tables.length > 1 || all.some(([, { dims }]) => dims.length < 3)) {
    return undefined;
  }
  const [name, { dims }] = only;
  const prototypes = all.find(([, other]) => other.dims.length === 4)?.[1].dims[1] ?? 0;
  const others = all.filter((entry) => entry !== only).map(([other]) => other);
  const notices =
    prototypes > 0
      ? [`Masks are ignored: ${others.join(", ")} and ${prototypes} coefficients of each box.`]
      : others.map((other) => `Output ${other} is ignored.`);
  return { name, first: dims[1] ?? 0, second: dims[2] ?? 0, masks: prototypes, notices };
}

/**
 * Whether the candidates lie on the second axis: the axis that counts the cells of the more usual strides, else the
 * longer one.
 */
export function liesDown({ first, second }: Sole, facts: Facts): boolean {
  const ofFirst = Math.min(strideRank(first, facts), strideRank(first, facts, 3));
  const ofSecond = strideRank(second, facts);
  return ofSecond < ofFirst || (ofSecond === ofFirst && second > first);
}

/** The strides whose cells the first axis counts, `perCell` rows each, unless the candidates lie on the other. */
export function stridesOfRows(
  sole: Sole,
  facts: Facts,
  asked: boolean,
  perCell = 1,
): readonly number[] | undefined {
  return liesDown(sole, facts) && !asked ? undefined : stridesFor(sole.first, facts, perCell);
}

/** Pixels for one unit of a box coordinate. */
export interface Scale {
  readonly x: number;
  readonly y: number;
  readonly reason: string;
}

/** Whether boxes are in pixels, or in fractions of the input, by the sizes that the probe gave. */
export function scaleOf(table: Table, { width, height }: Facts): Scale {
  const largest = Math.max(...[0, 1, 2, 3].map((column) => rangeOf(table, column).max));
  if (largest > 2 || !(largest > 0)) {
    return { x: 1, y: 1, reason: "Box coordinates are pixels." };
  }
  const reason = `Box coordinates reach ${largest.toFixed(2)}: fractions of the input.`;
  return { x: width, y: height, reason };
}

/** Adds the box whose columns start at `data[at]`. */
export type AddBox = (
  into: Columns,
  data: Float32Array,
  at: number,
  row: number,
  score: number,
  klass: number,
) => void;

/** Rows `4 of the box, objectness, classes`: score = objectness · class. */
export function decodeObjectness(
  table: Table,
  context: DecodeContext,
  classCount: number,
  add: AddBox,
): Decoded {
  const { data, rows, rowStep, itemStep } = table;
  return decodeTiles(context, "upright", (item, into) => {
    for (let row = 0, at = item * itemStep; row < rows; row++, at += rowStep) {
      const objectness = data[at + 4]!;
      if (!into.mayWant(objectness)) continue;
      const best = indexOfMax(data, at + 5, at + 5 + classCount);
      const score = objectness * data[best]!;
      if (into.wants(score)) add(into, data, at, row, score, best - at - 5);
    }
  });
}

/** `x y w h`, each times its scale. */
export const addCentredBy =
  ({ x, y }: Pick<Scale, "x" | "y">): AddBox =>
  (into, data, at, _row, score, klass) =>
    into.addCentred(
      score,
      klass,
      data[at]! * x,
      data[at + 1]! * y,
      data[at + 2]! * x,
      data[at + 3]! * y,
    );

/** Whether a column holds probabilities. */
export function isProbability(table: Table, column: number): boolean {
  const { min, max } = rangeOf(table, column);
  return min >= -1e-4 && max <= 1.0001;
}

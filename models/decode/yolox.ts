/**
 * YOLOX: one row for each cell: offset of the centre and logarithm of the size in strides, objectness, classes; scores
 * are sigmoids already. Exported with `--decode_in_inference`, boxes are in pixels. YOLOv6 writes the second form with
 * an objectness of 1 and reads other pixels.
 *
 * Ge et al., "YOLOX: Exceeding YOLO Series in 2021", §2. arXiv:2107.08430
 */
import { cellsOnce } from "./grid.ts";
import { ULTRALYTICS, YOLOX } from "./habits.ts";
import type { Facts, Head, HeadMatch, InputHabits } from "./head.ts";
import {
  addCentredBy,
  decodeObjectness,
  isProbability,
  scaleOf,
  type Sole,
  soleOutput,
  stridesOfRows,
} from "./rows.ts";
import { named, rangeOf, type Table, toTable } from "./table.ts";

export const yolox: Head = {
  name: "yolox",
  layout: "(B, N, 5 + classes), one row a cell: offset x y, log w h, objectness, class scores",
  match(facts, asked) {
    const found = rowPerCell(facts, asked);
    if (found === undefined || !(asked || (found.areScores && found.isRaw))) return undefined;
    const { sole, strides, reasons, widths } = found;
    const cells = cellsOnce(strides);
    const classCount = sole.second - 5;
    return {
      classCount,
      oriented: false,
      reasons: [...reasons, `Widths lie in ${widths}: logarithms, not pixels.`],
      notices: sole.notices,
      habits: YOLOX,
      decode(outputs, context) {
        const { x, y, stride } = cells(context);
        return decodeObjectness(
          toTable(named(outputs, sole.name)),
          context,
          classCount,
          (into, data, at, row, score, klass) => {
            const step = stride[row]!;
            into.addCentred(
              score,
              klass,
              (data[at]! + x[row]!) * step,
              (data[at + 1]! + y[row]!) * step,
              Math.exp(data[at + 2]!) * step,
              Math.exp(data[at + 3]!) * step,
            );
          },
        );
      },
    };
  },
};

export const yoloxDecoded: Head = {
  name: "yolox-decoded",
  layout: "(B, N, 5 + classes), one row a cell: x y w h in pixels, objectness, class scores",
  match(facts, asked) {
    const found = rowPerCell(facts, asked);
    const fits = found?.areScores === true && !found.isRaw && !found.isCertain;
    if (found === undefined || !(asked || fits)) return undefined;
    return decodedMatch(found, facts, YOLOX, `Widths lie in ${found.widths}: decoded already.`);
  },
};

export const yolov6: Head = {
  name: "yolov6",
  layout: "(B, N, 5 + classes), one row a cell: x y w h in pixels, 1, class scores",
  match(facts, asked) {
    const found = rowPerCell(facts, asked);
    const fits = found?.areScores === true && !found.isRaw && found.isCertain;
    if (found === undefined || !(asked || fits)) return undefined;
    return decodedMatch(
      found,
      facts,
      ULTRALYTICS,
      "Objectness is 1 everywhere, as YOLOv6 writes it.",
    );
  },
};

interface RowPerCell {
  readonly sole: Sole;
  readonly table: Table;
  readonly strides: readonly number[];
  readonly reasons: readonly string[];
  /** Lowest and highest width, for people. */
  readonly widths: string;
  /** Widths are logarithms: below 0 for boxes under a stride, and never as large as a size in pixels. */
  readonly isRaw: boolean;
  /** Objectness is 1 everywhere. */
  readonly isCertain: boolean;
  /** Objectness and classes lie in 0…1. */
  readonly areScores: boolean;
}

function rowPerCell(facts: Facts, asked: boolean): RowPerCell | undefined {
  const sole = soleOutput(facts);
  const strides = sole && stridesOfRows(sole, facts, asked);
  if (sole === undefined || strides === undefined || sole.second < 6) return undefined;
  const table = toTable(named(facts.probe, sole.name));
  const [width, object] = [rangeOf(table, 2), rangeOf(table, 4)];
  return {
    sole,
    table,
    strides,
    reasons: [
      `Output ${sole.name} has ${sole.first} rows: one for each cell of strides ${strides.join(", ")}.`,
      `Its ${sole.second} columns are a box, objectness and ${sole.second - 5} classes.`,
    ],
    widths: `${width.min.toFixed(1)}…${width.max.toFixed(1)}`,
    isRaw: width.min < 0,
    isCertain: object.min > 0.999 && object.max < 1.001,
    areScores: [4, 5, sole.second - 1].every((column) => isProbability(table, column)),
  };
}

function decodedMatch(
  { sole, table, reasons }: RowPerCell,
  facts: Facts,
  habits: InputHabits,
  reason: string,
): HeadMatch {
  const scale = scaleOf(table, facts);
  const classCount = sole.second - 5;
  return {
    classCount,
    oriented: false,
    reasons: [...reasons, reason, scale.reason],
    notices: sole.notices,
    habits,
    decode: (outputs, context) =>
      decodeObjectness(
        toTable(named(outputs, sole.name)),
        context,
        classCount,
        addCentredBy(scale),
      ),
  };
}

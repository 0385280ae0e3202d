/** YOLOv5 and YOLOv7: three anchors in each cell, boxes in pixels, objectness, classes; scores are sigmoids already. */
import { ULTRALYTICS } from "./habits.ts";
import type { Head } from "./head.ts";
import {
  addCentredBy,
  decodeObjectness,
  isProbability,
  scaleOf,
  soleOutput,
  stridesOfRows,
} from "./rows.ts";
import { named, toTable } from "./table.ts";

export const yolov5: Head = {
  name: "yolov5",
  layout: "(B, N, 5 + classes), three rows a cell: x y w h in pixels, objectness, class scores",
  match(facts, asked) {
    const sole = soleOutput(facts);
    if (sole === undefined || sole.second - 5 - sole.masks < 1) return undefined;
    const table = toTable(named(facts.probe, sole.name));
    const strides = stridesOfRows(sole, facts, asked, 3);
    if (!asked && (strides === undefined || !isProbability(table, 4))) return undefined;
    const classCount = sole.second - 5 - sole.masks;
    const scale = scaleOf(table, facts);
    const rows =
      strides === undefined
        ? `Output ${sole.name} has ${sole.first} rows.`
        : `Output ${sole.name} has ${sole.first} rows: three for each cell of strides ${strides.join(", ")}.`;
    return {
      classCount,
      oriented: false,
      reasons: [
        rows,
        `Its ${sole.second} columns are a box, objectness and ${classCount} classes.`,
        scale.reason,
      ],
      notices: sole.notices,
      habits: ULTRALYTICS,
      decode: (outputs, context) =>
        decodeObjectness(
          toTable(named(outputs, sole.name)),
          context,
          classCount,
          addCentredBy(scale),
        ),
    };
  },
};

/**
 * YOLOv8, v9, v11 and v12, upright and oriented: a column for each cell, no objectness, scores are sigmoids already.
 * Oriented models (OBB) put the angle last, in radians from the x axis, clockwise on the screen. Columns of masks and
 * key points after the classes are ignored.
 */
import { stridesFor } from "./grid.ts";
import { ULTRALYTICS } from "./habits.ts";
import type { Facts, Head, HeadMatch } from "./head.ts";
import { isProbability, liesDown, scaleOf, type Scale, type Sole, soleOutput } from "./rows.ts";
import { bestOfRows, decodeTiles, named, type Table, toTable } from "./table.ts";

export const yolov8: Head = {
  name: "yolov8",
  layout: "(B, 4 + classes, N): x y w h in pixels, class scores",
  match(facts, asked) {
    const found = lyingTable(facts, asked);
    if (found === undefined) return undefined;
    const content = contentOf(facts, found);
    if (content.angle && !asked) return undefined;
    const classCount = content.angle ? content.classCount + 1 : content.classCount;
    return uprightMatch(facts, found, { ...content, classCount });
  },
};

export const yolov8Oriented: Head = {
  name: "yolov8-obb",
  layout: "(B, 4 + classes + 1, N): x y w h in pixels, class scores, angle in radians",
  match(facts, asked) {
    const found = lyingTable(facts, asked);
    if (found === undefined) return undefined;
    const content = contentOf(facts, found);
    if (!content.angle && !asked) return undefined;
    const classCount = content.angle ? content.classCount : content.classCount - 1;
    if (classCount < 1) return undefined;
    return orientedMatch(facts, found, { ...content, classCount });
  },
};

interface Lying {
  readonly sole: Sole;
  readonly table: Table;
  /** Candidates are on the last axis, as the exporter has them; else somebody turned the output. */
  readonly turned: boolean;
  readonly columns: number;
  readonly reason: string;
}

/** `[B, columns, N]`, or turned round: `[B, N, columns]` with as many columns as 4 and the named classes. */
function lyingTable(facts: Facts, asked: boolean): Lying | undefined {
  const sole = soleOutput(facts);
  if (sole === undefined) return undefined;
  const turned = liesDown(sole, facts);
  const [rows, columns] = turned ? [sole.second, sole.first] : [sole.first, sole.second];
  if (columns - sole.masks < 5) return undefined;
  const strides = stridesFor(rows, facts);
  const spare = columns - sole.masks - 4 - (facts.classes?.length ?? -1);
  const named4 = spare === 0 || (spare === 1 && facts.metadata.task === "obb");
  // The 300 rows of an end-to-end head, and rows with objectness, lie the other way.
  if (
    !asked &&
    !(turned ? strides !== undefined || rows > 1000 : strides !== undefined && named4)
  ) {
    return undefined;
  }
  const table = toTable(named(facts.probe, sole.name), turned);
  const cells = strides === undefined ? "" : `: one for each cell of strides ${strides.join(", ")}`;
  const reason = `Output ${sole.name} has ${columns} values for each of ${rows} candidates${cells}.`;
  return { sole, table, turned, columns, reason };
}

interface Content {
  readonly classCount: number;
  /** The last column is an angle. */
  readonly angle: boolean;
  readonly reasons: readonly string[];
  readonly notices: readonly string[];
}

/** What the columns after the box are: by the metadata's task, by the number of names, by their values. */
function contentOf({ metadata, classes }: Facts, { sole, table, columns }: Lying): Content {
  const rest = columns - 4 - sole.masks;
  const count = classes?.length;
  if (metadata.task === "obb") {
    const reasons = [`The metadata say obb: ${rest - 1} classes, then the angle.`];
    return { classCount: rest - 1, angle: true, reasons, notices: [] };
  }
  if (metadata.task === "pose" && count !== undefined && rest > count) {
    const notices = [`Key points are ignored: ${rest - count} values of each box.`];
    const reasons = [`After the box come ${count} classes, as many as there are names.`];
    return { classCount: count, angle: false, reasons, notices };
  }
  if (count !== undefined && rest === count) {
    const reasons = [`After the box come ${rest} classes, as many as there are names.`];
    return { classCount: rest, angle: false, reasons, notices: [] };
  }
  const angle = rest > 1 && !isProbability(table, columns - 1 - sole.masks);
  return {
    classCount: angle ? rest - 1 : rest,
    angle,
    reasons: angle
      ? [`The last value leaves 0…1, so it is an angle; before it come ${rest - 1} classes.`]
      : [`All ${rest} values after the box lie in 0…1: classes.`],
    notices: [],
  };
}

function uprightMatch(
  facts: Facts,
  { sole, table, turned, reason }: Lying,
  content: Content,
): HeadMatch {
  const { classCount, reasons } = content;
  const scale = scaleOf(table, facts);
  return {
    classCount,
    oriented: false,
    reasons: [reason, ...reasons, scale.reason],
    notices: [...sole.notices, ...content.notices],
    habits: ULTRALYTICS,
    decode(outputs, context) {
      const found = toTable(named(outputs, sole.name), turned);
      const { data, rows, rowStep, columnStep: c, itemStep } = found;
      return decodeTiles(context, "upright", (item, into) => {
        const { scores, classes } = bestOfRows(found, item, 4, 4 + classCount);
        for (let row = 0, at = item * itemStep; row < rows; row++, at += rowStep) {
          if (!into.wants(scores[row]!)) continue;
          into.addCentred(
            scores[row]!,
            classes[row]!,
            data[at]! * scale.x,
            data[at + c]! * scale.y,
            data[at + 2 * c]! * scale.x,
            data[at + 3 * c]! * scale.y,
          );
        }
      });
    },
  };
}

function orientedMatch(
  facts: Facts,
  { sole, table, turned, reason }: Lying,
  content: Content,
): HeadMatch {
  const { classCount, reasons } = content;
  const scale: Scale = scaleOf(table, facts);
  return {
    classCount,
    oriented: true,
    reasons: [reason, ...reasons, scale.reason],
    notices: [...sole.notices, ...content.notices],
    habits: ULTRALYTICS,
    decode(outputs, context) {
      const found = toTable(named(outputs, sole.name), turned);
      const { data, rows, rowStep, columnStep: c, itemStep } = found;
      const angle = (4 + classCount) * c;
      return decodeTiles(context, "oriented", (item, into) => {
        const { scores, classes } = bestOfRows(found, item, 4, 4 + classCount);
        for (let row = 0, at = item * itemStep; row < rows; row++, at += rowStep) {
          if (!into.wants(scores[row]!)) continue;
          into.addTurned(scores[row]!, classes[row]!, [
            data[at]! * scale.x,
            data[at + c]! * scale.y,
            data[at + 2 * c]! * scale.x,
            data[at + 3 * c]! * scale.y,
            data[at + angle]!,
          ]);
        }
      });
    },
  };
}

/**
 * YOLOv10 and YOLO26: the network itself chooses its (usually 300) best boxes; rows that are left over score 0.
 *
 * Wang et al., "YOLOv10", 2024, §3.1. arXiv:2405.14458
 */
import { stridesFor } from "./grid.ts";
import { ULTRALYTICS } from "./habits.ts";
import type { Facts, Head } from "./head.ts";
import { isProbability, soleOutput, scaleOf, type Sole } from "./rows.ts";
import { decodeTiles, named, type Table, toTable } from "./table.ts";

/** Nobody exports more; dense heads have more. */
const MOST_ROWS = 1000;

export const yoloEndToEnd: Head = {
  name: "yolo-end-to-end",
  layout: "(B, 300, 6): x1 y1 x2 y2 in pixels, score, class",
  match(facts, asked) {
    const found = chosenRows(facts, 6, asked);
    if (found === undefined) return undefined;
    const { sole, table, reasons } = found;
    const scale = scaleOf(table, facts);
    return {
      classCount: facts.classes?.length,
      oriented: false,
      reasons: [...reasons, scale.reason],
      notices: [...sole.notices, ...extras(sole)],
      habits: ULTRALYTICS,
      decode(outputs, context) {
        const { data, rows, columns, itemStep } = toTable(named(outputs, sole.name));
        return decodeTiles(context, "upright", (item, into) => {
          for (let row = 0, at = item * itemStep; row < rows; row++, at += columns) {
            const score = data[at + 4]!;
            if (!into.wants(score)) continue;
            const [x1, y1] = [data[at]! * scale.x, data[at + 1]! * scale.y];
            const [x2, y2] = [data[at + 2]! * scale.x, data[at + 3]! * scale.y];
            into.addCorners(score, data[at + 5]!, x1, y1, x2, y2);
          }
        });
      },
    };
  },
};

export const yoloEndToEndOriented: Head = {
  name: "yolo-end-to-end-obb",
  layout: "(B, 300, 7): x y w h in pixels, score, class, angle in radians",
  match(facts, asked) {
    const found = chosenRows(facts, 7, asked);
    if (found === undefined || found.sole.second !== 7) return undefined;
    const { sole, reasons } = found;
    return {
      classCount: facts.classes?.length,
      oriented: true,
      reasons,
      notices: sole.notices,
      habits: ULTRALYTICS,
      decode(outputs, context) {
        const { data, rows, columns, itemStep } = toTable(named(outputs, sole.name));
        return decodeTiles(context, "oriented", (item, into) => {
          for (let row = 0, at = item * itemStep; row < rows; row++, at += columns) {
            const score = data[at + 4]!;
            if (!into.wants(score)) continue;
            const [x, y, w, h] = [data[at]!, data[at + 1]!, data[at + 2]!, data[at + 3]!];
            into.addTurned(score, data[at + 5]!, [x, y, w, h, data[at + 6]!]);
          }
        });
      },
    };
  },
};

interface Chosen {
  readonly sole: Sole;
  readonly table: Table;
  readonly reasons: readonly string[];
}

/** Few rows, a score in 0…1 in column 4 and whole class numbers in column 5. */
function chosenRows(facts: Facts, columns: 6 | 7, asked: boolean): Chosen | undefined {
  const sole = soleOutput(facts);
  if (sole === undefined || sole.second < columns) return undefined;
  const table = toTable(named(facts.probe, sole.name));
  const isExact = sole.second - sole.masks === columns;
  const isPose =
    columns === 6 && facts.metadata.task === "pose" && stridesFor(sole.second, facts) === undefined;
  const fits = sole.first <= MOST_ROWS && isProbability(table, 4) && holdsClasses(table, facts);
  if (!asked && !((isExact || isPose) && fits)) return undefined;
  const reasons = [
    `Output ${sole.name} has ${sole.first} rows of ${sole.second}: boxes that the network has chosen itself.`,
    "Column 4 lies in 0…1 and column 5 holds whole numbers: score and class.",
  ];
  return { sole, table, reasons };
}

function holdsClasses({ data, rows, columns }: Table, { classes }: Facts): boolean {
  const below = classes?.length ?? 65_536;
  for (let row = 0, at = 5; row < rows; row++, at += columns) {
    const value = data[at]!;
    if (!Number.isInteger(value) || value < 0 || value >= below) return false;
  }
  return true;
}

const extras = ({ second, masks }: Sole): readonly string[] =>
  second - masks > 6 ? [`Key points are ignored: ${second - masks - 6} values of each box.`] : [];

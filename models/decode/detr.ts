/**
 * Transformers that answer with a fixed number of queries, each a box as fractions of the input and a logit a class.
 *
 * RF-DETR (`dets`, `labels`), the DETR family of Hugging Face (`logits`, `pred_boxes`) and Ultralytics' RT-DETR (one
 * output with sigmoids). Carion et al., "End-to-End Object Detection with Transformers", 2020, §3.1. arXiv:2005.12872
 */
import { COCO, COCO_IDS } from "../coco.ts";
import type { Columns } from "./columns.ts";
import { IMAGENET, REAL_TIME_DETR } from "./habits.ts";
import type { Decode, Facts, Head, HeadMatch } from "./head.ts";
import { isProbability, scaleOf, soleOutput } from "./rows.ts";
import { decodeTiles, indexOfMax, named, type Table, toTable } from "./table.ts";

export const rfDetr: Head = {
  name: "rf-detr",
  layout: "dets (B, N, 4): x y w h as fractions; labels (B, N, classes): logits",
  match(facts) {
    const found = queries(facts, "dets", "labels");
    if (found === undefined) return undefined;
    const { rows, columns } = found;
    const classCount = withoutBackground(facts, columns);
    return {
      classCount,
      oriented: false,
      reasons: [
        `Outputs dets and labels hold ${rows} boxes and ${columns} logits for each: RF-DETR's names.`,
      ],
      notices: ignored(facts, ["dets", "labels"]),
      habits: IMAGENET,
      ...(columns === COCO_IDS.length ? { classes: COCO_IDS } : {}),
      decode: decodeQueries("dets", "labels", { classCount, score: bySigmoid }),
    };
  },
};

export const huggingFaceDetr: Head = {
  name: "detr-softmax",
  layout:
    "pred_boxes (B, N, 4): x y w h as fractions; logits (B, N, classes + 1), the last is no object",
  match(facts, asked) {
    const found = queries(facts, "pred_boxes", "logits");
    if (found === undefined || !(asked || lastIsNoObject(facts, found))) return undefined;
    const classCount = found.columns - 1;
    return {
      ...huggingFace(facts, found, classCount),
      reasons: [
        namesReason(found),
        asked || facts.classes?.length === classCount
          ? `The last logit, after ${classCount} classes, is "no object".`
          : `The last of ${found.columns} logits wins for most queries: it is "no object".`,
      ],
      habits: IMAGENET,
      ...(classCount === COCO_IDS.length ? { classes: COCO_IDS } : {}),
      decode: decodeQueries("pred_boxes", "logits", { classCount, score: bySoftmax }),
    };
  },
};

export const huggingFaceSigmoid: Head = {
  name: "detr-sigmoid",
  layout: "pred_boxes (B, N, 4): x y w h as fractions; logits (B, N, classes)",
  match(facts) {
    const found = queries(facts, "pred_boxes", "logits");
    if (found === undefined) return undefined;
    const classCount = withoutBackground(facts, found.columns);
    const hasMask = facts.summary.inputs.some(({ name }) => name === "pixel_mask");
    return {
      ...huggingFace(facts, found, classCount),
      reasons: [
        namesReason(found),
        `All ${found.columns} logits are classes, each with a sigmoid.`,
      ],
      // RT-DETR and D-FINE take plain fractions and no mask; Deformable and Conditional DETR the other way round.
      habits: hasMask ? IMAGENET : REAL_TIME_DETR,
      ...(found.columns === COCO_IDS.length ? { classes: COCO_IDS } : {}),
      decode: decodeQueries("pred_boxes", "logits", { classCount, score: bySigmoid }),
    };
  },
};

export const ultralyticsRtDetr: Head = {
  name: "rt-detr-ultralytics",
  layout: "(B, 300, 4 + classes): x y w h as fractions, class scores",
  match(facts, asked) {
    const sole = soleOutput(facts);
    if (sole === undefined || sole.second < 5) return undefined;
    const table = toTable(named(facts.probe, sole.name));
    const scale = scaleOf(table, facts);
    const classCount = sole.second - 4;
    const isNamed = /rt-?detr/i.test(facts.metadata.description ?? "");
    const fits =
      sole.first <= 1000 &&
      scale.x !== 1 &&
      isProbability(table, 4) &&
      isProbability(table, sole.second - 1);
    if (
      !(asked || (fits && (isNamed || facts.classes?.length === classCount || sole.first === 300)))
    ) {
      return undefined;
    }
    return {
      classCount,
      oriented: false,
      reasons: [
        `Output ${sole.name} has ${sole.first} queries with a box and ${classCount} class scores each.`,
        scale.reason,
      ],
      notices: sole.notices,
      habits: REAL_TIME_DETR,
      ...(classCount === COCO.length ? { classes: COCO } : {}),
      decode: (outputs, context) => {
        const all = toTable(named(outputs, sole.name));
        return decodeTiles(context, "upright", (item, into) => {
          for (let row = 0, at = item * all.itemStep; row < all.rows; row++, at += all.rowStep) {
            const best = indexOfMax(all.data, at + 4, at + 4 + classCount);
            const score = all.data[best]!;
            if (into.wants(score)) addFraction(into, score, best - at - 4, all.data, at, context);
          }
        });
      },
    };
  },
};

/** Boxes and logits of one probe run, by their names. */
function queries({ probe }: Facts, boxes: string, logits: string): Table | undefined {
  const [b, l] = [probe[boxes], probe[logits]];
  if (b?.dims.length !== 3 || b.dims[2] !== 4 || l?.dims.length !== 3) return undefined;
  return l.dims[1] === b.dims[1] ? toTable(l) : undefined;
}

/** One column more than there are names is the background, which training never asks for. */
const withoutBackground = ({ classes }: Facts, columns: number): number =>
  classes?.length === columns - 1 ? columns - 1 : columns;

const namesReason = ({ rows, columns }: Table): string =>
  `Outputs pred_boxes and logits hold ${rows} boxes and ${columns} logits for each: the names of Hugging Face's DETRs.`;

const huggingFace = (
  facts: Facts,
  { columns }: Table,
  classCount: number,
): Pick<HeadMatch, "classCount" | "oriented" | "notices"> => ({
  classCount: Math.min(classCount, columns),
  oriented: false,
  notices: ignored(facts, ["pred_boxes", "logits"]),
});

const ignored = ({ probe }: Facts, used: readonly string[]): readonly string[] =>
  Object.keys(probe)
    .filter((name) => !used.includes(name))
    .map((name) => `Output ${name} is ignored.`);

/** By the number of names; else by whether the last logit wins on a picture of nothing. */
function lastIsNoObject({ classes }: Facts, { data, rows, columns }: Table): boolean {
  if (classes?.length === columns - 1) return true;
  if (classes?.length === columns || columns < 2) return false;
  let wins = 0;
  for (let row = 0; row < rows; row++) {
    const at = row * columns;
    if (indexOfMax(data, at, at + columns) === at + columns - 1) wins++;
  }
  return wins > rows / 2;
}

/** Score of the logit at `best` among `data[at … at + columns − 1]`. */
type Score = (data: Float32Array, at: number, columns: number, best: number) => number;

const bySigmoid: Score = (data, _at, _columns, best) => 1 / (1 + Math.exp(-data[best]!));

const bySoftmax: Score = (data, at, columns, best) => {
  let sum = 0;
  for (let i = at; i < at + columns; i++) sum += Math.exp(data[i]! - data[best]!);
  return 1 / sum;
};

function decodeQueries(
  boxesName: string,
  logitsName: string,
  { classCount, score: scoreOf }: { readonly classCount: number; readonly score: Score },
): Decode {
  return (outputs, context) => {
    const boxes = toTable(named(outputs, boxesName));
    const { data, rows, columns, itemStep } = toTable(named(outputs, logitsName));
    return decodeTiles(context, "upright", (item, into) => {
      for (let row = 0; row < rows; row++) {
        const at = item * itemStep + row * columns;
        const best = indexOfMax(data, at, at + classCount);
        const score = scoreOf(data, at, columns, best);
        if (!into.wants(score)) continue;
        addFraction(into, score, best - at, boxes.data, item * boxes.itemStep + row * 4, context);
      }
    });
  };
}

function addFraction(
  into: Columns,
  score: number,
  klass: number,
  data: Float32Array,
  at: number,
  { width, height }: { readonly width: number; readonly height: number },
): void {
  const [x, y] = [data[at]! * width, data[at + 1]! * height];
  into.addCentred(score, klass, x, y, data[at + 2]! * width, data[at + 3]! * height);
}

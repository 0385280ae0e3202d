/**
 * Networks that write final boxes, scores and class numbers apart: RT-DETR, D-FINE and DEIM from their own
 * repositories, torchvision (Faster R-CNN, RetinaNet, SSD), exports with built-in suppression, and mmdeploy.
 */
import { COCO_IDS } from "../coco.ts";
import { REAL_TIME_DETR, TORCHVISION, ULTRALYTICS } from "./habits.ts";
import type { Decode, Facts, Head, OutputArray } from "./head.ts";
import { decodeTiles, named, toFloats } from "./table.ts";

export const sizedDetr: Head = {
  name: "rt-detr",
  layout: "labels (B, N), boxes (B, N, 4): x1 y1 x2 y2 in orig_target_sizes, scores (B, N)",
  match(facts, asked) {
    const names = triple(facts);
    const isSized = facts.summary.inputs.some(({ name }) => name === "orig_target_sizes");
    if (names === undefined || !(asked || isSized)) return undefined;
    return {
      classCount: facts.classes?.length,
      oriented: false,
      reasons: [
        "Input orig_target_sizes asks for the size that boxes are scaled to: RT-DETR, D-FINE or DEIM.",
        triplesReason(names),
      ],
      notices: leftOver(facts, names),
      habits: REAL_TIME_DETR,
      decode: decodeTriple(names),
    };
  },
};

export const boxesScoresLabels: Head = {
  name: "boxes-scores-labels",
  layout: "boxes (N, 4) or (B, N, 4): x1 y1 x2 y2 in pixels, scores (N), labels (N)",
  match(facts) {
    const names = triple(facts);
    if (names === undefined) return undefined;
    const isSuppressed = facts.probe[names.boxes]?.dims.length === 3;
    return {
      classCount: facts.classes?.length,
      oriented: false,
      reasons: [triplesReason(names)],
      notices: leftOver(facts, names),
      habits: isSuppressed ? ULTRALYTICS : TORCHVISION,
      ...(isSuppressed ? {} : { classes: COCO_IDS }),
      decode: decodeTriple(names),
    };
  },
};

export const mmdeploy: Head = {
  name: "mmdeploy",
  layout: "dets (B, N, 5): x1 y1 x2 y2 in pixels, score; labels (B, N)",
  match(facts) {
    const [dets, labels] = [facts.probe["dets"], facts.probe["labels"]];
    if (dets?.dims.at(-1) !== 5 || labels === undefined) return undefined;
    if (labels.dims.length !== dets.dims.length - 1) return undefined;
    return {
      classCount: facts.classes?.length,
      oriented: false,
      reasons: ["Outputs dets (boxes with a score) and labels are named as mmdeploy names them."],
      notices: leftOver(facts, { boxes: "dets", scores: "dets", labels: "labels" }),
      habits: { ...TORCHVISION, mean: [123.675, 116.28, 103.53], std: [58.395, 57.12, 57.375] },
      decode(outputs, context) {
        const data = toFloats(named(outputs, "dets"));
        const classes = toFloats(named(outputs, "labels"));
        const rows = classes.length / context.batch;
        return decodeTiles(context, "upright", (item, into) => {
          for (let row = item * rows; row < (item + 1) * rows; row++) {
            const [at, score] = [row * 5, data[row * 5 + 4]!];
            if (!into.wants(score)) continue;
            into.addCorners(
              score,
              classes[row]!,
              data[at]!,
              data[at + 1]!,
              data[at + 2]!,
              data[at + 3]!,
            );
          }
        });
      },
    };
  },
};

interface Triple {
  readonly boxes: string;
  readonly scores: string;
  readonly labels: string;
}

/** Finds the three by their shapes, and by type or name where shapes agree. */
function triple({ probe }: Facts): Triple | undefined {
  const outputs = Object.entries(probe);
  const boxes = outputs.filter(([, { dims }]) => dims.at(-1) === 4 && dims.length >= 2);
  const [only] = boxes;
  if (only === undefined || boxes.length > 1) return undefined;
  const shape = only[1].dims.slice(0, -1).join(" ");
  const columns = outputs.filter(([, { dims }]) => dims.join(" ") === shape);
  const isLabels = ([name, output]: readonly [string, OutputArray]): boolean =>
    !(output.data instanceof Float32Array) || /label|class/i.test(name);
  const labels = columns.find(isLabels);
  const scores = columns.find((entry) => !isLabels(entry));
  if (labels === undefined || scores === undefined) return undefined;
  return { boxes: only[0], scores: scores[0], labels: labels[0] };
}

const triplesReason = ({ boxes, scores, labels }: Triple): string =>
  `Outputs ${boxes}, ${scores} and ${labels} have as many rows: final boxes, scores and class numbers.`;

const leftOver = ({ probe }: Facts, used: Triple): readonly string[] =>
  Object.keys(probe)
    .filter((name) => !Object.values(used).includes(name))
    .map((name) => `Output ${name} is ignored.`);

/** With a batch of one, exporters may leave the batch axis out. */
function decodeTriple(names: Triple): Decode {
  return (outputs, context) => {
    const boxes = toFloats(named(outputs, names.boxes));
    const scores = toFloats(named(outputs, names.scores));
    const classes = toFloats(named(outputs, names.labels));
    const rows = scores.length / context.batch;
    return decodeTiles(context, "upright", (item, into) => {
      for (let row = item * rows; row < (item + 1) * rows; row++) {
        const [at, score] = [row * 4, scores[row]!];
        // Rows that suppression left empty are labelled −1.
        if (classes[row]! < 0 || !into.wants(score)) continue;
        into.addCorners(
          score,
          classes[row]!,
          boxes[at]!,
          boxes[at + 1]!,
          boxes[at + 2]!,
          boxes[at + 3]!,
        );
      }
    });
  };
}

/** One report of how good detections are, whatever the protocol. */
import type { LabelledDataset } from "../labels/labels.ts";
import { evaluateCoco } from "./coco.ts";
import { type MistakeReport, reportMistakes } from "./mistakes.ts";
import { pairImages } from "./pairs.ts";
import { evaluateVoc, hasOriented, type OperatingPoint, type VocMetrics } from "./voc.ts";

/**
 * `coco`: upright boxes, 101 recalls. `dota`: boxes as the truth has them, oriented where it does. `voc`: upright boxes.
 * The latter two take the area under the curve, and say the 11-point form beside it.
 */
export const PROTOCOLS = ["coco", "dota", "voc"] as const;
export type Protocol = (typeof PROTOCOLS)[number];

export interface EvaluateOptions {
  /** @default "dota" where the truth has oriented boxes, else "coco" */
  readonly protocol?: Protocol | undefined;
  /** Overlap from which a detection is right, for P, R, F1, mistakes, and AP of `dota` and `voc`. @default 0.5 */
  readonly overlap?: number | undefined;
  /** Compares oriented boxes, against the protocol's rule. @default as the protocol has it */
  readonly oriented?: boolean | undefined;
  /** The surest detections of an image that count in `coco`. @default 100 */
  readonly detectionsAtMost?: number | undefined;
}

export interface ClassEvaluation {
  readonly class: string;
  /** Objects that count, and detections in images that label the class. */
  readonly truth: number;
  readonly found: number;
  /** At the asked overlap (`coco`: always 0.5); NaN where there is nothing to find. */
  readonly ap50: number;
  /** Mean over overlaps 0.50, 0.55, … 0.95. */
  readonly ap: number;
  /** The 11-point form at the asked overlap; undefined for `coco`. */
  readonly ap11: number | undefined;
  readonly best: OperatingPoint | undefined;
}

export interface Evaluation {
  readonly protocol: Protocol;
  readonly oriented: boolean;
  readonly overlap: number;
  readonly images: number;
  readonly truth: number;
  readonly found: number;
  /** Means over the classes that there is something to find of. */
  readonly ap50: number;
  readonly ap: number;
  readonly ap11: number | undefined;
  /** Over all classes, at one threshold. */
  readonly best: OperatingPoint | undefined;
  readonly classes: readonly ClassEvaluation[];
  /** COCO's twelve numbers by name; undefined for the others. */
  readonly coco: Readonly<Record<string, number>> | undefined;
  /** Of the detections that reach the best threshold. */
  readonly mistakes: MistakeReport;
  /** Images with more objects of a class than detections that count: their AP cannot reach 1. */
  readonly crowdedImages: number;
}

/**
 * Scores detections against labels: tiles or merged scenes alike, images pair by name.
 *
 * @throws {LabelsError} for detections in images, or of classes, that the truth does not have
 */
export function evaluate(
  truth: LabelledDataset,
  found: LabelledDataset,
  options: EvaluateOptions = {},
): Evaluation {
  const { protocol = hasOriented(truth) ? "dota" : "coco", overlap = 0.5 } = options;
  const { oriented = protocol === "dota" && hasOriented(truth), detectionsAtMost = 100 } = options;
  const voc = evaluateVoc(truth, found, { overlap, oriented });
  const aps =
    protocol === "coco"
      ? cocoNumbers(truth, found, { oriented, detectionsAtMost })
      : vocNumbers(truth, found, voc);
  const counts = countsOf(truth, found);
  const sum = (numbers: readonly number[]): number => numbers.reduce((all, n) => all + n, 0);
  return {
    protocol,
    oriented,
    overlap,
    images: truth.images.length,
    truth: sum(voc.classes.map((each) => each.truth)),
    found: sum(counts),
    ...aps.all,
    best: voc.best,
    classes: voc.classes.map((each, i) => ({
      class: each.class,
      truth: each.truth,
      found: counts[i] ?? 0,
      ...aps.perClass[i]!,
      best: each.best,
    })),
    coco: aps.coco,
    mistakes: reportMistakes(truth, found, {
      overlap,
      oriented,
      scoreAtLeast: voc.best?.scoreAtLeast ?? 0,
    }),
    crowdedImages: protocol === "coco" ? crowdedImages(truth, detectionsAtMost) : 0,
  };
}

interface Numbers {
  readonly ap50: number;
  readonly ap: number;
  readonly ap11: number | undefined;
}

interface AllNumbers {
  readonly all: Numbers;
  readonly perClass: readonly Numbers[];
  readonly coco: Readonly<Record<string, number>> | undefined;
}

function cocoNumbers(
  truth: LabelledDataset,
  found: LabelledDataset,
  options: { readonly oriented: boolean; readonly detectionsAtMost: number },
): AllNumbers {
  const { classes, ...coco } = evaluateCoco(truth, found, options);
  const ap11 = undefined;
  return {
    all: { ap50: coco.ap50, ap: coco.ap, ap11 },
    perClass: classes.map(({ ap50, ap }) => ({ ap50, ap, ap11 })),
    coco,
  };
}

function vocNumbers(truth: LabelledDataset, found: LabelledDataset, at: VocMetrics): AllNumbers {
  const { oriented } = at;
  const ladder = Array.from({ length: 10 }, (_, i) =>
    evaluateVoc(truth, found, { overlap: 0.5 + 0.05 * i, oriented }),
  );
  const mean = (number: (metrics: VocMetrics) => number): number =>
    ladder.reduce((sum, metrics) => sum + number(metrics), 0) / ladder.length;
  return {
    all: { ap50: at.apArea, ap: mean(({ apArea }) => apArea), ap11: at.ap11 },
    perClass: at.classes.map(({ apArea, ap11 }, i) => ({
      ap50: apArea,
      ap: mean(({ classes }) => classes[i]!.apArea),
      ap11,
    })),
    coco: undefined,
  };
}

/** Detections of each class in images that label it. */
function countsOf(truth: LabelledDataset, found: LabelledDataset): readonly number[] {
  const counts = truth.classes.map(() => 0);
  for (const { truth: labels, found: image } of pairImages(truth, found)) {
    for (const { classIndex } of image?.objects ?? []) {
      if (labels.labelledClasses?.includes(classIndex) !== false) {
        counts[classIndex] = (counts[classIndex] ?? 0) + 1;
      }
    }
  }
  return counts;
}

function crowdedImages({ images, classes }: LabelledDataset, detectionsAtMost: number): number {
  return images.filter(({ objects }) => {
    const counting = objects.filter(({ crowd, difficult }) => !crowd && !difficult);
    return classes.some(
      (_, k) => counting.filter(({ classIndex }) => classIndex === k).length > detectionsAtMost,
    );
  }).length;
}

/**
 * Average precision as Pascal VOC and DOTA count it (VOC 2012 development kit §3.4; DOTA's kit does the same with
 * oriented overlap), in both forms: the mean of the best precision at eleven recalls (VOC 2007), and the area under
 * the curve (VOC 2010 and later). The two differ by several points: a number says which one it is.
 *
 * A detection looks at the one object it overlaps most; it is right where that overlap exceeds the threshold and
 * nobody was there before, ignored where the object is `difficult`, and wrong otherwise. Crowds, which these kits do
 * not have, follow COCO: they are nothing to find, and what would be wrong inside one is ignored.
 */
import type { LabelledDataset } from "../labels/labels.ts";
import type { Pair } from "./pairs.ts";
import { classPairs, mostOverlapped, pairImages } from "./pairs.ts";

export interface VocOptions {
  /** Overlap that must be exceeded. @default 0.5 */
  readonly overlap?: number | undefined;
  /** Compares oriented boxes, as DOTA's task 1 does. @default true where the truth has any */
  readonly oriented?: boolean | undefined;
}

export interface VocClassMetrics {
  readonly class: string;
  /** Objects that count: neither difficult nor a crowd. */
  readonly truth: number;
  /** In 0…1; NaN where there is nothing to find. */
  readonly ap11: number;
  readonly apArea: number;
  /** Where F1 is best; undefined where nothing was found. */
  readonly best: OperatingPoint | undefined;
}

/** What a detector does when only detections of at least `scoreAtLeast` count. */
export interface OperatingPoint {
  readonly scoreAtLeast: number;
  readonly precision: number;
  readonly recall: number;
  readonly f1: number;
}

export interface VocMetrics {
  /** Means over the classes that there is something to find of. */
  readonly ap11: number;
  readonly apArea: number;
  /** Over all classes together, at one threshold for all. */
  readonly best: OperatingPoint | undefined;
  readonly oriented: boolean;
  readonly overlap: number;
  readonly classes: readonly VocClassMetrics[];
}

/** A detection that counts, by falling score. */
interface Judged {
  readonly score: number;
  readonly isRight: boolean;
}

/** @throws {LabelsError} for detections in images that the truth does not have */
export function evaluateVoc(
  truth: LabelledDataset,
  found: LabelledDataset,
  { overlap = 0.5, oriented = hasOriented(truth) }: VocOptions = {},
): VocMetrics {
  const images = pairImages(truth, found);
  const perClass = truth.classes.map((name, classIndex) => {
    const pairs = classPairs(images, classIndex, oriented);
    const count = pairs.reduce(
      (sum, pair) => sum + pair.truth.filter(({ difficult, crowd }) => !difficult && !crowd).length,
      0,
    );
    return { name, count, judged: judge(pairs, overlap) };
  });
  const classes = perClass.map(({ name, count, judged }) => ({
    class: name,
    truth: count,
    ...averagePrecisions(judged, count),
    best: bestPoint(judged, count),
  }));
  const withTruth = classes.filter(({ truth: count }) => count > 0);
  const mean = (number: (metrics: VocClassMetrics) => number): number =>
    withTruth.reduce((sum, metrics) => sum + number(metrics), 0) / withTruth.length;
  return {
    ap11: mean(({ ap11 }) => ap11),
    apArea: mean(({ apArea }) => apArea),
    best: bestPoint(
      perClass.flatMap(({ judged }) => judged).toSorted((a, b) => b.score - a.score),
      perClass.reduce((sum, { count }) => sum + count, 0),
    ),
    oriented,
    overlap,
    classes,
  };
}

export function hasOriented({ images }: LabelledDataset): boolean {
  return images.some(({ objects }) => objects.some(({ corners }) => corners !== undefined));
}

/** All detections of a class, from the surest on; equal scores in the order of images. */
function judge(pairs: readonly Pair[], least: number): readonly Judged[] {
  const taken = pairs.map(() => new Set<number>());
  return pairs
    .flatMap(({ found }, image) => found.map(({ score = 1 }, d) => ({ image, d, score })))
    .toSorted((a, b) => b.score - a.score)
    .flatMap(({ image, d, score }) => {
      const { truth, touching } = pairs[image]!;
      const near = touching(d).filter(({ overlap }) => overlap > least);
      const own = mostOverlapped(near.filter(({ t }) => !truth[t]!.crowd));
      if (own !== undefined && truth[own.t]!.difficult) return [];
      const isRight = own !== undefined && !taken[image]!.has(own.t);
      if (isRight) taken[image]!.add(own.t);
      const isInCrowd = near.some(({ t }) => truth[t]!.crowd);
      return isInCrowd && !isRight ? [] : [{ score, isRight }];
    });
}

function averagePrecisions(
  judged: readonly Judged[],
  truth: number,
): { readonly ap11: number; readonly apArea: number } {
  if (truth === 0) return { ap11: Number.NaN, apArea: Number.NaN };
  let hits = 0;
  const curve = judged.map(({ isRight }, i) => {
    if (isRight) hits++;
    return { recall: hits / truth, precision: hits / (i + 1) };
  });
  // From the right: the best precision at this recall or beyond.
  const best = curve.map(({ precision }) => precision);
  for (let i = best.length - 2; i >= 0; i--) best[i] = Math.max(best[i]!, best[i + 1]!);
  let apArea = 0;
  curve.forEach(({ recall }, i) => {
    apArea += (recall - (curve[i - 1]?.recall ?? 0)) * best[i]!;
  });
  let ap11 = 0;
  for (let tenth = 0; tenth <= 10; tenth++) {
    const at = curve.findIndex(({ recall }) => recall >= tenth / 10);
    ap11 += best[at] ?? 0;
  }
  return { ap11: ap11 / 11, apArea };
}

/** The threshold of best F1; equal scores are taken or left together. */
function bestPoint(judged: readonly Judged[], truth: number): OperatingPoint | undefined {
  let best: OperatingPoint | undefined;
  let hits = 0;
  judged.forEach(({ isRight, score }, i) => {
    if (isRight) hits++;
    if (hits === 0 || judged[i + 1]?.score === score) return;
    const [precision, recall] = [hits / (i + 1), hits / truth];
    const f1 = (2 * precision * recall) / (precision + recall);
    if (best === undefined || f1 > best.f1) best = { scoreAtLeast: score, precision, recall, f1 };
  });
  return best;
}

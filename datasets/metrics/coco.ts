/**
 * COCO detection metrics (cocodataset.org/#detection-eval): the twelve numbers, as the reference implementation counts
 * them.
 *
 * A detection takes the free object it overlaps most, if by at least the threshold; one that must be ignored (a
 * crowd, `difficult`, of another size) only where no other will do, and is then ignored itself, as is a detection of
 * another size that found nothing. Precision is taken at 101 recalls, each the best at that recall or beyond.
 */
import type { LabelledDataset, LabelledObject } from "../labels/labels.ts";
import { shapeArea } from "../labels/labels.ts";
import type { Pair } from "./pairs.ts";
import { areaOf, classPairs, pairImages } from "./pairs.ts";

/** All in 0…1; NaN where the truth holds nothing to find. */
export interface CocoMetrics {
  /** Mean over overlaps 0.50, 0.55, … 0.95 and over classes. */
  readonly ap: number;
  readonly ap50: number;
  readonly ap75: number;
  /** Objects under 32² px. */
  readonly apSmall: number;
  readonly apMedium: number;
  /** Objects over 96² px. */
  readonly apLarge: number;
  /** Recall with one detection an image. */
  readonly ar1: number;
  readonly ar10: number;
  readonly ar100: number;
  readonly arSmall: number;
  readonly arMedium: number;
  readonly arLarge: number;
  readonly classes: readonly CocoClassMetrics[];
}

export interface CocoClassMetrics {
  readonly class: string;
  /** Objects that count. */
  readonly truth: number;
  readonly ap: number;
  readonly ap50: number;
}

export interface CocoOptions {
  /** Compares oriented boxes: the protocol is COCO's, the overlap is not. @default false */
  readonly oriented?: boolean | undefined;
  /** The surest detections of an image that count; other than 100 is not COCO's protocol. @default 100 */
  readonly detectionsAtMost?: number | undefined;
}

/** 0.50, 0.55, … 0.95. */
const OVERLAPS = steps(0.5, 0.95, 10);
/** 0, 0.01, … 1. */
const RECALLS = steps(0, 1, 101);

const SIZES = {
  all: [0, 1e10],
  small: [0, 32 ** 2],
  medium: [32 ** 2, 96 ** 2],
  large: [96 ** 2, 1e10],
} as const;
type Size = keyof typeof SIZES;

/** Evenly spaced numbers, computed as NumPy's `linspace` does, so that ties at a threshold fall alike. */
function steps(from: number, to: number, count: number): readonly number[] {
  const step = (to - from) / (count - 1);
  return Array.from({ length: count }, (_, i) => (i === count - 1 ? to : from + i * step));
}

/** @throws {LabelsError} for detections in images that the truth does not have */
export function evaluateCoco(
  truth: LabelledDataset,
  found: LabelledDataset,
  { oriented = false, detectionsAtMost = 100 }: CocoOptions = {},
): CocoMetrics {
  const images = pairImages(truth, found);
  const perClass = truth.classes.map((name, classIndex) => {
    const pairs = classPairs(images, classIndex, oriented);
    const curves = Object.fromEntries(
      (Object.keys(SIZES) as Size[]).map((size) => [
        size,
        curvesOf(pairs, SIZES[size], { oriented, detectionsAtMost }),
      ]),
    ) as Readonly<Record<Size, Curves>>;
    return { name, curves };
  });
  const over = (size: Size, number: (curves: Curves) => readonly number[]): number =>
    mean(perClass.flatMap(({ curves }) => number(curves[size])));
  return {
    ap: over("all", ({ ap }) => ap),
    ap50: over("all", ({ ap }) => ap.slice(0, 1)),
    ap75: over("all", ({ ap }) => ap.slice(5, 6)),
    apSmall: over("small", ({ ap }) => ap),
    apMedium: over("medium", ({ ap }) => ap),
    apLarge: over("large", ({ ap }) => ap),
    ar1: over("all", ({ recall }) => recall(1)),
    ar10: over("all", ({ recall }) => recall(10)),
    ar100: over("all", ({ recall }) => recall(detectionsAtMost)),
    arSmall: over("small", ({ recall }) => recall(detectionsAtMost)),
    arMedium: over("medium", ({ recall }) => recall(detectionsAtMost)),
    arLarge: over("large", ({ recall }) => recall(detectionsAtMost)),
    classes: perClass.map(({ name, curves: { all } }) => ({
      class: name,
      truth: all.truth,
      ap: mean(all.ap),
      ap50: mean(all.ap.slice(0, 1)),
    })),
  };
}

/** One class at one range of sizes. */
interface Curves {
  readonly truth: number;
  /** For each overlap; empty where there is nothing to find. */
  readonly ap: readonly number[];
  /** For each overlap, with that many detections an image. */
  readonly recall: (detections: number) => readonly number[];
}

type Range = readonly [least: number, most: number];

interface Rules {
  readonly oriented: boolean;
  readonly detectionsAtMost: number;
}

function curvesOf(
  pairs: readonly Pair[],
  range: Range,
  { oriented, detectionsAtMost }: Rules,
): Curves {
  const images = pairs.map((pair) => ordered(pair, range, detectionsAtMost));
  const truth = images.reduce((sum, { counted }) => sum + counted, 0);
  if (truth === 0) return { truth, ap: [], recall: () => [] };
  const outcomes = OVERLAPS.map((least) =>
    images.map((image) => matchImage(image, least, range, oriented)),
  );
  return {
    truth,
    ap: outcomes.map((perImage) => averagePrecision(inOrder(perImage, detectionsAtMost), truth)),
    recall: (detections) =>
      outcomes.map((perImage) => {
        const hits = inOrder(perImage, detections).filter(({ kind }) => kind === "true");
        return hits.length / truth;
      }),
  };
}

/** A pair with the truth that counts first, as matching wants it. */
interface OrderedPair extends Pair {
  /** How many of the truth count. */
  readonly counted: number;
}

function ordered(pair: Pair, [least, most]: Range, detectionsAtMost: number): OrderedPair {
  const isIgnored = (label: LabelledObject): boolean => {
    const area = shapeArea(label);
    return label.crowd || label.difficult || area < least || area > most;
  };
  const order = pair.truth.map((_, t) => t);
  const counting = order.filter((t) => !isIgnored(pair.truth[t]!));
  const places = [...counting, ...order.filter((t) => isIgnored(pair.truth[t]!))];
  const placeOf: number[] = [];
  for (const [place, t] of places.entries()) placeOf[t] = place;
  const found = pair.found.slice(0, detectionsAtMost);
  const touches = found.map((_, d) => {
    const own = pair.touching(d).map(({ t, overlap }) => ({ t: placeOf[t]!, overlap }));
    return own.toSorted((a, b) => a.t - b.t);
  });
  return {
    truth: places.map((t) => pair.truth[t]!),
    found,
    touching: (d) => touches[d] ?? [],
    counted: counting.length,
  };
}

interface Outcome {
  readonly score: number;
  readonly kind: "true" | "false" | "ignored";
}

function matchImage(
  pair: OrderedPair,
  least: number,
  [smallest, largest]: Range,
  oriented: boolean,
): readonly Outcome[] {
  const taken = new Set<number>();
  return pair.found.map((detection, d) => {
    const t = bestFree(pair, d, least, taken);
    const score = detection.score ?? 1;
    if (t === undefined) {
      const area = areaOf(detection, oriented);
      return { score, kind: area < smallest || area > largest ? "ignored" : "false" };
    }
    taken.add(t);
    return { score, kind: t < pair.counted ? "true" : "ignored" };
  });
}

/** The free object of largest overlap, the last of equals; one that counts before one that does not. */
function bestFree(
  { truth, counted, touching }: OrderedPair,
  d: number,
  least: number,
  taken: ReadonlySet<number>,
): number | undefined {
  let best: number | undefined;
  let most = Math.min(least, 1 - 1e-10);
  for (const { t, overlap } of touching(d)) {
    if (t >= counted && best !== undefined) break;
    if (overlap < most || (taken.has(t) && !truth[t]!.crowd)) continue;
    most = overlap;
    best = t;
  }
  return best;
}

/** The first `detections` of each image, by falling score; equal scores stay in the order of images. */
function inOrder(
  perImage: readonly (readonly Outcome[])[],
  detections: number,
): readonly Outcome[] {
  return perImage
    .flatMap((outcomes) => outcomes.slice(0, detections))
    .toSorted((a, b) => b.score - a.score);
}

function averagePrecision(outcomes: readonly Outcome[], truth: number): number {
  const recalls: number[] = [];
  const precisions: number[] = [];
  let [hits, falses] = [0, 0];
  for (const { kind } of outcomes) {
    if (kind === "true") hits++;
    if (kind === "false") falses++;
    recalls.push(hits / truth);
    precisions.push(hits === 0 ? 0 : hits / (hits + falses));
  }
  for (let i = precisions.length - 1; i > 0; i--) {
    precisions[i - 1] = Math.max(precisions[i - 1]!, precisions[i]!);
  }
  let sum = 0;
  let at = 0;
  for (const recall of RECALLS) {
    while (at < recalls.length && recalls[at]! < recall) at++;
    sum += precisions[at] ?? 0;
  }
  return sum / RECALLS.length;
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

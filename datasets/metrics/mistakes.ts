/**
 * What goes wrong, counted: each wrong detection and each missed object has one cause (after Bolya et al., "TIDE: A
 * General Toolbox for Identifying Object Detection Errors", ECCV 2020, arXiv 2008.08115, with the angle as a cause of
 * its own). A crowd is nothing to find: it excuses the detections in it that no object of their class explains.
 */
import { minAreaRectangle } from "../min-area-rectangle.ts";
import type { LabelledDataset, LabelledObject } from "../labels/labels.ts";
import { cornersLabel, cornersOf } from "../labels/labels.ts";
import type { ImagePair, Touch } from "./pairs.ts";
import { byFallingScore, mostOverlapped, pairImages, pairOf } from "./pairs.ts";
import { hasOriented } from "./voc.ts";

export type Mistake =
  /** On nothing that is labelled. */
  | "background"
  /** Right, but another detection had the object already. */
  | "duplicate"
  /** On an object of its class, but too far from its outline. */
  | "localisation"
  /** Would be right if it were turned as the object is. */
  | "angle"
  /** Right in place, of another class. */
  | "class"
  /** An object that no detection is on, not even a wrong one. */
  | "missed";

export interface MistakeReport {
  /** Detections that are right. */
  readonly right: number;
  readonly mistakes: Readonly<Record<Mistake, number>>;
  readonly classes: readonly {
    readonly class: string;
    readonly right: number;
    readonly mistakes: Readonly<Record<Mistake, number>>;
  }[];
}

export interface MistakeOptions {
  /** Only detections of at least this score. @default 0 */
  readonly scoreAtLeast?: number | undefined;
  /** Overlap of a right detection. @default 0.5 */
  readonly overlap?: number | undefined;
  /** Overlap under which a detection is on background. @default 0.1 */
  readonly touching?: number | undefined;
  /** Compares oriented boxes. @default true where the truth has any */
  readonly oriented?: boolean | undefined;
}

type Cause = Mistake | "right" | "ignored";

interface Rules {
  readonly scoreAtLeast: number;
  readonly overlap: number;
  readonly touching: number;
  readonly oriented: boolean;
}

/** @throws {LabelsError} for detections in images that the truth does not have */
export function reportMistakes(
  truth: LabelledDataset,
  found: LabelledDataset,
  {
    scoreAtLeast = 0,
    overlap = 0.5,
    touching = 0.1,
    oriented = hasOriented(truth),
  }: MistakeOptions = {},
): MistakeReport {
  const counts = truth.classes.map(() => new Map<Cause, number>());
  const count = (classIndex: number, cause: Cause): void => {
    const own = counts[classIndex];
    own?.set(cause, (own.get(cause) ?? 0) + 1);
  };
  for (const images of pairImages(truth, found)) {
    judgeImage(images, { scoreAtLeast, overlap, touching, oriented }, count);
  }
  const numbers = (own: readonly ReadonlyMap<Cause, number>[]) => {
    const sum = (cause: Cause): number => own.reduce((all, map) => all + (map.get(cause) ?? 0), 0);
    return {
      right: sum("right"),
      mistakes: {
        background: sum("background"),
        duplicate: sum("duplicate"),
        localisation: sum("localisation"),
        angle: sum("angle"),
        class: sum("class"),
        missed: sum("missed"),
      },
    };
  };
  return {
    ...numbers(counts),
    classes: truth.classes.map((name, i) => ({ class: name, ...numbers([counts[i]!]) })),
  };
}

function judgeImage(
  { truth, found }: ImagePair,
  rules: Rules,
  count: (classIndex: number, cause: Cause) => void,
): void {
  const isLabelled = ({ classIndex }: LabelledObject): boolean =>
    truth.labelledClasses?.includes(classIndex) !== false;
  const labels = truth.objects.filter(isLabelled);
  const detections = (found?.objects ?? [])
    .filter((object) => isLabelled(object) && (object.score ?? 1) >= rules.scoreAtLeast)
    .toSorted(byFallingScore);
  const pair = pairOf(labels, detections, rules.oriented);
  const state = { taken: new Set<number>(), touched: new Set<number>() };
  detections.forEach((detection, d) => {
    count(detection.classIndex, causeOf(detection, labels, pair.touching(d), state, rules));
  });
  labels.forEach((label, t) => {
    if (label.difficult || label.crowd || state.taken.has(t) || state.touched.has(t)) return;
    count(label.classIndex, "missed");
  });
}

function causeOf(
  detection: LabelledObject,
  labels: readonly LabelledObject[],
  touches: readonly Touch[],
  { taken, touched }: { readonly taken: Set<number>; readonly touched: Set<number> },
  { overlap, touching, oriented }: Rules,
): Cause {
  const isCrowd = ({ t }: Touch): boolean => labels[t]!.crowd;
  const isOfClass = ({ t }: Touch): boolean => labels[t]!.classIndex === detection.classIndex;
  const onObjects = touches.filter((touch) => !isCrowd(touch));
  const onOwn = onObjects.filter(isOfClass);
  const free = mostOverlapped(onOwn.filter(({ t }) => !taken.has(t)));
  if (free !== undefined && free.overlap >= overlap) {
    if (labels[free.t]!.difficult) return "ignored";
    taken.add(free.t);
    return "right";
  }
  const onCrowds = touches.filter((touch) => isCrowd(touch) && isOfClass(touch));
  if (onCrowds.some((touch) => touch.overlap >= overlap)) return "ignored";
  const own = mostOverlapped(onOwn);
  const other = mostOverlapped(onObjects.filter((touch) => !isOfClass(touch)));
  if (own !== undefined && own.overlap >= overlap) return "duplicate";
  if (own !== undefined) {
    // A slender box that is turned overlaps hardly: its angle is asked before its overlap.
    const isTurned = oriented && isRightWhenTurned(detection, labels[own.t]!, overlap);
    if (isTurned || own.overlap >= touching) {
      touched.add(own.t);
      return isTurned ? "angle" : "localisation";
    }
  }
  if (other !== undefined && other.overlap >= overlap) {
    touched.add(other.t);
    return "class";
  }
  return "background";
}

/** Whether the detection, turned about its centre to the label's angle, would be right. */
function isRightWhenTurned(
  detection: LabelledObject,
  label: LabelledObject,
  overlap: number,
): boolean {
  const [found, wanted] = [detection, label].map((each) => rectangle(cornersOf(each)));
  if (found === undefined || wanted === undefined) return false;
  const [length, width] = [found.length / 2, found.width / 2];
  const [ux, uy] = [Math.cos(wanted.angle), Math.sin(wanted.angle)];
  const turned = [
    [-length, -width],
    [length, -width],
    [length, width],
    [-length, width],
  ].flatMap(([along = 0, across = 0]) => [
    found.x + along * ux - across * uy,
    found.y + along * uy + across * ux,
  ]);
  const pair = pairOf([label], [cornersLabel(detection.classIndex, turned)], true);
  return (pair.touching(0)[0]?.overlap ?? 0) >= overlap;
}

/** Centre, sides and direction of the long side of the smallest rectangle round the corners. */
function rectangle(corners: readonly number[]) {
  const [x1 = 0, y1 = 0, x2 = 0, y2 = 0, x3 = 0, y3 = 0] = minAreaRectangle(corners);
  const [a, b] = [Math.hypot(x2 - x1, y2 - y1), Math.hypot(x3 - x2, y3 - y2)];
  return {
    x: (x1 + x3) / 2,
    y: (y1 + y3) / 2,
    length: Math.max(a, b),
    width: Math.min(a, b),
    angle: a >= b ? Math.atan2(y2 - y1, x2 - x1) : Math.atan2(y3 - y2, x3 - x2),
  };
}

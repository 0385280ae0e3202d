/** What two detections are to each other. */
import { overlapRatio, sharedArea } from "../../datasets/index.ts";
import { type Candidates, shareOf } from "./candidates.ts";
import { continues as areParts } from "./fragments.ts";
import type { MergeRules } from "./options.ts";

/** Questions about two rows of ranked candidates; `better` is the lower row. */
export interface Pairs {
  /** Overlap by the metric; 0 where the two may not be one object: other class, or two parts of one. */
  readonly overlap: (better: number, worse: number) => number;
  /** Whether the overlap makes them one object. */
  readonly matches: (better: number, worse: number) => boolean;
  /** Whether the two are parts of one object, each cut where the other goes on. */
  readonly continues: (a: number, b: number) => boolean;
  /** Least overlap at which a row matches. */
  readonly atLeast: (better: number) => number;
}

/** Rounding of an area, generously. */
const SLACK = 1 + 1e-9;

export function comparePairs(c: Candidates, rules: MergeRules): Pairs {
  const { bounds, areas, classes } = c;
  const { metric, classAgnostic } = rules;
  const shared = shareOf(c);
  const thresholds = new Map<number, number>();
  const atLeast = (better: number): number => {
    const classIndex = classes[better]!;
    let threshold = thresholds.get(classIndex);
    if (threshold === undefined)
      thresholds.set(classIndex, (threshold = rules.atLeast(classIndex)));
    return threshold;
  };
  const sameClass = (a: number, b: number): boolean => classAgnostic || classes[a] === classes[b];
  const continues = (a: number, b: number): boolean => sameClass(a, b) && areParts(c, a, b);
  const overlap = (better: number, worse: number): number =>
    !sameClass(better, worse) || areParts(c, better, worse)
      ? 0
      : overlapRatio(shared(better, worse), areas[better]!, areas[worse]!, metric);
  const matches = (better: number, worse: number): boolean => {
    if (!sameClass(better, worse)) return false;
    // No more can be shared than the bounds share, nor more than the smaller area.
    const [areaA, areaB, threshold] = [areas[better]!, areas[worse]!, atLeast(better)];
    const most = Math.min(sharedArea(bounds, 4 * better, bounds, 4 * worse), areaA, areaB);
    if (most <= 0 || overlapRatio(most, areaA, areaB, metric) * SLACK < threshold) return false;
    const ratio = overlap(better, worse);
    return ratio > 0 && ratio >= threshold;
  };
  return { overlap, matches, continues, atLeast };
}

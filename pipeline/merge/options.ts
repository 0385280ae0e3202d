/** What a caller may ask of merging, and the rules that follow from it. */
import type { OverlapMetric } from "../../datasets/index.ts";
import type { MergeMethod } from "../settings.ts";
import { SettingsError } from "../settings/settings-error.ts";

export interface MergeOptions {
  /** @default "nms" */
  readonly merge?: MergeMethod | undefined;
  /** Intersection over union, or over the smaller box. @default "iou" */
  readonly metric?: OverlapMetric | undefined;
  /** Overlap from which two detections are one object, in 0…1. @default 0.5 */
  readonly mergeAtLeast?: number | undefined;
  /** The same for single classes, by class index; without `classAgnostic` or with it, the better detection's class decides. */
  readonly mergeAtLeastByClass?: Readonly<Record<number, number>> | undefined;
  /** Whether detections of different classes may be one object. @default false */
  readonly classAgnostic?: boolean | undefined;
  /** The least score that detections were let through with. Decides the low-confidence rule and where soft-NMS stops. */
  readonly scoreAtLeast?: number | undefined;
  /** Keep `nmm` and `wbf` below score 0.1 too. @default false */
  readonly forceMerge?: boolean | undefined;
  /** How soft-NMS lowers scores. @default "gaussian" */
  readonly decay?: "gaussian" | "linear" | undefined;
  /** Width of the gaussian decay. @default 0.5 */
  readonly sigma?: number | undefined;
  /**
   * A box that comes this near to an inner edge of its tile, in pixels of the working grid, may be cut by it. Detectors place a
   * cut side within a few pixels of the edge; a whole object that merely ends there only loses to one that covers it and
   * reaches past the edge, so a wide margin does little harm. @default 4
   */
  readonly edgePx?: number | undefined;
  /** Takes a sentence that the user should read. */
  readonly notice?: ((sentence: string) => void) | undefined;
}

/** Options with every decision made. */
export interface MergeRules {
  readonly method: MergeMethod;
  readonly metric: OverlapMetric;
  readonly atLeast: (classIndex: number) => number;
  readonly classAgnostic: boolean;
  /** Factor on the score of a detection that overlaps a better one this much. */
  readonly decay: (overlap: number, atLeast: number) => number;
  /** Whether any overlap changes a score, not only one of `atLeast`. */
  readonly decaysAlways: boolean;
  /** Soft-NMS drops what falls below. */
  readonly leastScore: number;
  readonly edgePx: number;
}

/** Below it boxes are so uncertain that uniting them makes objects grow. */
const LOW_SCORE = 0.1;

/** Decides. @throws {SettingsError} where a number lies outside its range */
export function decideRules({
  merge = "nms",
  metric = "iou",
  mergeAtLeast = 0.5,
  mergeAtLeastByClass = {},
  classAgnostic = false,
  scoreAtLeast,
  forceMerge = false,
  decay = "gaussian",
  sigma = 0.5,
  edgePx = 4,
  notice,
}: MergeOptions = {}): MergeRules {
  for (const value of [mergeAtLeast, ...Object.values(mergeAtLeastByClass)]) {
    must("mergeAtLeast", "lie in 0…1", value, value >= 0 && value <= 1);
  }
  must("sigma", "be more than 0", sigma, sigma > 0);
  must("edgePx", "be at least 0", edgePx, edgePx >= 0);
  const retreat = !forceMerge && growsNoise(merge, scoreAtLeast);
  if (retreat) {
    notice?.(
      `merge: nms instead of ${merge}, because detections from score ${scoreAtLeast} on were asked for ` +
        `and uniting boxes below ${LOW_SCORE} makes objects grow; forceMerge keeps ${merge}`,
    );
  }
  return {
    method: retreat ? "nms" : merge,
    metric,
    atLeast: (classIndex) => mergeAtLeastByClass[classIndex] ?? mergeAtLeast,
    classAgnostic,
    decay: decay === "gaussian" ? gaussian(sigma) : linear,
    decaysAlways: decay === "gaussian",
    leastScore: scoreAtLeast ?? 0.001,
    edgePx,
  };
}

/** Boxes of low score are too uncertain to be united. */
function growsNoise(merge: MergeMethod, scoreAtLeast = 1): boolean {
  return (merge === "nmm" || merge === "wbf") && scoreAtLeast < LOW_SCORE;
}

function gaussian(sigma: number): MergeRules["decay"] {
  return (overlap) => Math.exp((-overlap * overlap) / sigma);
}

function linear(overlap: number, atLeast: number): number {
  return overlap >= atLeast ? 1 - overlap : 1;
}

function must(name: string, what: string, value: number, holds: boolean): void {
  if (!holds) throw new SettingsError(`merge: ${name} must ${what}, received ${value}`);
}

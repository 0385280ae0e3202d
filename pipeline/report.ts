/** What a run over one scene came to: counts, timings, warnings, and why nothing was found. */
import type { ModelCard } from "../models/index.ts";
import type { TileOutcome } from "./infer.ts";
import type { FoundObject } from "./objects.ts";
import type { ScenePlan } from "./scene-plan.ts";
import type { DetectSettings } from "./settings.ts";

export const STAGES = ["plan", "read", "prepare", "infer", "merge"] as const;
export type Stage = (typeof STAGES)[number];

export interface TileCounts {
  /** Tiles of the plan. */
  readonly planned: number;
  /** Left out of it because they lie outside the area of interest. */
  readonly outside: number;
  /** Taken from the journal of an earlier run. */
  readonly resumed: number;
  /** Not looked at: all nodata, or all of one value. */
  readonly nodata: number;
  readonly blank: number;
  /** Looked at by the model. */
  readonly detected: number;
}

export interface RunReport {
  readonly tiles: TileCounts;
  /** Detections of all tiles, before merging. */
  readonly raw: number;
  readonly objects: number;
  readonly byClass: Readonly<Record<string, number>>;
  readonly dropped: {
    /** Boxes whose middle lies on nodata. */
    readonly onNodata: number;
    readonly otherClass: number;
    readonly outsideArea: number;
  };
  /** Highest score the model gave anywhere, also below the threshold. */
  readonly bestScore: number;
  readonly resampling: string;
  readonly stretch: string;
  readonly bands: string;
  readonly warnings: readonly string[];
  /** Why little or nothing was found; empty where that is not so. */
  readonly diagnosis: readonly string[];
  /** Time spent in each stage, in milliseconds; stages overlap, so the sum may exceed the total. */
  readonly timingsMs: Readonly<Record<Stage | "total", number>>;
}

/** Counts while a run goes on. */
export interface Tally {
  readonly raw: () => number;
  readonly objects: () => number;
  readonly done: () => number;
  readonly outcome: (outcome: TileOutcome, resumed: boolean) => void;
  readonly drop: (why: "otherClass" | "outsideArea", count: number) => void;
  readonly object: (object: FoundObject) => void;
  /** Measures a piece of work. */
  readonly timed: <T>(stage: Stage, work: () => Promise<T>) => Promise<T>;
  readonly report: (plan: ScenePlan, card: ModelCard, settings: DetectSettings) => RunReport;
}

export function startTally(): Tally {
  const began = performance.now();
  const timings = { plan: 0, read: 0, prepare: 0, infer: 0, merge: 0 };
  const tiles = { resumed: 0, nodata: 0, blank: 0, detected: 0 };
  const dropped = { onNodata: 0, otherClass: 0, outsideArea: 0 };
  const byClass = new Map<string, number>();
  let [raw, objects, long, bestScore] = [0, 0, 0, 0];
  let longerThan: ((object: FoundObject) => boolean) | undefined;
  return {
    raw: () => raw,
    objects: () => objects,
    done: () => tiles.nodata + tiles.blank + tiles.detected,
    outcome: (outcome, resumed) => {
      tiles[outcome.skipped ?? "detected"]++;
      if (resumed) tiles.resumed++;
      raw += outcome.detections.count;
      dropped.onNodata += outcome.dropped;
      bestScore = Math.max(bestScore, outcome.bestScore);
    },
    drop: (why, count) => {
      dropped[why] += count;
    },
    object: (object) => {
      objects++;
      byClass.set(object.class, (byClass.get(object.class) ?? 0) + 1);
      if (longerThan?.(object) === true) long++;
    },
    timed: async (stage, work) => {
      const start = performance.now();
      try {
        return await work();
      } finally {
        timings[stage] += performance.now() - start;
      }
    },
    report: () => {
      throw new Error("unreachable");
    },
  };
}

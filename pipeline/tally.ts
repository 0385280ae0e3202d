/** Counting while a run goes on, and the report at its end. */
import type { Clock } from "./clock.ts";
import { diagnose } from "./diagnosis.ts";
import type { TileOutcome } from "./infer.ts";
import type { FoundObject } from "./objects.ts";
import type { RunReport } from "./report.ts";
import type { ScenePlan } from "./scene-plan.ts";
import type { DetectSettings } from "./settings.ts";

/** Counts while a run goes on. */
export interface Tally {
  readonly outcome: (outcome: TileOutcome, resumed: boolean) => void;
  readonly drop: (why: "otherClass" | "outsideArea", count: number) => void;
  readonly object: (object: FoundObject) => void;
  /** Tiles done, raw detections and objects so far. */
  readonly soFar: () => { readonly done: number; readonly raw: number; readonly objects: number };
  readonly report: () => RunReport;
}

export function startTally(plan: ScenePlan, settings: DetectSettings, clock: Clock): Tally {
  const tiles = { resumed: 0, nodata: 0, blank: 0, detected: 0 };
  const dropped = { onNodata: 0, otherClass: 0, outsideArea: 0 };
  const byClass = new Map<string, number>();
  const count = { raw: 0, objects: 0, long: 0 };
  let bestScore = 0;
  return {
    outcome: (outcome, resumed) => {
      tiles[outcome.skipped ?? "detected"]++;
      if (resumed) tiles.resumed++;
      count.raw += outcome.detections.count;
      dropped.onNodata += outcome.dropped;
      bestScore = Math.max(bestScore, outcome.bestScore);
    },
    drop: (why, more) => {
      dropped[why] += more;
    },
    object: (object) => {
      count.objects++;
      byClass.set(object.class, (byClass.get(object.class) ?? 0) + 1);
      if (longSidePx(object, plan) > plan.tiles.overlapPx) count.long++;
    },
    soFar: () => ({
      done: tiles.nodata + tiles.blank + tiles.detected,
      raw: count.raw,
      objects: count.objects,
    }),
    report: () => {
      const counted = {
        tiles: { planned: plan.tiles.tiles.length, outside: plan.outside, ...tiles },
        raw: count.raw,
        objects: count.objects,
        byClass: Object.fromEntries([...byClass].toSorted(([a], [b]) => (a < b ? -1 : 1))),
        dropped: { ...dropped },
        bestScore,
        resampling: plan.resampling.message,
        stretch: plan.preprocessing.stretch.text,
        bands: plan.preprocessing.bands.text,
        timingsMs: clock.read(),
      };
      const warnings = [...plan.warnings, ...overlapWarning(count, plan)];
      return { ...counted, warnings, diagnosis: diagnose(counted, plan, settings) };
    },
  };
}

/** The longer side of the box, in working pixels. */
function longSidePx({ corners }: FoundObject, { grid }: ScenePlan): number {
  const side = (from: number, to: number): number =>
    Math.hypot(
      (corners[to]! - corners[from]!) * grid.scaleX,
      (corners[to + 1]! - corners[from + 1]!) * grid.scaleY,
    );
  return Math.max(side(0, 2), side(2, 4));
}

/** Objects longer than the overlap may have been seen by no tile as a whole. */
function overlapWarning(
  { long, objects }: { readonly long: number; readonly objects: number },
  { tiles, preprocessing: { fit } }: ScenePlan,
): readonly string[] {
  if (tiles.tiles.length < 2 || long * 100 < objects || long === 0) return [];
  const share = ((100 * long) / objects).toFixed(1);
  const overlap = Math.round(tiles.overlapPx / fit.zoom);
  return [
    `${share} % of the objects are longer than the overlap of tiles (${overlap} px) and may have been cut: a larger overlapPx sees them whole`,
  ];
}

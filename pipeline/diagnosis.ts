/** Why little or nothing was found, in sentences a user can act on. */
import type { RunReport } from "./report.ts";
import type { ScenePlan } from "./scene-plan.ts";
import type { DetectSettings } from "./settings.ts";

/** Fewer objects than this for each tile looked at is called little. */
const LITTLE = 0.01;

/** The reasons that the counts support, the likeliest first; none where enough was found. */
export function diagnose(
  report: Omit<RunReport, "warnings" | "diagnosis">,
  plan: ScenePlan,
  settings: Pick<DetectSettings, "scoreAtLeast" | "classesOnly" | "gsdM">,
): readonly string[] {
  const { tiles, objects, dropped, bestScore } = report;
  if (objects > 0 && objects >= LITTLE * tiles.detected) return [];
  const found = objects === 0 ? "nothing was found" : `only ${objects} objects were found`;
  if (tiles.planned === 0) return [`${found}: the area of interest lies outside the scene`];
  if (tiles.detected === 0) {
    return [
      `${found}: no tile holds anything to look at (${tiles.nodata} of ${tiles.planned} are nodata, ${tiles.blank} of one value)`,
    ];
  }
  const say: string[] = [];
  const least = settings.scoreAtLeast["*"];
  if (dropped.otherClass > 0) {
    say.push(
      `${dropped.otherClass} detections are of other classes than ${settings.classesOnly?.join(", ")}`,
    );
  }
  if (dropped.outsideArea > 0)
    say.push(`${dropped.outsideArea} objects lie outside the area of interest`);
  if (dropped.onNodata > 0) say.push(`${dropped.onNodata} detections lie on nodata`);
  if (bestScore < least) {
    say.push(`the highest score anywhere is ${bestScore.toFixed(3)}, and scoreAtLeast is ${least}`);
  }
  say.push(resolutionHint(plan, settings.gsdM));
  say.push(`the stretch was ${report.stretch}, the bands ${report.bands}`);
  const skipped = tiles.nodata + tiles.blank;
  if (skipped > 0) say.push(`${skipped} of ${tiles.planned} tiles hold nothing to look at`);
  const [first, ...rest] = say;
  return [`${found}: ${first}`, ...rest];
}

function resolutionHint({ resampling }: ScenePlan, asked: DetectSettings["gsdM"]): string {
  if (!resampling.unknown || asked === "scene") return resampling.message;
  return `${resampling.message}; objects may have another size than the model knows (set gsdM and sceneGsdM)`;
}

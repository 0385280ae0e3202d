/** Which detections the user wants: least scores and classes. */
import { type Detections, filterDetections } from "../datasets/index.ts";
import type { DetectSettings } from "./settings.ts";
import { nearest } from "./settings/nearest.ts";
import { scoreFor } from "./settings/resolve.ts";
import { SettingsError } from "./settings/settings-error.ts";

export interface Wanted {
  /** The lowest of all least scores: what the model is asked for. */
  readonly scoreAtLeast: number;
  /** Leaves out what is below its class's score. */
  readonly byScore: (detections: Detections<"tile">) => Detections<"tile">;
  /** Leaves out classes that were not asked for. */
  readonly byClass: (detections: Detections<"tile">) => Detections<"tile">;
}

/** @throws {SettingsError} where a class is named that the model does not have */
export function wanted(
  { scoreAtLeast, classesOnly }: Pick<DetectSettings, "scoreAtLeast" | "classesOnly">,
  classes: readonly string[],
): Wanted {
  for (const name of Object.keys(scoreAtLeast)) if (name !== "*") checkClass(name, classes);
  for (const name of classesOnly ?? []) checkClass(name, classes);
  const least = classes.map((name) => scoreFor(scoreAtLeast, name));
  const common = scoreAtLeast["*"];
  const only = classesOnly && new Set(classesOnly.map((name) => classes.indexOf(name)));
  return {
    scoreAtLeast: Math.min(common, ...least),
    byScore: (found) =>
      filterDetections(
        found,
        (row) => found.scores[row]! >= Math.fround(least[found.classes[row]!] ?? common),
      ),
    byClass: (found) =>
      only === undefined ? found : filterDetections(found, (row) => only.has(found.classes[row]!)),
  };
}

function checkClass(name: string, classes: readonly string[]): void {
  if (classes.includes(name)) return;
  const hint = nearest(name, classes);
  const known = classes.length > 12 ? `one of its ${classes.length} classes` : classes.join(", ");
  throw new SettingsError(
    `wanted: a class must be one of the model's (${known}), received "${name}"${hint === undefined ? "" : `; did you mean ${hint}?`}`,
  );
}

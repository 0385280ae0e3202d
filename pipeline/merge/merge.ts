/** Merging of detections that are all there. */
import { type Detections, coordinates, filterDetections, stride } from "../../datasets/index.ts";
import { asCandidates, rank } from "./candidates.ts";
import { type MergeOptions, decideRules } from "./options.ts";
import { resolve } from "./resolve.ts";

/**
 * Makes one detection of each object. The result, from the highest score to the lowest, does not depend on the order of
 * the rows. Rows that hold a number which is not finite are dropped.
 *
 * Time grows with the pairs that truly overlap, never with the square of the rows.
 *
 * @throws {SettingsError} where an option lies outside its range
 */
export function mergeDetections(
  detections: Detections<"scene">,
  options: MergeOptions = {},
): Detections<"scene"> {
  return resolve(rank(asCandidates(finite(detections))), decideRules(options));
}

/** Only rows whose score and coordinates are finite: a network fed with nonsense answers with NaN. */
export function finite<F extends "tile" | "scene">(detections: Detections<F>): Detections<F> {
  const [numbers, width] = [coordinates(detections.boxes), stride(detections.boxes)];
  return filterDetections(detections, (row) => {
    let sum = detections.scores[row]!;
    for (let k = row * width; k < row * width + width; k++) sum += Math.abs(numbers[k]!);
    return Number.isFinite(sum);
  });
}

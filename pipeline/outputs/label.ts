/** A found object as the label formats see it: in pixels, to a ten-thousandth. */
import type { LabelledObject } from "../../datasets/index.ts";
import { boxLabel, cornersLabel } from "../../datasets/index.ts";
import type { FoundObject } from "../objects.ts";
import { extent, rounded } from "./feature.ts";

export function labelOf({ corners, oriented, classIndex, score }: FoundObject): LabelledObject {
  const pixels = Array.from(corners, (value) => rounded(value, 4));
  const rest = { score: rounded(score, 6) };
  return oriented
    ? cornersLabel(classIndex, pixels, rest)
    : boxLabel(classIndex, extent(pixels), rest);
}

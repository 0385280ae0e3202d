/** Which head a network has. */
import { ModelError } from "../card.ts";
import { boxesScoresLabels, mmdeploy, sizedDetr } from "./boxes-scores-labels.ts";
import { huggingFaceDetr, huggingFaceSigmoid, rfDetr, ultralyticsRtDetr } from "./detr.ts";
import { nanoDet, picoDet } from "./distribution.ts";
import { fastestDet } from "./fastestdet.ts";
import type { Facts, Head, HeadDecision } from "./head.ts";
import { nadir } from "./nadir.ts";
import { yoloEndToEnd, yoloEndToEndOriented } from "./yolo-end-to-end.ts";
import { yolov5 } from "./yolov5.ts";
import { yolov8, yolov8Oriented } from "./yolov8.ts";
import { yolov6, yolox, yoloxDecoded } from "./yolox.ts";

/** All heads, in the order in which they are tried: names first, then shapes, then values. */
export const HEADS: readonly Head[] = [
  nadir,
  rfDetr,
  huggingFaceDetr,
  huggingFaceSigmoid,
  sizedDetr,
  mmdeploy,
  boxesScoresLabels,
  picoDet,
  fastestDet,
  yoloEndToEnd,
  yoloEndToEndOriented,
  ultralyticsRtDetr,
  yolov5,
  nanoDet,
  yolov8,
  yolov8Oriented,
  yolov6,
  yolox,
  yoloxDecoded,
];

export const HEAD_NAMES: readonly string[] = HEADS.map(({ name }) => name);

/**
 * Decides which head the outputs are of, or checks the one that `head` names.
 *
 * @throws {ModelError} where none fits, or the named one does not.
 */
export function recognise(facts: Facts, head?: string): HeadDecision {
  if (head !== undefined) return insist(facts, head);
  for (const { name, match } of HEADS) {
    const found = match(facts, false);
    if (found !== undefined) return { name, ...found };
  }
  throw new ModelError(
    `recognise: the outputs must be those of a known detection head, received ${seen(facts)}; ` +
      `name it with --head: ${HEAD_NAMES.join(", ")}`,
  );
}

function insist(facts: Facts, name: string): HeadDecision {
  const head = HEADS.find((one) => one.name === name);
  if (head === undefined) {
    throw new ModelError(
      `recognise: head must be one of ${HEAD_NAMES.join(", ")}, received ${name}`,
    );
  }
  const found = head.match(facts, true);
  if (found === undefined) {
    throw new ModelError(`recognise: head ${name} needs ${head.layout}, received ${seen(facts)}`);
  }
  return { name, ...found, reasons: [`The head ${name} was asked for.`, ...found.reasons] };
}

const seen = ({ probe }: Facts): string =>
  Object.entries(probe)
    .map(([name, { dims }]) => `${name} (${dims.join(", ")})`)
    .join(", ");

/** YOLO and YOLO-OBB text of one image, the score at the end of each line. Class numbers are the model's. */
import { type YoloKind, yoloLine } from "../../datasets/index.ts";
import { labelOf } from "./label.ts";
import type { CreateEncoder } from "./output.ts";

export function yolo(kind: YoloKind): CreateEncoder {
  return ({ scene }) => ({
    begin: () => "",
    write: (object) => `${yoloLine(labelOf(object), scene, kind)}\n`,
    end: () => [],
  });
}

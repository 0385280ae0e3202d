/** DOTA v1 text of one image; the score stands behind `difficult`. */
import { dotaHeader, dotaLine } from "../../datasets/index.ts";
import { labelOf } from "./label.ts";
import type { Encoder, OutputContext } from "./output.ts";

export function dota({ gsdM }: OutputContext): Encoder {
  return {
    begin: () =>
      dotaHeader(gsdM)
        .map((line) => `${line}\n`)
        .join(""),
    write: (object) => `${dotaLine(labelOf(object), object.class)}\n`,
    end: () => [],
  };
}

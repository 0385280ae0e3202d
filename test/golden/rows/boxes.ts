/** Oriented boxes: losses and exact overlaps. */
import type { Value } from "../../../attention/index.ts";
import { type Boxes, overlap, rotatedToCorners } from "../../../datasets/index.ts";
import {
  bhattacharyya,
  kullbackLeiblerLoss,
  probIou,
  gaussian,
  wassersteinLoss,
} from "../../../models/losses/gaussian.ts";
import { rows } from "../../../models/losses/oriented.ts";
import { tensorOf } from "../case.ts";
import type { Desk, Row } from "../row.ts";

/** Overlap of every box with every other. */
function matrix(
  a: Boxes<"scene">,
  b: Boxes<"scene">,
  [n, m]: readonly [number, number],
): Float32Array<ArrayBuffer> {
  return Float32Array.from({ length: n * m }, (_, i) =>
    overlap(a, Math.floor(i / m), b, i % m, "iou"),
  );
}

/** `rotated_boxes`: Gaussian losses with gradients, and polygon overlap by clipping. */
function rotated({ c, g, input }: Desk): Record<string, Value> {
  const of = (name: string) => {
    const boxes = rows(g, input(name, "N F"));
    return gaussian(g, (at) => g.slice(boxes, "F", at, at + 1));
  };
  const [predicted, target] = [of("pred"), of("target")];
  const n = predicted.x.shape[0] ?? 0;
  const flat = (loss: Value) => g.reshape(loss, "N", [n]);
  const corners = (name: string) =>
    rotatedToCorners("scene", Float64Array.from(tensorOf(c, `in.${name}`).data));
  return {
    gwd: flat(wassersteinLoss(g, predicted, target)),
    kld: flat(kullbackLeiblerLoss(g, predicted, target)),
    bhattacharyya: flat(bhattacharyya(g, predicted, target)),
    probiou: flat(probIou(g, predicted, target)),
    rotated_iou_matrix: g.constant(
      "N M",
      [n, n],
      matrix(corners("pred"), corners("target"), [n, n]),
    ),
  };
}

export const BOXES: readonly Row[] = [{ prefix: "rotated_boxes", build: rotated }];

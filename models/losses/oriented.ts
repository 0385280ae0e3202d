/**
 * Oriented boxes in assignment and loss: overlap is ProbIoU, the error a distance of Gaussians.
 *
 * Labels come as `cx cy w h θ`: pixels, radians that turn +x towards +y, w ≥ h, −π/2 ≤ θ < π/2 (`le90`, the long-side
 * convention). Inside, as out of the head, an angle is (cos 2θ, sin 2θ).
 */
import type { Graph, Value } from "../../attention/index.ts";
import { column, decodeOriented, halfAngle } from "../heads/box-decoding.ts";
import type { Column, PointColumns } from "../heads/box-decoding.ts";
import type { BoxKind, Pairs } from "./box-kind.ts";
import { ofObjects, ofPredicted, within } from "./box-kind.ts";
import type { Gaussian, GaussianDistance } from "./gaussian.ts";
import {
  gaussian,
  kullbackLeiblerLoss,
  probIou,
  probIouLoss,
  wassersteinLoss,
} from "./gaussian.ts";

export type OrientedError = "probiou" | "kullback-leibler" | "wasserstein";

/** All are 0 for a perfect box. */
const ERRORS: Readonly<Record<OrientedError, GaussianDistance>> = {
  probiou: probIouLoss,
  "kullback-leibler": kullbackLeiblerLoss,
  wasserstein: wassersteinLoss,
};

export function oriented(how: OrientedError = "probiou"): BoxKind {
  const distance = ERRORS[how];
  return {
    columns: 5,
    rows,
    decode: decodeOriented,
    overlap: (g, objects, predicted) =>
      probIou(
        g,
        gaussian(g, ofPredicted(g, predicted)),
        gaussian(g, (at) => ofObjects(g, objects, at)),
      ),
    near,
    error: (g, predicted, target) => distance(g, paired(g, predicted), paired(g, target)),
    sides,
  };
}

/** `x y w h θ` to `x y w h cos2θ sin2θ`. */
export function rows<L extends string>(g: Graph, labelled: Value<L>): Value<L> {
  const twice = g.scale(g.slice(labelled, "F", 4, 5), 2);
  const box = g.slice(labelled, "F", 0, 4);
  return g.concat([box, g.unary("cos", twice), g.unary("sin", twice)], "F");
}

const paired = (g: Graph, boxes: Value<"B N F">): Gaussian<Column["layout"]> =>
  gaussian(g, (at) => column(g, boxes, at));

/** Points are held against the box along its own axes. */
function near(g: Graph, objects: Value<"B G F">, points: PointColumns): Pairs {
  const at = (i: number): Pairs => ofObjects(g, objects, i);
  const { cos, sin } = halfAngle(g, at(4), at(5));
  const places = g.rearrange(g.concat([points.x, points.y], "A"), "N A -> A N");
  const along = (ax: Pairs, ay: Pairs, size: Pairs): Pairs => {
    const centre = g.add(g.mul(at(0), ax), g.mul(at(1), ay));
    const from = g.sub(g.matmul(g.concat([ax, ay], "N"), places, "B G N"), centre);
    return within(g, { from, half: g.scale(size, 0.5) }, points);
  };
  return g.mul(along(cos, sin, at(2)), along(g.unary("neg", sin), cos, at(3)));
}

/** Half the width and half the height. */
function sides(g: Graph, target: Value<"B N F">, { stride }: PointColumns): Value<"B N F"> {
  return g.div(g.scale(g.slice(target, "F", 2, 4), 0.5), stride);
}

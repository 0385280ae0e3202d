/** Upright boxes `x1 y1 x2 y2` in assignment and loss: overlap is IoU, the error 1 − CIoU. */
import type { Graph, Value } from "../../attention/index.ts";
import { column, decodeUpright } from "../heads/box-decoding.ts";
import type { PointColumns } from "../heads/box-decoding.ts";
import type { BoxKind, Pairs } from "./box-kind.ts";
import { ofObjects, ofPredicted, within } from "./box-kind.ts";
import { ciouLoss } from "./overlap.ts";

export const UPRIGHT: BoxKind = {
  columns: 4,
  rows: (_, labelled) => labelled,
  decode: decodeUpright,
  overlap,
  near,
  error: ciouLoss,
  sides,
};

function overlap(g: Graph, objects: Value<"B G F">, predicted: Value<"B N F">): Pairs {
  const mine = (at: number): Pairs => ofObjects(g, objects, at);
  const theirs = ofPredicted(g, predicted);
  const length = (low: number, high: number): Pairs =>
    g.unary(
      "relu",
      g.sub(g.binary("min", mine(high), theirs(high)), g.binary("max", mine(low), theirs(low))),
    );
  const area = (of: (at: number) => Pairs): Pairs =>
    g.mul(g.sub(of(2), of(0)), g.sub(of(3), of(1)));
  const common = g.mul(length(0, 2), length(1, 3));
  return g.div(common, g.add(g.sub(g.add(area(mine), area(theirs)), common), 1e-7));
}

function near(g: Graph, objects: Value<"B G F">, points: PointColumns): Pairs {
  const along = (low: number, high: number, at: Value<"N A">): Pairs => {
    const [from, to] = [ofObjects(g, objects, low), ofObjects(g, objects, high)];
    const centre = g.scale(g.add(from, to), 0.5);
    const half = g.scale(g.sub(to, from), 0.5);
    return within(g, { from: g.sub(centre, g.rearrange(at, "N A -> A N")), half }, points);
  };
  return g.mul(along(0, 2, points.x), along(1, 3, points.y));
}

/** Distances from the point to left, top, right and bottom. */
function sides(g: Graph, target: Value<"B N F">, { x, y, stride }: PointColumns): Value<"B N F"> {
  const at = (i: number) => column(g, target, i);
  const distances = [
    g.sub(g.scale(at(0), -1), g.scale(x, -1)),
    g.sub(g.scale(at(1), -1), g.scale(y, -1)),
    g.sub(at(2), x),
    g.sub(at(3), y),
  ];
  return g.rename(g.div(g.concat(distances, "A"), stride), "B N F");
}

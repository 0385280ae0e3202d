/**
 * The loss of the anchor-free head: classes towards quality targets, boxes towards overlap.
 *
 *     L = (w_c Σ BCE + w_b Σ t E + w_d Σ t DFL) / max(Σ t, 1)
 *
 * E is the error of a box, 1 − CIoU of upright ones and 1 − ProbIoU of oriented ones, t its point's soft target.
 * Classes that an image's source does not label take no part.
 */
import type { Graph, Value } from "../../attention/index.ts";
import { bind } from "../../attention/index.ts";
import type { HeadOptions, RawHeads } from "../heads/anchor-free.ts";
import { pointColumns } from "../heads/box-decoding.ts";
import type { AssignerOptions, Assignment, Targets } from "./assigner.ts";
import { assign } from "./assigner.ts";
import type { BoxKind } from "./box-kind.ts";
import { binaryCrossEntropy, distributionLoss } from "./classification.ts";
import { oriented, type OrientedError } from "./oriented.ts";
import { UPRIGHT } from "./upright.ts";

export interface LossOptions extends AssignerOptions {
  /** @default 1 */
  readonly classWeight?: number;
  /** @default 2.5 */
  readonly boxWeight?: number;
  /** Of the distribution loss, where the head has bins. @default 0.5 */
  readonly distributionWeight?: number;
  /** Error of an oriented box. @default "probiou" */
  readonly orientedError?: OrientedError;
}

/** Single numbers. */
export interface LossParts {
  readonly total: Value<"A">;
  readonly classes: Value<"A">;
  readonly boxes: Value<"A">;
  readonly distribution: Value<"A"> | undefined;
}

/** How the boxes of a head are compared. */
export const boxKind = (head: HeadOptions, { orientedError }: LossOptions = {}): BoxKind =>
  head.oriented ? oriented(orientedError) : UPRIGHT;

export function detectionLoss(
  g: Graph,
  heads: RawHeads,
  targets: Targets,
  head: HeadOptions,
  options: LossOptions = {},
): LossParts {
  const { classWeight = 1, boxWeight = 2.5, distributionWeight = 0.5 } = options;
  const kind = boxKind(head, options);
  const points = pointColumns(g, heads.points);
  const boxes = kind.decode(g, heads, head);
  const objects = { boxes: kind.rows(g, targets.boxes), classes: targets.classes };
  const scores = g.detach(g.unary("sigmoid", heads.logits));
  const aim = assign(g, kind, { scores, boxes: g.detach(boxes) }, objects, points, options);
  const found = g.binary("max", total(g, aim.scores), 1);
  const share = (x: Value, by: number): Value<"A"> => g.scale(g.div(total(g, x), found), by);

  const errors = g.mul(binaryCrossEntropy(g, heads.logits, aim.scores), judged(g, targets, aim));
  const classes = share(errors, classWeight);
  const apart = share(
    g.mul(kind.error(g, boxes, filled(g, aim.boxes, boxes, aim.weight)), aim.weight),
    boxWeight,
  );
  const distribution =
    head.bins === 0
      ? undefined
      : share(
          g.mul(sideErrors(g, heads, kind.sides(g, aim.boxes, points), head.bins), aim.weight),
          distributionWeight,
        );
  const sum = g.add(classes, apart);
  return {
    total: distribution === undefined ? sum : g.add(sum, distribution),
    classes,
    boxes: apart,
    distribution,
  };
}

/**
 * 1 where a class score takes part: the image's source labels the class, or the point lies on a labelled object, which is
 * surely of no other class.
 */
function judged(g: Graph, { labelled }: Targets, { weight }: Assignment): Value<"B N K"> {
  const taken = g.cast(g.binary("greater", weight, 0), "float32");
  return g.rename(g.binary("max", labelled, taken), "B N K");
}

/** A point without an object aims at its own box, so that its (unweighted) error stays finite. */
function filled(
  g: Graph,
  target: Value<"B N F">,
  own: Value<"B N F">,
  weight: Value<"B N A">,
): Value<"B N F"> {
  return g.where(g.binary("greater", weight, 0), target, g.detach(own));
}

/** Mean distribution loss of a box's sides, given in strides. */
function sideErrors(
  g: Graph,
  heads: RawHeads,
  sides: Value<"B N F">,
  bins: number,
): Value<"B N A"> {
  const { B, N, F } = bind("sideErrors", { sides });
  const inBins = g.binary("max", g.binary("min", sides, bins - 1.01), 0);
  const logits = g.reshape(heads.sides, "B N F J", [B, N, F, bins]);
  const errors = distributionLoss(g, logits, g.reshape(inBins, "B N F A", [B, N, F, 1]), bins);
  return g.rename(g.reduce("mean", g.reshape(errors, "B N F", [B, N, F]), ["F"]), "B N A");
}

/** Sum over everything, as one number. */
function total(g: Graph, x: Value): Value<"A"> {
  return g.reshape(g.reduce("sum", x, x.layout.split(" ")), "A", [1]);
}

/**
 * Task-aligned assignment of anchor points to labelled objects, as graph nodes without gradient.
 *
 *     t = sᵅ uᵝ      s: predicted score of the object's class,  u: overlap of predicted and labelled box
 *
 * Each object takes the `topK` candidate points of highest t; a point wanted by several goes to the one it overlaps
 * most, and of several that it overlaps alike to the first. The soft target of a point is t, scaled so that an
 * object's best point gets its best overlap.
 * Feng et al., "TOOD", 2021, §3.2, arXiv:2108.07755.
 */
import type { Graph, Value } from "../../attention/index.ts";
import { bind } from "../../attention/index.ts";
import type { PointColumns } from "../heads/box-decoding.ts";
import type { BoxKind, Pairs } from "./box-kind.ts";

/** Labelled objects of a batch, padded to the same number `G`. */
export interface Targets {
  /** In input pixels: `x1 y1 x2 y2`, or oriented `cx cy w h θ` (w ≥ h, −π/2 ≤ θ < π/2, turning +x towards +y). */
  readonly boxes: Value<"B G F">;
  /** One-hot classes; all zeros in a padding row. */
  readonly classes: Value<"B G K">;
  /** 1 for classes that the image's source labels, 0 for those it is silent about. */
  readonly labelled: Value<"B A K">;
}

export interface Assignment {
  /** Target of the class scores, 0…1. */
  readonly scores: Value<"B N K">;
  /** Box that each point should predict; zeros where it has none. */
  readonly boxes: Value<"B N F">;
  /** Weight of a point's box: its soft target, 0 where it has none. */
  readonly weight: Value<"B N A">;
}

export interface AssignerOptions {
  /** Exponent of the score. @default 0.5 */
  readonly alpha?: number;
  /** Exponent of the overlap. @default 6 */
  readonly beta?: number;
  /** Points per object. @default 10 */
  readonly topK?: number;
}

/** What the network says now. */
export interface Prediction {
  readonly scores: Value<"B N K">;
  readonly boxes: Value<"B N F">;
}

/** @param targets  boxes in the rows of their kind */
export function assign(
  g: Graph,
  kind: Pick<BoxKind, "overlap" | "near">,
  prediction: Prediction,
  targets: Pick<Targets, "boxes" | "classes">,
  points: PointColumns,
  { alpha = 0.5, beta = 6, topK = 10 }: AssignerOptions = {},
): Assignment {
  const { boxes, classes } = targets;
  const { G } = bind("assign", { objects: boxes, classes });
  bind("assign", { scores: prediction.scores, boxes: prediction.boxes, classes });
  const scores = g.matmul(
    targets.classes,
    g.rearrange(prediction.scores, "B N K -> B K N"),
    "B G N",
  );
  const overlap = kind.overlap(g, targets.boxes, prediction.boxes);
  const real = g.reduce("sum", targets.classes, ["K"]);
  const candidate = g.mul(kind.near(g, targets.boxes, points), g.rename(real, "B G N"));
  const aligned = g.mul(
    g.mul(power(g, g.add(scores, 1e-9), alpha), power(g, overlap, beta)),
    candidate,
  );
  const { values } = g.topK(aligned, topK);
  const least = g.slice(values, "N", topK - 1, topK);
  const wanted = both(g, atLeast(g, aligned, least), above(g, aligned, 1e-9));
  const claim = g.mul(overlap, wanted);
  const best = g.reduce("max", claim, ["G"]);
  const chosen = firstOf(g, both(g, wanted, atLeast(g, claim, best)), G);

  const claimed = g.mul(aligned, chosen);
  const top = g.add(g.reduce("max", claimed, ["N"]), 1e-9);
  const quality = g.div(g.mul(claimed, g.reduce("max", g.mul(overlap, chosen), ["N"])), top);
  const toPoints = (x: Pairs): Value<"B N G"> => g.rearrange(x, "B G N -> B N G");
  return {
    scores: g.matmul(toPoints(quality), targets.classes, "B N K"),
    boxes: g.matmul(toPoints(chosen), targets.boxes, "B N F"),
    weight: g.rename(g.reduce("sum", toPoints(quality), ["G"]), "B N A"),
  };
}

/** `x` to a power, without logarithms where the power is a half or whole: pairs are many. */
function power(g: Graph, x: Pairs, to: number): Pairs {
  if (to === 0.5) return g.unary("sqrt", x);
  if (!Number.isInteger(to) || to < 1) return g.binary("pow", x, to);
  const half = to > 1 ? power(g, x, Math.floor(to / 2)) : x;
  if (to === 1) return x;
  const even = g.mul(half, half);
  return to % 2 === 0 ? even : g.mul(even, x);
}

/** Of the objects that have 1 at a point, the first alone: one that is labelled twice counts once. */
function firstOf(g: Graph, chosen: Pairs, objects: number): Pairs {
  const places = Float32Array.from({ length: objects }, (_, i) => objects - i);
  const placed = g.mul(chosen, g.constant("A G N", [1, objects, 1], places));
  return atLeast(g, placed, g.binary("max", g.reduce("max", placed, ["G"]), 1));
}

const above = (g: Graph, x: Pairs, than: number): Pairs =>
  g.cast(g.binary("greater", x, than), "float32");
const atLeast = (g: Graph, x: Pairs, least: Value): Pairs =>
  g.cast(g.unary("not", g.binary("less", x, least)), "float32");
const both = (g: Graph, a: Pairs, b: Pairs): Pairs => g.mul(a, b);

/**
 * Task-aligned assignment of anchor points to labelled objects, as graph nodes without gradient.
 *
 *     t = sᵅ uᵝ      s: predicted score of the object's class,  u: overlap of predicted and labelled box
 *
 * Each object takes the `topK` candidate points of highest t; a point wanted by several goes to the one it overlaps
 * most. The soft target of a point is t, scaled so that an object's best point gets its best overlap.
 * Feng et al., "TOOD", 2021, §3.2, arXiv:2108.07755.
 */
import type { Graph, Value } from "../../attention/index.ts";
import { bind } from "../../attention/index.ts";

/** Labelled objects of a batch, padded to the same number `G`. */
export interface Targets {
  /** `x1 y1 x2 y2` in input pixels. */
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

export interface Points {
  readonly x: Value<"N A">;
  readonly y: Value<"N A">;
  readonly stride: Value<"N A">;
}

type Pairs = Value<"B G N">;

export function assign(
  g: Graph,
  prediction: Prediction,
  targets: Targets,
  points: Points,
  { alpha = 0.5, beta = 6, topK = 10 }: AssignerOptions = {},
): Assignment {
  bind("assign", { scores: prediction.scores, boxes: prediction.boxes, classes: targets.classes });
  const scores = g.matmul(
    targets.classes,
    g.rearrange(prediction.scores, "B N K -> B K N"),
    "B G N",
  );
  const overlap = pairOverlap(g, targets.boxes, prediction.boxes);
  const real = g.reduce("sum", targets.classes, ["K"]);
  const candidate = g.mul(isNear(g, targets.boxes, points), g.rename(real, "B G N"));
  const aligned = g.mul(
    g.mul(power(g, g.add(scores, 1e-9), alpha), power(g, overlap, beta)),
    candidate,
  );
  const { values } = g.topK(aligned, topK);
  const least = g.slice(values, "N", topK - 1, topK);
  const wanted = both(g, atLeast(g, aligned, least), above(g, aligned, 1e-9));
  const claim = g.mul(overlap, wanted);
  const best = g.reduce("max", claim, ["G"]);
  const chosen = both(g, wanted, atLeast(g, claim, best));

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

/**
 * 1 where a point may serve an object: inside its box, or within one stride of its centre, so that objects smaller than
 * a cell find points too.
 */
function isNear(g: Graph, boxes: Value<"B G F">, points: Points): Pairs {
  const row = (x: Value<"N A">): Value<"A N"> => g.rearrange(x, "N A -> A N");
  const side = (at: number): Value<"B G F"> => g.slice(boxes, "F", at, at + 1);
  const reach = (low: number, high: number, at: Value<"N A">): Pairs => {
    const centre = g.scale(g.add(side(low), side(high)), 0.5);
    const half = g.scale(g.sub(side(high), side(low)), 0.5);
    const from = g.unary("abs", g.rename(g.sub(centre, row(at)), "B G N"));
    const radius = g.rename(g.binary("max", half, row(points.stride)), "B G N");
    return above(g, g.sub(radius, from), 0);
  };
  return both(g, reach(0, 2, points.x), reach(1, 3, points.y));
}

/** IoU of every object with every predicted box. */
function pairOverlap(g: Graph, a: Value<"B G F">, b: Value<"B N F">): Pairs {
  const across = g.rearrange(b, "B N F -> B F N");
  const mine = (at: number): Pairs => g.rename(g.slice(a, "F", at, at + 1), "B G N");
  const theirs = (at: number): Pairs => g.rename(g.slice(across, "F", at, at + 1), "B G N");
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

/** `x` to a power, without logarithms where the power is a half or whole: pairs are many. */
function power(g: Graph, x: Pairs, to: number): Pairs {
  if (to === 0.5) return g.unary("sqrt", x);
  if (!Number.isInteger(to) || to < 1) return g.binary("pow", x, to);
  const half = to > 1 ? power(g, x, Math.floor(to / 2)) : x;
  if (to === 1) return x;
  const even = g.mul(half, half);
  return to % 2 === 0 ? even : g.mul(even, x);
}

const above = (g: Graph, x: Pairs, than: number): Pairs =>
  g.cast(g.binary("greater", x, than), "float32");
const atLeast = (g: Graph, x: Pairs, least: Value): Pairs =>
  g.cast(g.unary("not", g.binary("less", x, least)), "float32");
const both = (g: Graph, a: Pairs, b: Pairs): Pairs => g.mul(a, b);

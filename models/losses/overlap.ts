/**
 * Overlap losses of paired upright boxes `x1 y1 x2 y2`, as graph nodes with gradient.
 *
 * GIoU: Rezatofighi et al., 2019, arXiv:1902.09630. DIoU and CIoU: Zheng et al., 2020, arXiv:1911.08287; the trade-off
 * α of CIoU is not differentiated.
 */
import type { Graph, Value } from "../../attention/index.ts";

/** One box per row. */
export type BoxRows = Value<"B N F">;
export type Column = Value<"B N A">;

const EPS = 1e-7;

/** The pieces that all overlap losses are made of. */
interface Overlap {
  readonly iou: Column;
  readonly union: Column;
  /** Smallest box around both. */
  readonly hull: { readonly width: Column; readonly height: Column };
}

/** 1 − GIoU, in 0…2. */
export function giouLoss(g: Graph, predicted: BoxRows, target: BoxRows): Column {
  const { iou, union, hull } = overlap(g, predicted, target);
  const area = g.mul(hull.width, hull.height);
  return oneMinus(g, g.sub(iou, g.div(g.sub(area, union), g.add(area, EPS))));
}

/** 1 − DIoU: also the distance of the centres, as a share of the hull's diagonal. */
export function diouLoss(g: Graph, predicted: BoxRows, target: BoxRows): Column {
  const { iou, hull } = overlap(g, predicted, target);
  return oneMinus(g, g.sub(iou, centreDistance(g, predicted, target, hull)));
}

/** 1 − CIoU: also the difference of the aspect ratios. */
export function ciouLoss(g: Graph, predicted: BoxRows, target: BoxRows): Column {
  const { iou, hull } = overlap(g, predicted, target);
  const turned = g.sub(slope(g, target), slope(g, predicted));
  const v = g.scale(g.mul(turned, turned), 4 / Math.PI ** 2);
  const alpha = g.detach(g.div(v, g.add(g.sub(v, iou), 1 + EPS)));
  const distance = centreDistance(g, predicted, target, hull);
  return oneMinus(g, g.sub(g.sub(iou, distance), g.mul(v, alpha)));
}

function overlap(g: Graph, a: BoxRows, b: BoxRows): Overlap {
  const [x1, y1, x2, y2] = [0, 1, 2, 3].map(
    (at) => [column(g, a, at), column(g, b, at)] as const,
  ) as [Pair, Pair, Pair, Pair];
  const inner = (low: Pair, high: Pair): Column =>
    g.unary("relu", g.sub(g.binary("min", ...high), g.binary("max", ...low)));
  const outer = (low: Pair, high: Pair): Column =>
    g.sub(g.binary("max", ...high), g.binary("min", ...low));
  const area = (i: 0 | 1): Column => g.mul(g.sub(x2[i], x1[i]), g.sub(y2[i], y1[i]));
  const common = g.mul(inner(x1, x2), inner(y1, y2));
  const union = g.sub(g.add(area(0), area(1)), common);
  return {
    iou: g.div(common, g.add(union, EPS)),
    union,
    hull: { width: outer(x1, x2), height: outer(y1, y2) },
  };
}

type Pair = readonly [a: Column, b: Column];

function centreDistance(g: Graph, a: BoxRows, b: BoxRows, hull: Overlap["hull"]): Column {
  const apart = (low: number, high: number): Column => {
    const twice = (x: BoxRows): Column => g.add(column(g, x, low), column(g, x, high));
    const d = g.scale(g.sub(twice(a), twice(b)), 0.5);
    return g.mul(d, d);
  };
  const diagonal = g.add(g.mul(hull.width, hull.width), g.mul(hull.height, hull.height));
  return g.div(g.add(apart(0, 2), apart(1, 3)), g.add(diagonal, EPS));
}

/** atan(width / height); a height of nothing counts as almost nothing, so that the gradient stays finite. */
function slope(g: Graph, x: BoxRows): Column {
  const width = g.sub(column(g, x, 2), column(g, x, 0));
  const height = g.sub(column(g, x, 3), column(g, x, 1));
  return g.unary("atan", g.div(width, g.binary("max", height, EPS)));
}

const column = (g: Graph, x: BoxRows, at: number): Column =>
  g.rename(g.slice(x, "F", at, at + 1), "B N A");
const oneMinus = (g: Graph, x: Column): Column => g.sub(g.scale(x, -1), -1);

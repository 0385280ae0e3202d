/**
 * Losses of oriented boxes as distances of Gaussians, as graph nodes with gradient.
 *
 * A box of centre (x, y), size (w, h) and angle θ (radians, turning +x towards +y) becomes the normal distribution of that
 * mean whose covariance is R diag(w², h²)/d Rᵀ; d is 4 for the Wasserstein and Kullback–Leibler forms and 12, that of a
 * uniform box, for ProbIoU. A square has the same covariance at every angle, so its angle has no gradient.
 *
 * GWD: Yang et al., "Rethinking Rotated Object Detection with Gaussian Wasserstein Distance Loss", 2021, arXiv:2101.11952.
 * KLD: Yang et al., "Learning High-Precision Bounding Box for Rotated Object Detection via Kullback-Leibler Divergence",
 * 2021, arXiv:2106.01883. ProbIoU: Llerena et al., 2021, arXiv:2106.06072.
 */
import type { Graph, Value } from "../../attention/index.ts";

/** `x y w h θ` a row. */
export type TurnedRows = Value<"B N F">;
export type Column = Value<"B N A">;

/** Mean and covariance `[a c; c b]`. */
interface Gaussian {
  readonly x: Column;
  readonly y: Column;
  readonly a: Column;
  readonly b: Column;
  readonly c: Column;
  readonly determinant: Column;
}

/** Keeps roots differentiable where two boxes are the same. */
const SMALL = 1e-7;

/** `1 − 1/(1 + ln(1 + W))` of the Wasserstein distance W over the boxes' mean size: scale does not matter. */
export function wassersteinLoss(g: Graph, predicted: TurnedRows, target: TurnedRows): Column {
  const [p, t] = [gaussian(g, predicted, 4), gaussian(g, target, 4)];
  const traces = sumOf(g, p.a, p.b, t.a, t.b);
  const crossed = sumOf(g, g.mul(p.a, t.a), g.mul(p.b, t.b), g.scale(g.mul(p.c, t.c), 2));
  const both = g.mul(p.determinant, t.determinant);
  const shape = g.unary("sqrt", positive(g, g.add(crossed, g.scale(g.unary("sqrt", both), 2))));
  const distance = g.add(squareDistance(g, p, t), g.sub(traces, g.scale(shape, 2)));
  const size = g.scale(g.binary("pow", both, 1 / 8), 2);
  return tamed(g, g.div(g.unary("sqrt", positive(g, distance)), size));
}

/** `1 − 1/(1 + ln(1 + √KL))` of the divergence of the predicted from the target Gaussian. */
export function kullbackLeiblerLoss(g: Graph, predicted: TurnedRows, target: TurnedRows): Column {
  const [p, t] = [gaussian(g, predicted, 4), gaussian(g, target, 4)];
  const apart = form(g, p, g.sub(p.x, t.x), g.sub(p.y, t.y));
  const trace = sumOf(g, g.mul(p.b, t.a), g.mul(p.a, t.b), g.scale(g.mul(p.c, t.c), -2));
  const inside = g.div(g.add(apart, trace), p.determinant);
  const volumes = g.unary("log", g.div(p.determinant, t.determinant));
  const divergence = g.sub(g.scale(g.add(inside, volumes), 0.5), 1);
  return tamed(g, g.unary("sqrt", positive(g, divergence)));
}

/** The Bhattacharyya distance of the two boxes' Gaussians. */
export function bhattacharyya(g: Graph, predicted: TurnedRows, target: TurnedRows): Column {
  const [p, t] = [gaussian(g, predicted, 12), gaussian(g, target, 12)];
  const [a, b, c] = [g.add(p.a, t.a), g.add(p.b, t.b), g.add(p.c, t.c)];
  const determinant = g.sub(g.mul(a, b), g.mul(c, c));
  const apart = form(g, { a, b, c }, g.sub(p.x, t.x), g.sub(p.y, t.y));
  const both = g.unary("sqrt", g.mul(p.determinant, t.determinant));
  const volumes = g.unary("log", g.div(determinant, g.scale(both, 4)));
  return g.add(g.scale(g.div(apart, determinant), 0.25), g.scale(volumes, 0.5));
}

/** One minus the Hellinger distance, in 0…1: 1 for equal boxes. */
export function probIou(g: Graph, predicted: TurnedRows, target: TurnedRows): Column {
  const distance = bhattacharyya(g, predicted, target);
  const rest = g.sub(g.scale(g.unary("exp", g.scale(distance, -1)), -1), -1);
  return g.sub(g.scale(g.unary("sqrt", positive(g, rest)), -1), -1);
}

function gaussian(g: Graph, rows: TurnedRows, spread: number): Gaussian {
  const at = (i: number): Column => g.rename(g.slice(rows, "F", i, i + 1), "B N A");
  const [w, h, angle] = [at(2), at(3), at(4)];
  const [long, wide] = [g.scale(g.mul(w, w), 1 / spread), g.scale(g.mul(h, h), 1 / spread)];
  const [cos, sin] = [g.unary("cos", angle), g.unary("sin", angle)];
  const [cos2, sin2] = [g.mul(cos, cos), g.mul(sin, sin)];
  return {
    x: at(0),
    y: at(1),
    a: g.add(g.mul(long, cos2), g.mul(wide, sin2)),
    b: g.add(g.mul(long, sin2), g.mul(wide, cos2)),
    c: g.mul(g.sub(long, wide), g.mul(cos, sin)),
    determinant: g.mul(long, wide),
  };
}

/** `(dx, dy)` through the adjugate of `[a c; c b]`: the quadratic form of the inverse, times the determinant. */
function form(
  g: Graph,
  { a, b, c }: Pick<Gaussian, "a" | "b" | "c">,
  dx: Column,
  dy: Column,
): Column {
  const across = g.scale(g.mul(c, g.mul(dx, dy)), -2);
  return sumOf(g, g.mul(b, g.mul(dx, dx)), g.mul(a, g.mul(dy, dy)), across);
}

function squareDistance(g: Graph, p: Gaussian, t: Gaussian): Column {
  const [dx, dy] = [g.sub(p.x, t.x), g.sub(p.y, t.y)];
  return g.add(g.mul(dx, dx), g.mul(dy, dy));
}

const sumOf = (g: Graph, first: Column, ...rest: readonly Column[]): Column =>
  rest.reduce((total, x) => g.add(total, x), first);

const positive = (g: Graph, x: Column): Column => g.binary("max", x, SMALL);

/** `1 − 1/(1 + ln(1 + x))`. */
function tamed(g: Graph, x: Column): Column {
  const slow = g.add(g.unary("log", g.add(x, 1)), 1);
  return g.sub(g.scale(g.unary("reciprocal", slow), -1), -1);
}

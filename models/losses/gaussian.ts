/**
 * Distances of oriented boxes as distances of Gaussians, as graph nodes with gradient.
 *
 * A box of centre (x, y), size (w, h) and angle θ (turning +x towards +y) becomes the normal distribution of that mean whose
 * covariance is R diag(w², h²)/d Rᵀ; d is 4 for the Wasserstein and Kullback–Leibler forms and 12, that of a uniform
 * box, for ProbIoU. It is linear in (cos 2θ, sin 2θ): no angle has to be known, and nothing jumps as a box turns. A
 * square has the same covariance at every angle, so its angle has no gradient: round things are not blamed for theirs.
 *
 * GWD: Yang et al., "Rethinking Rotated Object Detection with Gaussian Wasserstein Distance Loss", 2021, arXiv:2101.11952.
 * KLD: Yang et al., "Learning High-Precision Bounding Box for Rotated Object Detection via Kullback-Leibler Divergence",
 * 2021, arXiv:2106.01883. ProbIoU: Llerena et al., 2021, arXiv:2106.06072.
 */
import type { Graph, Value } from "../../attention/index.ts";

/** Means and d times the covariances `[a c; c b]` of boxes, a number each. */
export interface Gaussian<L extends string> {
  readonly x: Value<L>;
  readonly y: Value<L>;
  readonly a: Value<L>;
  readonly b: Value<L>;
  readonly c: Value<L>;
  /** w·h, the root of the determinant. */
  readonly area: Value<L>;
}

/** Of two families of boxes, number by number: paired, or each of one (`[B G 1]`) with each of the other (`[B 1 N]`). */
export type GaussianDistance = <L extends string>(
  g: Graph,
  predicted: Gaussian<L>,
  target: Gaussian<L>,
) => Value<L>;

/** Keeps roots and quotients finite where two boxes are the same, or one is padding. */
const SMALL = 1e-7;

/** @param column  numbers of `x y w h cos2θ sin2θ` by their place */
export function gaussian<L extends string>(
  g: Graph,
  column: (at: number) => Value<L>,
): Gaussian<L> {
  const [w, h] = [column(2), column(3)];
  const [w2, h2] = [g.mul(w, w), g.mul(h, h)];
  const [mean, half] = [g.scale(g.add(w2, h2), 0.5), g.scale(g.sub(w2, h2), 0.5)];
  const stretch = g.mul(half, column(4));
  return {
    x: column(0),
    y: column(1),
    a: g.add(mean, stretch),
    b: g.sub(mean, stretch),
    c: g.mul(half, column(5)),
    area: positive(g, g.mul(w, h)),
  };
}

/** `1 − 1/(1 + ln(1 + W))` of the Wasserstein distance W over the boxes' mean size: scale does not matter. */
export const wassersteinLoss: GaussianDistance = (g, p, t) => {
  const [dx, dy] = [g.sub(p.x, t.x), g.sub(p.y, t.y)];
  const traces = sumOf(g, p.a, p.b, t.a, t.b);
  const crossed = sumOf(g, g.mul(p.a, t.a), g.mul(p.b, t.b), g.scale(g.mul(p.c, t.c), 2));
  const areas = g.mul(p.area, t.area);
  const shape = g.unary("sqrt", positive(g, g.add(crossed, g.scale(areas, 2))));
  const unlike = g.scale(g.sub(traces, g.scale(shape, 2)), 1 / 4);
  const distance = sumOf(g, g.mul(dx, dx), g.mul(dy, dy), unlike);
  return tamed(g, g.div(g.unary("sqrt", positive(g, distance)), g.binary("pow", areas, 1 / 4)));
};

/** `1 − 1/(1 + ln(1 + √KL))` of the divergence of the predicted from the target Gaussian. */
export const kullbackLeiblerLoss: GaussianDistance = (g, p, t) => {
  const apart = form(g, p, g.sub(p.x, t.x), g.sub(p.y, t.y));
  const trace = sumOf(g, g.mul(p.b, t.a), g.mul(p.a, t.b), g.scale(g.mul(p.c, t.c), -2));
  const inside = g.div(g.add(g.scale(apart, 4), trace), g.mul(p.area, p.area));
  const volumes = g.unary("log", g.div(p.area, t.area));
  const divergence = g.sub(g.add(g.scale(inside, 0.5), volumes), 1);
  return tamed(g, g.unary("sqrt", positive(g, divergence)));
};

/** The Bhattacharyya distance of the two boxes' Gaussians. */
export const bhattacharyya: GaussianDistance = (g, p, t) => {
  const [a, b, c] = [g.add(p.a, t.a), g.add(p.b, t.b), g.add(p.c, t.c)];
  const determinant = positive(g, g.sub(g.mul(a, b), g.mul(c, c)));
  const apart = form(g, { a, b, c }, g.sub(p.x, t.x), g.sub(p.y, t.y));
  const areas = g.mul(g.scale(p.area, 4), t.area);
  const volumes = g.unary("log", g.div(determinant, areas));
  return g.add(g.scale(g.div(apart, determinant), 3), g.scale(volumes, 0.5));
};

/** The Hellinger distance, `1 − ProbIoU`, in 0…1: 0 for equal boxes. */
export const probIouLoss: GaussianDistance = (g, p, t) => {
  const common = g.unary("exp", g.unary("neg", bhattacharyya(g, p, t)));
  return g.unary("sqrt", positive(g, oneMinus(g, common)));
};

/** In 0…1: 1 for equal boxes. */
export const probIou: GaussianDistance = (g, p, t) => oneMinus(g, probIouLoss(g, p, t));

/** `(dx, dy)` through the adjugate of `[a c; c b]`: the quadratic form of the inverse, times the determinant. */
function form<L extends string>(
  g: Graph,
  { a, b, c }: Pick<Gaussian<L>, "a" | "b" | "c">,
  dx: Value<L>,
  dy: Value<L>,
): Value<L> {
  const [along, across] = [g.sub(g.mul(b, dx), g.mul(c, dy)), g.sub(g.mul(a, dy), g.mul(c, dx))];
  return g.add(g.mul(along, dx), g.mul(across, dy));
}

const sumOf = <L extends string>(
  g: Graph,
  first: Value<L>,
  ...rest: readonly Value<L>[]
): Value<L> => rest.reduce((total, x) => g.add(total, x), first);

const positive = <L extends string>(g: Graph, x: Value<L>): Value<L> => g.binary("max", x, SMALL);

const oneMinus = <L extends string>(g: Graph, x: Value<L>): Value<L> => g.sub(g.scale(x, -1), -1);

/** `1 − 1/(1 + ln(1 + x))`. */
function tamed<L extends string>(g: Graph, x: Value<L>): Value<L> {
  const slow = g.add(g.unary("log", g.add(x, 1)), 1);
  return oneMinus(g, g.unary("reciprocal", slow));
}

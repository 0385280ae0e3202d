import type { Graph, Value } from "../graph.ts";

/** Halvings of the interval that holds τ: float32 has no more digits. */
const HALVINGS = 26;

/**
 * α-entmax of the last axis: between softmax (α → 1) and sparsemax (α = 2).
 *
 *     p = max((α − 1) z − τ, 0)^(1 / (α − 1)),   τ such that Σ p = 1
 *
 * τ is found by bisection, which has no gradient, and then corrected by one step of Newton's, which has the right one.
 *
 * Peters, Niculae and Martins, "Sparse Sequence-to-Sequence Models", 2019, §4 and appendix. arXiv:1905.05702
 *
 * @param alpha  above 1, at most 2
 */
export function entmax<L extends string>(g: Graph, scores: Value<L>, alpha: number): Value<L> {
  if (!(alpha > 1 && alpha <= 2)) {
    throw new RangeError(`entmax: alpha must be above 1 and at most 2, received ${alpha}`);
  }
  const last = scores.layout.split(" ").at(-1) ?? "";
  const K = scores.shape.at(-1) ?? 1;
  const scaled = g.scale(scores, alpha - 1);
  const x = g.sub(scaled, g.detach(g.reduce("max", scaled, [last])));
  const power = (tau: Value<L>, exponent: number) =>
    g.binary("pow", g.unary("relu", g.sub(x, tau)), exponent);
  const sum = (p: Value<L>) => g.reduce("sum", p, [last]);
  const exponent = 1 / (alpha - 1);
  // At −1 the largest alone gives 1; a share each of K gives at most 1 at the other end.
  let low = g.sub(g.scale(g.reduce("max", x, [last]), 0), 1);
  let width = 1 - K ** (1 - alpha);
  for (let i = 0; i < HALVINGS; i++) {
    width /= 2;
    const middle = g.add(low, width);
    const isPast = g.binary("less", sum(power(middle, exponent)), 1);
    low = g.where(isPast, low, middle);
  }
  const tau = g.detach(low);
  const slope = g.detach(g.scale(sum(power(tau, exponent - 1)), exponent));
  const better = g.add(tau, g.div(g.sub(sum(power(tau, exponent)), 1), slope));
  return power(better, exponent);
}

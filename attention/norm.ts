import type { Graph, Value } from "./graph.ts";
import { sum } from "./tensor.ts";

/**
 * Root-mean-square norm of the last axis: `x / √(mean(x²) + eps) * scale`.
 *
 * Zhang and Sennrich, "Root Mean Square Layer Normalization", 2019. arXiv:1910.07467
 */
export function rmsNorm<L extends string>(
  g: Graph,
  x: Value<L>,
  scale: Value | undefined,
  eps: number,
): Value<L> {
  const last = x.layout.split(" ").at(-1) ?? "";
  const square = g.reduce("mean", g.mul(x, x), [last]);
  const unit = g.div(x, g.unary("sqrt", g.add(square, eps)));
  return scale ? g.mul(unit, scale) : unit;
}

/** The reference of {@link rmsNorm}, for one row of `length` values, without `scale`. */
export function rmsRow(length: number, at: (i: number) => number, eps: number): number[] {
  const root = Math.sqrt(sum(length, (i) => at(i) ** 2) / length + eps);
  return Array.from({ length }, (_, i) => at(i) / root);
}

/** Scales the last axis to length 1; a row shorter than `eps` is divided by `eps`. */
export function unitNorm<L extends string>(g: Graph, x: Value<L>, eps = 1e-12): Value<L> {
  const last = x.layout.split(" ").at(-1) ?? "";
  const length = g.unary("sqrt", g.reduce("sum", g.mul(x, x), [last]));
  return g.div(x, g.binary("max", length, eps));
}

/**
 * Hard attention: one place is drawn instead of all being averaged. A draw has no gradient; REINFORCE gives an unbiased
 * one, and an entropy bonus keeps the choice open.
 *
 *     loss = −Σ advantage · log p(drawn) − λ Σ H[p],   p = softmax(scores)
 *
 * `advantage` is the reward less a running baseline. Xu et al., "Show, Attend and Tell", 2015, §4.1. arXiv:1502.03044
 */
import type { Graph, Value } from "../graph.ts";
import { bind } from "../shape.ts";

export interface ReinforceOptions {
  /** λ. @default 0.002 */
  readonly entropy?: number;
}

/** The loss whose gradient by `scores` is REINFORCE's; `drawn` is 1 at the place that was taken. */
export function reinforceLoss(
  g: Graph,
  scores: Value<"B N">,
  drawn: Value<"B N">,
  advantage: Value<"B">,
  { entropy = 0.002 }: ReinforceOptions = {},
): Value<"I"> {
  const { B } = bind("reinforceLoss", { scores, drawn, advantage });
  const below = g.sub(scores, g.detach(g.reduce("max", scores, ["N"])));
  const total = g.unary("log", g.reduce("sum", g.unary("exp", below), ["N"]));
  const logs = g.sub(below, total);
  const chosen = g.mul(g.reshape(advantage, "B N", [B, 1]), g.mul(drawn, logs));
  const chaos = g.mul(g.unary("exp", logs), logs);
  const loss = g.sub(g.scale(chaos, entropy), chosen);
  return g.reshape(g.reduce("sum", loss, ["B", "N"]), "I", [1]);
}

/** Classification losses on logits, elementwise, as graph nodes. */
import type { Graph, Value } from "../../attention/index.ts";

/** Binary cross-entropy with targets in 0…1: `softplus(x) − x·t`, finite for any logit. */
export function binaryCrossEntropy<L extends string>(
  g: Graph,
  logits: Value<L>,
  targets: Value<L>,
): Value<L> {
  return g.sub(g.unary("softplus", logits), g.mul(logits, targets));
}

/** Focal loss: easy examples count little. Lin et al., "RetinaNet", 2017, §3.2, arXiv:1708.02002. */
export function focalLoss<L extends string>(
  g: Graph,
  logits: Value<L>,
  targets: Value<L>,
  { alpha = 0.25, gamma = 2 }: { readonly alpha?: number; readonly gamma?: number } = {},
): Value<L> {
  const p = g.unary("sigmoid", logits);
  const blend = (x: Value<L>): Value<L> =>
    g.add(g.mul(g.scale(x, 2), targets), g.sub(g.scale(g.add(x, targets), -1), -1));
  const right = blend(p); // p where the target is 1, 1 − p where it is 0
  const modulation = g.binary("pow", g.sub(g.scale(right, -1), -1), gamma);
  const balance = g.add(g.scale(targets, 2 * alpha - 1), 1 - alpha);
  return g.mul(g.mul(binaryCrossEntropy(g, logits, targets), modulation), balance);
}

/**
 * Distribution focal loss: cross-entropy towards the two bins on either side of the true distance.
 * Li et al., "Generalized Focal Loss", 2020, §3.2, arXiv:2006.04388.
 *
 * @param logits  `[B N F J]`, J bins of each of the four sides
 * @param target  true distance in bins, 0 ≤ y ≤ J − 1.01
 */
export function distributionLoss(
  g: Graph,
  logits: Value<"B N F J">,
  target: Value<"B N F A">,
  bins: number,
): Value<"B N F A"> {
  const index = g.constant(
    "J",
    [bins],
    Float32Array.from({ length: bins }, (_, j) => j),
  );
  const apart = g.unary("abs", g.sub(g.rename(target, "B N F J"), index));
  const share = g.unary("relu", g.sub(g.scale(apart, -1), -1)); // 1 − |j − y|, none beyond one bin
  const top = g.detach(g.reduce("max", logits, ["J"]));
  const shifted = g.sub(logits, top);
  const total = g.unary("log", g.reduce("sum", g.unary("exp", shifted), ["J"]));
  return g.rename(g.reduce("sum", g.mul(g.sub(total, shifted), share), ["J"]), "B N F A");
}

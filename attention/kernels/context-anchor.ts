/**
 * The gate of Context Anchor Attention in four dispatches: pool, 1×1, both strips, 1×1 with the sigmoid. Whatever
 * is elementwise behind it (the product with the map) joins the last one.
 */
import { followedBy } from "../webgpu/shader.ts";
import type { Operand, Step } from "../webgpu/shader.ts";
import { whole } from "../webgpu/view.ts";
import { copied } from "./copy.wgsl.ts";
import { poolWindows, withBias } from "./depthwise.wgsl.ts";
import { convolution } from "./matmul.wgsl.ts";
import { strips } from "./strips.wgsl.ts";

export interface ContextAnchorOperands {
  /** `[B C Y X]` */
  readonly x: Operand;
  /** Weights and biases of the four convolutions, in the order they are applied. */
  readonly weights: readonly Operand[];
  /** `[B 1 Y X]`: 0 where the map is padding. */
  readonly keep?: Operand | undefined;
}

/** Writes the gate `[B C Y X]` to `out`; `spare(i)` names tensors between. */
export function contextAnchorGateSteps(
  out: string,
  spare: (i: number) => string,
  { x, weights, keep }: ContextAnchorOperands,
  { length, pool: side }: { readonly length: number; readonly pool: number },
): Step[] {
  const [B = 0, C = 0, Y = 0, X = 0] = x.view.shape;
  const [w1, b1, wAcross, bAcross, wDown, bDown, w2, b2] = weights as readonly [
    Operand,
    Operand,
    Operand,
    Operand,
    Operand,
    Operand,
    Operand,
    Operand,
  ];
  const between = (i: number): Operand => ({ from: spare(i), view: whole([B, C, Y, X]) });
  const clean = (step: Step) => (keep ? followedBy(step, [keep], (v, k) => `${v} * ${k}`) : step);
  const masked: Step[] = [];
  let map = x;
  if (keep) {
    masked.push(clean(copied(spare(3), x)));
    map = between(3);
  }
  const pad = (side - 1) / 2;
  const pooled = poolWindows(spare(0), map, "mean", { size: [side, side], pad: [pad, pad] }, [
    Y,
    X,
  ]);
  const one = convolution(spare(1), between(0), w1, { size: [1, 1] }, [Y, X]);
  const [across, down] = [
    { x: between(1), weight: wAcross, bias: bAcross },
    { weight: wDown, bias: bDown },
  ];
  const last = convolution(out, between(2), w2, { size: [1, 1] }, [Y, X]);
  return [
    ...masked,
    pooled,
    clean(withBias(one, b1)),
    strips(spare(2), across, down, length, keep),
    followedBy(withBias(last, b2), [], (v) => `sigmoid(${v})`),
  ];
}

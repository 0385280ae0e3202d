/**
 * PADRe in `3 · degree − 1` dispatches: channels are mixed by tiled products, and the two token mixings of every
 * further degree are one dispatch with their Hadamard product; neither of its factors is stored.
 */
import { followedBy } from "../webgpu/shader.ts";
import type { Operand, Step } from "../webgpu/shader.ts";
import { whole } from "../webgpu/view.ts";
import { copied } from "./copy.wgsl.ts";
import { depthwise, product, withBias } from "./depthwise.wgsl.ts";
import { convolution } from "./matmul.wgsl.ts";

export interface PolynomialOperands {
  /** `[B C Y X]` */
  readonly x: Operand;
  /** As the operator lists them: channel mixing and token mixing, weight and bias of each, factor by factor. */
  readonly weights: readonly Operand[];
  /** `[B 1 Y X]`: 0 where the map is padding. */
  readonly keep?: Operand | undefined;
}

export interface PolynomialSizes {
  readonly degree: number;
  readonly size: readonly [y: number, x: number];
  readonly terms: "last" | "sum";
}

/** One factor: weights of its channel mixing and of its token mixing. */
type Factor = readonly [channels: Operand, shift: Operand, tokens: Operand, bias: Operand];

/** Writes Z of the highest degree, or the sum of all, to `out`; `spare(i)` names tensors between. */
export function polynomialSteps(
  out: string,
  spare: (i: number) => string,
  { x, weights, keep }: PolynomialOperands,
  { degree, size, terms }: PolynomialSizes,
): Step[] {
  const [, , Y = 0, X = 0] = x.view.shape;
  const named = (from: string): Operand => ({ from, view: whole(x.view.shape) });
  const factor = (i: number) => weights.slice(4 * i, 4 * i + 4) as unknown as Factor;
  const channels = (to: string, from: Operand, [weight, shift]: Factor): Step => {
    const mixed = withBias(convolution(to, from, weight, { size: [1, 1] }, [Y, X]), shift);
    return keep ? followedBy(mixed, [keep], (v, k) => `${v} * ${k}`) : mixed;
  };
  const pad = [(size[0] - 1) / 2, (size[1] - 1) / 2] as const;
  const [, , first, firstBias] = factor(0);
  // Z of one degree is read while the next is written, and sums go on beside them.
  const z = (i: number) => (i === degree && terms === "last" ? out : spare(2 + (i % 2)));
  const mixedFirst = { x: named(spare(0)), weight: first, bias: firstBias };
  const steps = [
    channels(spare(0), x, factor(0)),
    depthwise(degree === 1 ? out : z(1), mixedFirst, { size, pad }, [Y, X]),
  ];
  let total = z(1);
  for (let i = 2; i <= degree; i++) {
    const [ofX, ofZ] = [factor(2 * i - 3), factor(2 * i - 2)];
    steps.push(channels(spare(0), named(z(i - 1)), ofZ), channels(spare(1), x, ofX));
    const left = { x: named(spare(0)), weight: ofZ[2], bias: ofZ[3] };
    const right = { x: named(spare(1)), weight: ofX[2], bias: ofX[3] };
    steps.push(product(z(i), left, right, size));
    if (terms === "last") continue;
    const sum = i === degree ? out : spare(4 + (i % 2));
    steps.push(followedBy(copied(sum, named(z(i))), [named(total)], (v, t) => `${v} + ${t}`));
    total = sum;
  }
  return steps;
}

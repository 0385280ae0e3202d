import type { Graph, Init, Value } from "./graph.ts";
import { ShapeError } from "./shape.ts";

export interface ProjectionOptions {
  /** @default true */
  readonly bias?: boolean | undefined;
  /** @default normal, std 0.02 (ViT and Swin) */
  readonly init?: Init | undefined;
}

export const ZERO: Init = { kind: "constant", value: 0 };
export const ONE: Init = { kind: "constant", value: 1 };

/**
 * A linear map of the last axis. Weights `name.weight [out, in]` and `name.bias [out]`, as published
 * checkpoints have them.
 *
 * @returns `x` with `out` channels, under `layout`
 */
export function project<const L extends string>(
  g: Graph,
  name: string,
  x: Value,
  layout: L,
  out: number,
  { bias = true, init = { kind: "normal", std: 0.02 } }: ProjectionOptions = {},
): Value<L> {
  const scope = g.at(name);
  const weight = scope.weight("weight", "O I", [out, x.shape.at(-1) ?? 0], init);
  const y = g.matmul(x, g.rearrange(weight, "O I -> I O"), layout);
  return bias ? g.add(y, scope.weight("bias", "O", [out], ZERO)) : y;
}

/** `whole / parts`, which must be whole. */
export function shareOf(caller: string, axis: string, whole: number, parts: number): number {
  if (Number.isInteger(whole / parts)) return whole / parts;
  throw new ShapeError(`${caller}: ${axis} must be a multiple of ${parts}, received ${whole}`);
}

import { perValue } from "../webgpu/shader.ts";
import type { Operand, Step } from "../webgpu/shader.ts";
import { lengthOf } from "../webgpu/view.ts";

/** Writes a tensor as its view reads it: what moves values about, and what elementwise formulas start from. */
export const copied = (out: string, x: Operand): Step => ({
  label: `copy of ${x.view.shape.join("×")}`,
  ...perValue(lengthOf(x.view), "  put(at, in0(at));"),
  reads: [x],
  writes: out,
  shape: x.view.shape,
});

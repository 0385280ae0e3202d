/** Operators by the names of their calls in a graph, and the kernels that replace them. */
import type { Attributes } from "../graph.ts";
import { ShapeError } from "../shape.ts";
import type { Operand, Step } from "../webgpu/shader.ts";
import { contextAnchorGateSteps } from "./context-anchor.ts";
import { flash } from "./flash.wgsl.ts";
import { linearAttention } from "./linear.wgsl.ts";
import { polynomialSteps } from "./polynomial.ts";

/** A call of an operator: its inputs as it lists them, and where its result goes. */
export interface Call {
  readonly attributes: Attributes;
  readonly inputs: readonly Operand[];
  readonly out: string;
  /** Names of tensors between the dispatches. */
  readonly spare: (i: number) => string;
}

const number = ({ attributes }: Call, name: string): number => Number(attributes[name]);

function input(call: Call, i: number): Operand {
  const found = call.inputs[i];
  if (found === undefined) {
    throw new ShapeError(`kernel of ${call.out}: input ${i} must be there, received none`);
  }
  return found;
}

/** Mask and bias, which follow the other inputs in the order that `takes` says. */
function pairing(call: Call, from: number) {
  const roles = String(call.attributes["takes"] ?? "").split(" ");
  const at = (role: string) =>
    roles.includes(role) ? input(call, from + roles.indexOf(role)) : undefined;
  return { mask: at("mask"), bias: at("bias") };
}

const heads = (call: Call) => ({ q: input(call, 0), k: input(call, 1), v: input(call, 2) });

export const OPERATOR_KERNELS: Readonly<Record<string, (call: Call) => readonly Step[]>> = {
  scaledDotProduct: (call) => [
    flash(call.out, { ...heads(call), ...pairing(call, 3) }, { scale: number(call, "scale") }),
  ],
  cosine: (call) => [
    flash(
      call.out,
      { ...heads(call), logScale: input(call, 3), ...pairing(call, 4) },
      { mostScale: number(call, "mostScale"), eps: number(call, "eps") },
    ),
  ],
  linear: (call) =>
    linearAttention(
      call.out,
      call.spare(0),
      { ...heads(call), mask: pairing(call, 3).mask },
      { eps: number(call, "eps") },
    ),
  contextAnchorGate: (call) =>
    contextAnchorGateSteps(
      call.out,
      call.spare,
      { x: input(call, 0), weights: call.inputs.slice(1, 9), keep: call.inputs[9] },
      { length: number(call, "length"), pool: number(call, "pool") },
    ),
  polynomial(call) {
    const isMasked = call.attributes["takes"] === "valid";
    const { size, terms } = call.attributes;
    const [y = 1, x = 1] = typeof size === "object" ? size : [];
    return polynomialSteps(
      call.out,
      call.spare,
      {
        x: input(call, 0),
        weights: call.inputs.slice(isMasked ? 2 : 1),
        keep: isMasked ? input(call, 1) : undefined,
      },
      { degree: number(call, "degree"), size: [y, x], terms: terms === "sum" ? "sum" : "last" },
    );
  },
};

/** Whether a call of that name runs in kernels of ours. */
export const hasCallKernel = (call: string): boolean => Object.hasOwn(OPERATOR_KERNELS, call);

/** Operators of the gallery whose call has another name. */
const CALLED: Readonly<Record<string, string>> = { contextAnchor: "contextAnchorGate" };

/** Reaches whose windows kernels read and write in place. */
const REACHES: ReadonlySet<string> = new Set(["windowed", "shifted"]);

/** Whether an operator of the gallery runs in kernels of ours. */
export const hasKernel = (operator: string): boolean =>
  REACHES.has(operator) || hasCallKernel(CALLED[operator] ?? operator);

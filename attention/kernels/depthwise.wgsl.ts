/**
 * Filters of single channels: depthwise convolution, alone or times another one, and mean pooling.
 *
 * A lane makes one pixel. Neighbouring lanes share what they read through the cache.
 */
import { perValue, followedBy } from "../webgpu/shader.ts";
import type { Operand, Step } from "../webgpu/shader.ts";
import { reshaped } from "../webgpu/view.ts";
import type { Window } from "./matmul.wgsl.ts";

/** A filter and what is added to its results. */
export interface Filter {
  readonly x: Operand;
  /** `[C 1 P Q]` */
  readonly weight: Operand;
  /** `[C]` */
  readonly bias: Operand;
}

/** Adds `bias [C]` to a map. */
export const withBias = (step: Step, bias: Operand | undefined): Step =>
  bias
    ? followedBy(
        step,
        [{ from: bias.from, view: reshaped(bias.view, [step.shape[1] ?? 1, 1, 1]) }],
        (v, b) => `${v} + ${b}`,
      )
    : step;

/** WGSL of one filter: a function `name(c, plane, row, column)`. */
const filterCode = (
  name: string,
  [x, weight, bias]: readonly [string, string, string],
  [Y, X]: readonly [number, number],
  { size: [P, Q], stride = [1, 1], pad = [0, 0], dilation = [1, 1] }: Window,
): string => /* wgsl */ `
fn ${name}(c: u32, plane: u32, row: u32, column: u32) -> f32 {
  var total = ${bias};
  for (var p = 0; p < ${P}; p++) {
    let y = i32(row) * ${stride[0]} + p * ${dilation[0]} - ${pad[0]};
    if (y < 0 || y >= ${Y}) { continue; }
    for (var q = 0; q < ${Q}; q++) {
      let x = i32(column) * ${stride[1]} + q * ${dilation[1]} - ${pad[1]};
      if (x < 0 || x >= ${X}) { continue; }
      total += ${weight}(c * ${P * Q}u + u32(p * ${Q} + q)) * ${x}((plane * ${Y}u + u32(y)) * ${X}u + u32(x));
    }
  }
  return total;
}`;

const perPixel = (
  [B, C, rows, columns]: readonly [number, number, number, number],
  body: string,
): Pick<Step, "code" | "workgroups"> =>
  perValue(
    B * C * rows * columns,
    /* wgsl */ `
  let column = at % ${columns}u;
  let row = at / ${columns}u % ${rows}u;
  let plane = at / ${rows * columns}u;
  let c = plane % ${C}u;
${body}`,
  );

/** `x [B C Y X]` filtered channel by channel. */
export function depthwise(
  out: string,
  { x, weight, bias }: Omit<Filter, "bias"> & { readonly bias?: Operand | undefined },
  window: Window,
  [rows, columns]: readonly [number, number],
): Step {
  const [B = 0, C = 0, Y = 0, X = 0] = x.view.shape;
  const body = perPixel([B, C, rows, columns], "  put(at, filtered(c, plane, row, column));");
  const filter = filterCode("filtered", ["in0", "in1", "0.0"], [Y, X], window);
  const step: Step = {
    label: `depthwise ${window.size.join("×")} of ${C} at ${rows}×${columns}`,
    ...body,
    code: filter + body.code,
    reads: [x, weight],
    writes: out,
    shape: [B, C, rows, columns],
    rereads: 1,
  };
  return withBias(step, bias);
}

/** Two filters of one size, and their product: the interaction of PADRe. Odd windows, the size kept. */
export function product(out: string, left: Filter, right: Filter, size: Window["size"]): Step {
  const [B = 0, C = 0, Y = 0, X = 0] = left.x.view.shape;
  const window = { size, pad: [(size[0] - 1) / 2, (size[1] - 1) / 2] } as const;
  const body = perPixel(
    [B, C, Y, X],
    "  put(at, left(c, plane, row, column) * right(c, plane, row, column));",
  );
  return {
    label: `product of ${size.join("×")} filters of ${C} at ${Y}×${X}`,
    ...body,
    code:
      filterCode("left", ["in0", "in1", "in2(c)"], [Y, X], window) +
      filterCode("right", ["in3", "in4", "in5(c)"], [Y, X], window) +
      body.code,
    reads: [left.x, left.weight, left.bias, right.x, right.weight, right.bias],
    writes: out,
    shape: [B, C, Y, X],
  };
}

/** Mean or maximum over windows; places outside count as zeros of a mean, and as nothing of a maximum. */
export function poolWindows(
  out: string,
  x: Operand,
  how: "mean" | "max",
  { size: [P, Q], stride = [1, 1], pad = [0, 0] }: Window,
  [rows, columns]: readonly [number, number],
): Step {
  const [B = 0, C = 0, Y = 0, X = 0] = x.view.shape;
  const body = perPixel(
    [B, C, rows, columns],
    /* wgsl */ `
  var found = ${how === "mean" ? "0.0" : "-LARGEST"};
  for (var p = 0; p < ${P}; p++) {
    let y = i32(row) * ${stride[0]} + p - ${pad[0]};
    if (y < 0 || y >= ${Y}) { continue; }
    for (var q = 0; q < ${Q}; q++) {
      let x = i32(column) * ${stride[1]} + q - ${pad[1]};
      if (x < 0 || x >= ${X}) { continue; }
      let value = in0((plane * ${Y}u + u32(y)) * ${X}u + u32(x));
      found = ${how === "mean" ? "found + value" : "max(found, value)"};
    }
  }
  put(at, ${how === "mean" ? `found / ${P * Q}.0` : "found"});`,
  );
  return {
    label: `${how} of ${P}×${Q} of ${C} at ${rows}×${columns}`,
    ...body,
    reads: [x],
    writes: out,
    shape: [B, C, rows, columns],
    rereads: 1,
  };
}

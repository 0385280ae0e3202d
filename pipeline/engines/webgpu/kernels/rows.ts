/** What is computed along the last axis: a lane takes a row. */
import { perValue, volume } from "../../../../attention/index.ts";
import type { Operand, Step } from "../../../../attention/index.ts";

const rowsOf = (shape: readonly number[]) =>
  [volume(shape.slice(0, -1)), shape.at(-1) ?? 1] as const;

export function softmax(out: string, x: Operand): Step {
  const { shape } = x.view;
  const [rows, length] = rowsOf(shape);
  return {
    label: `softmax of ${rows}×${length}`,
    ...perValue(
      rows,
      /* wgsl */ `
  let first = at * ${length}u;
  var top = in0(first);
  for (var i = 1u; i < ${length}u; i++) { top = max(top, in0(first + i)); }
  var total = 0.0;
  for (var i = 0u; i < ${length}u; i++) { total += exp(in0(first + i) - top); }
  for (var i = 0u; i < ${length}u; i++) { put(first + i, exp(in0(first + i) - top) / total); }`,
    ),
    reads: [x],
    writes: out,
    shape,
  };
}

/** Mean and variance in two passes: their difference in one would lose digits. */
export function layerNorm(out: string, x: Operand, scale: Operand, eps: number): Step {
  const { shape } = x.view;
  const [rows, length] = rowsOf(shape);
  return {
    label: `layer norm of ${rows}×${length}`,
    ...perValue(
      rows,
      /* wgsl */ `
  let first = at * ${length}u;
  var mean = 0.0;
  for (var i = 0u; i < ${length}u; i++) { mean += in0(first + i); }
  mean /= ${length}.0;
  var square = 0.0;
  for (var i = 0u; i < ${length}u; i++) {
    let off = in0(first + i) - mean;
    square += off * off;
  }
  let factor = inverseSqrt(square / ${length}.0 + f32(${eps}));
  for (var i = 0u; i < ${length}u; i++) { put(first + i, (in0(first + i) - mean) * factor * in1(i)); }`,
    ),
    reads: [x, scale],
    writes: out,
    shape,
  };
}

/** How values are joined, by ONNX operation: the start, and WGSL over `total` and `value`. */
export const REDUCTIONS: Readonly<Record<string, readonly [start: string, join: string]>> = {
  ReduceSum: ["0.0", "total + value"],
  ReduceMean: ["0.0", "total + value"],
  ReduceMax: ["-3.4e38", "max(total, value)"],
  ReduceMin: ["3.4e38", "min(total, value)"],
};

/** Reduces the last axis of a view `[rows, length]` to `shape`. */
export function reduce(out: string, op: string, x: Operand, shape: readonly number[]): Step {
  const [rows, length] = rowsOf(x.view.shape);
  const [start = "0.0", join = "total"] = REDUCTIONS[op] ?? [];
  return {
    label: `${op} of ${rows}×${length}`,
    ...perValue(
      rows,
      /* wgsl */ `
  var total = ${start};
  for (var i = 0u; i < ${length}u; i++) {
    let value = in0(at * ${length}u + i);
    total = ${join};
  }
  put(at, total${op === "ReduceMean" ? ` / ${length}.0` : ""});`,
    ),
    reads: [x],
    writes: out,
    shape,
  };
}

/** What is computed along the last axis: rows, see `perRow`. */
import { perRow, volume } from "../../../../attention/index.ts";
import type { Operand, Step } from "../../../../attention/index.ts";

const rowsOf = (shape: readonly number[]) =>
  [volume(shape.slice(0, -1)), shape.at(-1) ?? 1] as const;

/** WGSL for every value of a row: lane by lane, each at `first + i`. */
const along = (length: number, body: string): string =>
  `  for (var i = lane; i < ${length}u; i += ROW_LANES) { ${body} }`;

export function softmax(out: string, x: Operand): Step {
  const { shape } = x.view;
  const [rows, length] = rowsOf(shape);
  return {
    label: `softmax of ${rows}×${length}`,
    ...perRow(
      rows,
      length,
      /* wgsl */ `
  let first = row * ${length}u;
  var top = -3.4e38;
${along(length, "top = max(top, in0(first + i));")}
  top = rowMax(top, lane);
  var total = 0.0;
${along(length, "total += exp(in0(first + i) - top);")}
  total = rowSum(total, lane);
${along(length, "put(first + i, exp(in0(first + i) - top) / total);")}`,
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
    ...perRow(
      rows,
      length,
      /* wgsl */ `
  let first = row * ${length}u;
  var sum = 0.0;
${along(length, "sum += in0(first + i);")}
  let mean = rowSum(sum, lane) / ${length}.0;
  var square = 0.0;
${along(length, "let off = in0(first + i) - mean; square += off * off;")}
  let factor = inverseSqrt(rowSum(square, lane) / ${length}.0 + f32(${eps}));
${along(length, "put(first + i, (in0(first + i) - mean) * factor * in1(i));")}`,
    ),
    reads: [x, scale],
    writes: out,
    shape,
  };
}

interface Reduction {
  readonly start: string;
  /** WGSL over `total` and `value`. */
  readonly join: string;
  /** WGSL over the `total` of each lane. */
  readonly joinLanes: string;
}

const SUM: Reduction = { start: "0.0", join: "total + value", joinLanes: "rowSum(total, lane)" };

/** How values are joined, by ONNX operation. */
export const REDUCTIONS: Readonly<Record<string, Reduction>> = {
  ReduceSum: SUM,
  ReduceMean: SUM,
  ReduceMax: { start: "-LARGEST", join: "max(total, value)", joinLanes: "rowMax(total, lane)" },
  ReduceMin: { start: "LARGEST", join: "min(total, value)", joinLanes: "-rowMax(-total, lane)" },
};

/** Reduces the last axis of a view `[rows, length]` to `shape`. */
export function reduce(out: string, op: string, x: Operand, shape: readonly number[]): Step {
  const [rows, length] = rowsOf(x.view.shape);
  const { start, join, joinLanes } = REDUCTIONS[op] ?? SUM;
  return {
    label: `${op} of ${rows}×${length}`,
    ...perRow(
      rows,
      length,
      /* wgsl */ `
  var total = ${start};
${along(length, `let value = in0(row * ${length}u + i); total = ${join};`)}
  total = ${joinLanes};
  if (lane == 0u) { put(row, total${op === "ReduceMean" ? ` / ${length}.0` : ""}); }`,
    ),
    reads: [x],
    writes: out,
    shape,
  };
}

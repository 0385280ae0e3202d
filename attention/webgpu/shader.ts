/**
 * A dispatch as plain data, and its WGSL.
 *
 * Kernels write only their `main`: it reads operands as `in0(at)`, `in1(at)` … by row-major index, whatever order
 * they are stored in, and writes results with `put(at, value)`. Bindings, views and what follows elementwise
 * ({@link followedBy}) are added here, so every kernel can be fused with what stands around it.
 */
import { broadcast, indexCode } from "./view.ts";
import type { View } from "./view.ts";
import { ALONE, FUNCTIONS, joining } from "./functions.wgsl.ts";

/** A stored tensor, by name, and how it is read. */
export interface Operand {
  readonly from: string;
  readonly view: View;
}

export interface Step {
  /** What it is, for error messages. */
  readonly label: string;
  readonly code: string;
  readonly workgroups: readonly [x: number, y: number, z: number];
  readonly reads: readonly Operand[];
  readonly writes: string;
  readonly shape: readonly number[];
  /** Where results are stored; as they are numbered, where absent. */
  readonly place?: View;
  /** Values of the tensor written to, where this step writes only some of them. */
  readonly total?: number;
  /** How many operands, from the first, are read many times: copy them first where their order is intricate. */
  readonly rereads?: number;
  /** Its lanes join what each has found: `rowSum`, `rowMax` and `ROW_LANES` are there for its code. */
  readonly joins?: boolean;
  /** Elementwise formulas over `v`, in order. */
  readonly after?: readonly string[];
}

/** What a shader may make use of: it depends on the device, and on what is stored how. */
export interface Traits {
  /** Lanes of a workgroup that are one subgroup; where absent, they join through workgroup memory. */
  readonly subgroup?: number | undefined;
  /** Tensors that are stored as pairs of half-precision numbers. */
  readonly halves?: ReadonlySet<string>;
}

/** Values of a workgroup; the smallest limit that WebGPU guarantees is 256. */
export const LANES = 64;

/** Workgroups in one direction, as many as WebGPU guarantees. */
const MOST_GROUPS = 65_535;

/** Appends an elementwise formula: `followedBy(step, [bias], (v, b) => `${v} + ${b}`)`. Operands broadcast. */
export function followedBy(
  step: Step,
  operands: readonly Operand[],
  formula: (v: string, ...operands: readonly string[]) => string,
): Step {
  const first = step.reads.length;
  const names = operands.map((_, i) => `in${first + i}(at)`);
  return {
    ...step,
    reads: [
      ...step.reads,
      ...operands.map(({ from, view }) => ({ from, view: broadcast(view, step.shape) })),
    ],
    after: [...(step.after ?? []), formula("v", ...names)],
  };
}

/** A `main` of so many workgroups, spread over two directions: `nth` is which of them one is. */
function spread(groups: number, lanes: string, body: string): Pick<Step, "code" | "workgroups"> {
  const x = Math.min(groups, MOST_GROUPS);
  return {
    workgroups: [x, Math.ceil(groups / x), 1],
    code: /* wgsl */ `
@compute @workgroup_size(${lanes})
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lane: u32) {
  let nth = group.y * ${x}u + group.x;
${body}
}`,
  };
}

/** One lane for each of `count` values: `at` is declared for the body, which runs where it is in range. */
export function perValue(count: number, body: string): Pick<Step, "code" | "workgroups"> {
  return spread(
    Math.ceil(count / LANES),
    `${LANES}`,
    `  let at = nth * ${LANES}u + lane;\n  if (at >= ${count}u) { return; }\n${body}`,
  );
}

/** From this length on a row has lanes of its own. */
const LONG_ROW = 32;

/**
 * A workgroup for each of `count` rows of `length` values, or one lane where rows are short. For the body, `row` is
 * declared, `lane` counts to `ROW_LANES`, and `rowSum` and `rowMax` join a value of every lane, in all lanes.
 */
export function perRow(
  count: number,
  length: number,
  body: string,
): Pick<Step, "code" | "workgroups" | "joins"> {
  if (length < LONG_ROW) {
    const { code, workgroups } = perValue(
      count,
      `  let row = at;\n  {\n  let lane = 0u;\n${body}\n  }`,
    );
    return { workgroups, code: `${ALONE}${code}` };
  }
  const main = `  let row = nth;\n  if (row >= ${count}u) { return; }\n${body}`;
  return { ...spread(count, "ROW_LANES", main), joins: true };
}

/** The tensors that a step reads, each once, in the order of their bindings; its result is bound after them. */
export const sourcesOf = ({ reads }: Step): string[] => [...new Set(reads.map(({ from }) => from))];

/** The whole shader of a step. Equal steps give equal text, which is the key they are compiled under. */
export function render(step: Step, { subgroup, halves = new Set() }: Traits = {}): string {
  const sources = sourcesOf(step);
  const bindings = sources.map(
    (from, i) =>
      `@group(0) @binding(${i}) var<storage, read> b${i}: array<${halves.has(from) ? "u32" : "f32"}>;`,
  );
  const readers = step.reads.map(({ from, view }, i) => {
    const bound = `b${sources.indexOf(from)}`;
    const value = halves.has(from)
      ? `unpack2x16float(${bound}[at >> 1u])[at & 1u]`
      : `${bound}[at]`;
    return `fn in${i}(index: u32) -> f32 {\n  var at = index;\n${indexCode(view)}\n  return ${value};\n}`;
  });
  return [
    step.joins ? joining(subgroup) : "",
    ...bindings,
    `@group(0) @binding(${sources.length}) var<storage, read_write> out: array<f32>;`,
    ...readers,
    FUNCTIONS,
    writer(step),
    step.code,
  ].join("\n");
}

const writer = ({ place, after = [] }: Step): string => /* wgsl */ `
fn put(index: u32, value: f32) {
  var at = index;
  var v = value;
${after.map((formula) => `  v = ${formula};`).join("\n")}
${place ? indexCode(place) : ""}
  out[at] = v;
}`;

/** What holds of every shader where there is no device at all. */
import { describe, expect, test } from "vitest";
import {
  contextAnchorGateSteps,
  convolution,
  depthwise,
  flash,
  linearAttention,
  matmul,
  perRow,
  polynomialSteps,
  poolWindows,
  render,
  sourcesOf,
  watch,
  whole,
  windowedAttention,
} from "../../../attention/index.ts";
import type { Operand, Step } from "../../../attention/index.ts";

const given = (from: string, ...shape: number[]): Operand => ({ from, view: whole(shape) });
const spare = (i: number) => `spare${i}`;
const heads = {
  q: given("q", 1, 2, 100, 24),
  k: given("k", 1, 2, 90, 24),
  v: given("v", 1, 2, 90, 20),
};
const x = given("x", 1, 8, 20, 20);
const kernel = (name: string, ...shape: number[]) => [given(name, ...shape), given(`${name}b`, 8)];
const [mix, token] = [(n: string) => kernel(n, 8, 8, 1, 1), (n: string) => kernel(n, 8, 1, 7, 7)];
const three = { size: [3, 3], pad: [1, 1] } as const;

const STEPS: readonly Step[] = [
  flash("out", heads),
  flash("out", { ...heads, mask: given("m", 1, 1, 1, 90), bias: given("p", 1, 2, 100, 90) }),
  flash("out", { ...heads, logScale: given("s", 2, 1, 1) }, { causal: true }),
  windowedAttention(
    "out",
    { qkv: given("qkv", 1, 400, 48), table: given("t", 361, 2) },
    { rows: 20, columns: 20, size: 10, heads: 2, shift: 5 },
  ),
  ...linearAttention("out", spare(0), { ...heads, mask: given("m", 1, 1, 1, 90) }),
  ...contextAnchorGateSteps(
    "out",
    spare,
    {
      x,
      weights: [mix("a"), kernel("b", 8, 1, 1, 11), kernel("c", 8, 1, 11, 1), mix("d")].flat(),
      keep: given("keep", 1, 1, 20, 20),
    },
    { length: 11, pool: 7 },
  ),
  ...polynomialSteps(
    "out",
    spare,
    { x, weights: [mix("a"), token("b"), mix("c"), token("d"), mix("e"), token("f")].flat() },
    { degree: 2, size: [7, 7], terms: "sum" },
  ),
  ...[true, false].flatMap((tiled) => [
    matmul("out", given("a", 2, 30, 40), given("b", 40, 50), { tiled }),
    convolution("out", x, given("w", 16, 8, 3, 3), { ...three, tiled }, [20, 20]),
  ]),
  depthwise("out", { x, weight: given("w", 8, 1, 3, 3) }, three, [20, 20]),
  poolWindows("out", x, "max", { size: [5, 5], pad: [2, 2] }, [20, 20]),
];

test("rows are joined by a subgroup where there is one; halves are read from pairs", () => {
  const long: Step = {
    ...{ label: "rows", reads: [given("a", 8, 100)], writes: "out", shape: [8] },
    ...perRow(8, 100, "  put(row, rowSum(in0(row * 100u + lane), lane));"),
  };
  expect(render(long, { subgroup: 16 })).toMatch(/^enable subgroups;\nconst ROW_LANES = 16u;/);
  expect(render(long)).not.toContain("subgroup");
  expect(render(long)).toContain("var<storage, read> b0: array<f32>");
  const packed = render(long, { halves: new Set(["a"]) });
  expect(packed).toContain("var<storage, read> b0: array<u32>");
  const short = perRow(8, 4, "  put(row, rowSum(in0(row), lane));");
  expect([short.joins, short.workgroups]).toEqual([undefined, [1, 1, 1]]);
});

test.each([
  ["of 32 lanes, always", 32, 32, 32],
  ["of 64 lanes, always", 64, 64, 64],
  ["of 4 lanes, always", 4, 4, undefined],
  ["of 128 lanes, always", 128, 128, undefined],
  ["of 4 to 64 lanes", 4, 64, undefined],
  ["of 32 to 64 lanes", 32, 64, undefined],
])("a device with subgroups %s", (_name, subgroupMinSize, subgroupMaxSize, lanes) => {
  const device = (features: readonly string[]) => ({
    features: new Set(features),
    adapterInfo: { subgroupMinSize, subgroupMaxSize },
    lost: new Promise(() => {}),
  });
  const open = (gpu: object) => watch(gpu as GPUDevice, "some GPU").subgroup;
  expect(open(device(["subgroups"]))).toBe(lanes);
  expect(open(device([]))).toBeUndefined();
});

describe.each(STEPS.map((step) => [step.label, step] as const))("%s", (_label, step) => {
  test("binds what it reads and its result, and calls no reader that is not there", () => {
    const code = render(step);
    expect(code.match(/@compute/g)).toHaveLength(1);
    expect(code.match(/@binding/g)).toHaveLength(sourcesOf(step).length + 1);
    const called = [...code.matchAll(/\bin(\d+)\(/g)].map(([, i]) => Number(i));
    expect([...new Set(called)].sort((a, b) => a - b)).toEqual(step.reads.map((_, i) => i));
    expect(code).not.toMatch(/undefined|NaN|\[object/);
    expect(code.split("{").length).toBe(code.split("}").length);
  });

  test("asks for no more than every adapter has", () => {
    const code = render(step);
    const [, lanes = "0"] = /@workgroup_size\((\d+)\)/.exec(code) ?? [];
    expect(Number(lanes)).toBeLessThanOrEqual(256);
    const arrays = code.matchAll(/var<workgroup> \w+: array<(f32|vec4f), (\d+)>/g);
    const bytes = [...arrays].reduce((n, [, type, size]) => {
      return n + Number(size) * (type === "f32" ? 4 : 16);
    }, 0);
    expect(bytes).toBeLessThanOrEqual(16_384);
    expect(sourcesOf(step).length + 1).toBeLessThanOrEqual(8);
    for (const groups of step.workgroups) expect(groups).toBeLessThanOrEqual(65_535);
  });
});

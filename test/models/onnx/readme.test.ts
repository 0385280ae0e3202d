import { readFileSync, writeFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { ALGEBRA } from "../../../models/onnx/operations/algebra.ts";
import { CONVOLUTION } from "../../../models/onnx/operations/convolution.ts";
import { ELEMENTWISE } from "../../../models/onnx/operations/elementwise.ts";
import { LAYOUT } from "../../../models/onnx/operations/layout.ts";
import { NORMALISATION } from "../../../models/onnx/operations/normalisation.ts";
import type { Operation } from "../../../models/onnx/operations/operation.ts";
import { POOLING } from "../../../models/onnx/operations/pooling.ts";
import { RESAMPLING } from "../../../models/onnx/operations/resampling.ts";
import { OPERATIONS } from "../../../models/onnx/operations/table.ts";

const FAMILIES = {
  elementwise: ELEMENTWISE,
  algebra: ALGEBRA,
  layout: LAYOUT,
  convolution: CONVOLUTION,
  pooling: POOLING,
  normalisation: NORMALISATION,
  resampling: RESAMPLING,
};
const README = "models/onnx/README.md";

/** The operations of a family by whether they have a gradient. */
function rows(family: string, operations: Readonly<Record<string, Operation>>): string[] {
  const kinds = {
    yes: (op: Operation) => typeof op.gradient === "function",
    "none: moves in steps": (op: Operation) => op.gradient === "none",
    "not written": (op: Operation) => op.gradient === undefined,
  };
  return Object.entries(kinds).flatMap(([kind, is]) => {
    const names = Object.entries(operations).flatMap(([name, op]) =>
      is(op) ? [`\`${name}\``] : [],
    );
    return names.length === 0 ? [] : [`| \`${family}.ts\` | ${names.join(" ")} | ${kind} |`];
  });
}

describe("models/onnx/README.md", () => {
  test("lists every operation that there is", () => {
    const families = Object.entries(FAMILIES);
    expect(families.flatMap(([, ops]) => Object.keys(ops)).toSorted()).toEqual(
      Object.keys(OPERATIONS).toSorted(),
    );
    const table = [
      "| file | operations | gradient |",
      "|---|---|---|",
      ...families.flatMap(([name, ops]) => rows(name, ops)),
    ].join("\n");
    const text = readFileSync(README, "utf8");
    const current = text.replace(
      /(<!-- operations -->\n)[^]*?(\n<!-- \/operations -->)/,
      (_, start: string, end: string) => start + table + end,
    );
    if (process.env["NADIR_WRITE_TABLES"] === "1") writeFileSync(README, current);
    else expect(text).toBe(current);
  });
});

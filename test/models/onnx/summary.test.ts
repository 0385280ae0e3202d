import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { summarise, writeModel } from "../../../models/index.ts";
import { headFile, modelOf, port } from "../decode/heads.ts";

const folder = join(process.env["NADIR_DATA"] ?? "../shared/data", "onnx");
const missing = !existsSync(folder);
if (missing) console.warn(`skipped: no published detectors in ${folder} (set NADIR_DATA)`);
const read = (name: string): Uint8Array => readFileSync(join(folder, `${name}.onnx`));

describe.skipIf(missing)("published detectors", () => {
  // Counted by onnx 1.23 (Python): opset, nodes, graph inputs less initializers.
  test.each([
    ["yolox_nano", 11, 369, ["images"]],
    ["picodet_xs_320", 11, 485, ["image"]],
    ["fastestdet", 11, 211, ["input.1"]],
    ["deimv2_atto_int8", 16, 2221, ["images", "orig_target_sizes"]],
  ])("%s", (name, opset, nodeCount, inputs) => {
    const summary = summarise(read(name));
    expect(summary).toMatchObject({ opset, nodeCount, foreignOperators: [], externalFiles: [] });
    expect(summary.inputs.map((input) => input.name)).toEqual(inputs);
  });

  test("symbolic axes are undefined and keep their names", () => {
    const [images] = summarise(read("deimv2_atto_int8")).inputs;
    expect(images).toEqual({
      name: "images",
      type: "float32",
      dims: [undefined, 3, 320, 320],
      symbols: { 0: "batch" },
    });
  });
});

describe("summarise", () => {
  test("names metadata, producer and outputs", () => {
    const outputs = { y: { dims: [1, 2], values: [1, 2] } };
    expect(summarise(headFile({ outputs, metadata: { a: "b" } }))).toMatchObject({
      metadata: { a: "b" },
      producer: "nadir tests",
      parameterCount: 2,
      outputs: [{ name: "y", type: "float32", dims: [1, 2] }],
    });
  });

  test("an operator that the file defines itself is not foreign", () => {
    const graph = {
      node: [{ opType: "Twice", domain: "own", input: ["images"], output: ["y"] }],
      output: [port("y", "float32", [1, 3, 64, 64])],
    };
    const model = modelOf({}, graph);
    expect(summarise(writeModel(model)).foreignOperators).toEqual(["own::Twice"]);
    const functions = [{ name: "Twice", domain: "own" }];
    expect(summarise(writeModel({ ...model, functions })).foreignOperators).toEqual([]);
  });
});

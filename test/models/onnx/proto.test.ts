import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { ModelError } from "../../../models/card.ts";
import { DATA_TYPE, readModel, writeModel } from "../../../models/onnx/proto.ts";

const bytes = new Uint8Array(readFileSync("test/fixtures/onnx/every-field.onnx"));

describe("readModel", () => {
  const model = readModel(bytes);
  const graph = model.graph;
  const tensor = (name: string) => graph?.initializer.find((t) => t.name === name);

  test("reads what Python's onnx wrote", () => {
    expect(model.irVersion).toBe(10);
    expect(model.opsetImport).toMatchObject([
      { domain: "", version: 21 },
      { domain: "nadir.test", version: 1 },
    ]);
    expect(model.metadataProps).toEqual([
      { key: "names", value: "{0: 'ship'}" },
      { key: "stride", value: "32" },
    ]);
    expect(graph?.input[0]?.type?.tensorType).toEqual({
      elemType: DATA_TYPE.float32,
      shape: { dim: [{ dimParam: "batch" }, { dimValue: 2 }, {}] },
    });
    expect(graph?.node[1]?.input).toEqual(["y", "", "axes"]);
    expect(tensor("listed")?.floatData).toEqual([0.5, -1, 2]);
    expect(tensor("axes")?.int64Data).toEqual([-1, 2 ** 62]);
    expect(tensor("small")?.int32Data).toEqual([-7, 7]);
    expect(tensor("far")).toMatchObject({
      dataLocation: 1,
      externalData: [
        { key: "location", value: "far.bin" },
        { key: "offset", value: "4096" },
        { key: "length", value: "8" },
      ],
    });
    expect(model.functions[0]).toMatchObject({ name: "double", attribute: ["by"] });
    expect(model.functions[0]?.node[0]?.attribute[0]).toMatchObject({ refAttrName: "by" });
  });

  test("leaves weights where they are", () => {
    const raw = tensor("weight")?.rawData;
    expect(raw?.buffer).toBe(bytes.buffer);
    expect(raw?.length).toBe(24);
  });

  test("writes the same bytes again, fields it does not know included", () => {
    expect(Buffer.from(writeModel(model)).equals(bytes)).toBe(true);
  });

  test("says in a sentence that bytes are no ONNX file", () => {
    expect(() => readModel(new TextEncoder().encode("GIF89a, not a network"))).toThrow(ModelError);
    expect(() => readModel(new Uint8Array())).toThrow(/must hold a graph, received 0 bytes/);
    for (const length of [40, 200, 700, bytes.length - 1])
      expect(() => readModel(bytes.subarray(0, length))).toThrow(/^readModel: /);
  });
});

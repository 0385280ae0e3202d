import { describe, expect, test } from "vitest";
import {
  detector,
  FAMILIES,
  inferenceGraph,
  initialWeights,
  ModelError,
  readNetwork,
  simplify,
  toOnnx,
} from "../../../models/index.ts";
import type { FamilyName } from "../../../models/index.ts";
import { lower } from "../../../pipeline/engines/webgpu/lower.ts";
import { expectClose } from "../../close.ts";
import { headFile } from "../decode/heads.ts";

const SIZE = { batch: 1, widthPx: 64, heightPx: 64 };

describe.each(Object.keys(FAMILIES) as FamilyName[])("a file of %s", (family) => {
  const graph = inferenceGraph(detector({ family, size: "pico", classes: 2 }), SIZE);
  const weights = initialWeights(graph);

  test("is read as it was written", () => {
    const read = readNetwork(toOnnx(graph, weights));
    expect(read.graph.nodes.map(({ op }) => op)).toEqual(graph.nodes.map(({ op }) => op));
    for (const [name, data] of weights) expectClose(read.weights.get(name), data, 0, name);
    for (const [name, { type, shape }] of graph.values) {
      const found = read.graph.values.get(name);
      if (found) expect([name, found.type, found.shape]).toEqual([name, type, [...shape]]);
    }
    const node = read.graph.nodes.findLast(({ function: key }) => key !== undefined);
    const written = graph.nodes.findLast(({ function: key }) => key !== undefined);
    // Files hold float32.
    const single = Object.entries(written?.attributes ?? {}).map(([key, value]) => [
      key,
      typeof value === "number" ? Math.fround(value) : value,
    ]);
    expect(node?.attributes).toEqual(Object.fromEntries(single));
  });

  test("gives the dispatches that its network gives", () => {
    const labels = (network: Parameters<typeof lower>[0]) =>
      lower(network).plan.steps.map(({ label }) => label);
    const small = simplify(graph, weights);
    expect(labels(readNetwork(toOnnx(small.graph, small.weights)))).toEqual(labels(small));
  });
});

test("what has no rule is named", () => {
  expect(() => readNetwork(Uint8Array.of(1, 2, 3))).toThrow(ModelError);
  const open = headFile({ image: ["batch", 3, 64, 64], outputs: {} });
  expect(() => readNetwork(open)).toThrow("every size must be fixed, received an open one in ");
});

import { describe, expect, test } from "vitest";
import { pullback } from "../../../models/gradient/gradient.ts";
import { checkModel } from "../../../models/onnx/check.ts";
import { toOnnx } from "../../../models/onnx/model.ts";
import { readModel } from "../../../models/onnx/proto.ts";
import type { GraphProto, ModelProto, NodeProto } from "../../../models/onnx/proto.ts";
import { graphOf, PORT_CASES } from "./port.ts";
import type { PortCase } from "./port.ts";

/**
 * Python's `onnx.checker.check_model(full_check=True)` (onnx 1.23.2, strict shape inference) was run over the same files
 * once, forwards and backwards, and found nothing; `test/models/onnx/write-cases.ts` writes them.
 */
describe("files that we write", () => {
  for (const [name, port] of Object.entries(PORT_CASES)) {
    test(`${name}: nothing is wrong, forwards or backwards`, () => {
      const graph = graphOf(name, port);
      expect(checkModel(readModel(toOnnx(graph, new Map())))).toEqual([]);
      if (port.smooth === false) return;
      const pulled = pullback(graph, ["y"], Object.keys(port.inputs));
      expect(checkModel(readModel(toOnnx(pulled, new Map())))).toEqual([]);
    });
  }
});

describe("checkModel", () => {
  const port = PORT_CASES["call"];
  if (port === undefined) throw new RangeError("no case is called call");
  const good = readModel(toOnnx(graphOf("call", port), new Map()));
  const graph = good.graph as GraphProto;
  const conv = readModel(toOnnx(graphOf("conv", PORT_CASES["conv 3×3"] as PortCase), new Map()));
  const on = (change: Partial<GraphProto>): ModelProto => ({
    ...good,
    graph: { ...graph, ...change },
  });
  const node = (change: Partial<NodeProto>) =>
    on({ node: graph.node.map((n, i) => (i === 0 ? { ...n, ...change } : n)) });

  test.each<readonly [RegExp, ModelProto]>([
    [/IR version must be 10/, { ...good, irVersion: 7 }],
    [/must import ONNX's own/, { ...good, opsetImport: [] }],
    [/reads nothing before it is written/, node({ input: ["a", "nothing"] })],
    [/writes a, which is taken/, node({ output: ["a"] })],
    [/domain "elsewhere" is not imported/, node({ domain: "elsewhere" })],
    [/calls a function that is not there/, node({ opType: "unknown" })],
    [/must have 2 inputs, received 1/, node({ input: ["a"] })],
    [/no attribute is called by/, node({ attribute: [{ name: "by" } as never] })],
    [/has neither type nor shape/, on({ output: [] })],
    [/is declared and never written/, on({ node: [] })],
    [/y has no type/, on({ output: [{ name: "y" }] })],
    [
      /output .* is written by no node/,
      { ...good, functions: good.functions.map((f) => ({ ...f, node: [] })) },
    ],
    [
      /is no operation that we know/,
      {
        ...conv,
        graph: {
          ...(conv.graph as GraphProto),
          node: (conv.graph as GraphProto).node.map((n) => ({ ...n, opType: "Convolve" })),
        },
      },
    ],
    [
      /group must be of type int/,
      {
        ...conv,
        graph: {
          ...(conv.graph as GraphProto),
          node: (conv.graph as GraphProto).node.map((n) => ({
            ...n,
            attribute: [{ ...(n.attribute[0] as NodeProto["attribute"][number]), name: "group" }],
          })),
        },
      },
    ],
  ])("finds what is wrong: %s", (message, model) => {
    expect(checkModel(model).join("\n")).toMatch(message);
  });
});

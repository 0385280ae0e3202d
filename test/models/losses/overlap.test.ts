import { expect, test } from "vitest";
import { gradient, gradientName } from "../../../models/gradient/gradient.ts";
import { ciouLoss } from "../../../models/losses/overlap.ts";
import { buildGraph } from "../../../models/onnx/builder.ts";
import { runNative } from "../../onnxruntime.ts";

test.each([
  ["without height", [5, 5, 15, 5]],
  ["without width", [5, 5, 5, 15]],
  ["that is a point", [5, 5, 5, 5]],
])("a predicted box %s has an error and a gradient that are finite", async (_, box) => {
  const graph = buildGraph("ciou", (g) => {
    const target = g.constant("B N F", [1, 2, 4], Float32Array.of(...box, 2, 3, 17, 11));
    const errors = ciouLoss(g, g.input("boxes", "B N F", [1, 2, 4]), target);
    return { loss: g.reshape(g.reduce("sum", errors, ["B", "N"]), "A", [1]) };
  });
  const withGradient = gradient(graph, "loss", ["boxes"]);
  const out = await runNative(withGradient, new Map(), {
    boxes: Float64Array.of(...box, ...box),
  });
  const numbers = ["loss", gradientName("boxes")].flatMap((name) => [...(out[name] ?? [])]);
  expect(numbers.length).toBe(9);
  expect(numbers.filter((each) => !Number.isFinite(each))).toEqual([]);
});

import { expect, test } from "vitest";
import { costOf, detector, inferenceGraph } from "../../../models/index.ts";
import { buildGraph } from "../../../models/onnx/builder.ts";

test("counts a convolution's and a product's multiplications, and what is trained", () => {
  const graph = buildGraph("counted", (g) => {
    const x = g.input("x", "B C Y X", [2, 8, 10, 12]);
    const kernel = g.weight("kernel", "O I P Q", [6, 4, 3, 3], { kind: "normal", std: 1 });
    const map = g.conv(x, kernel, undefined, { groups: 2, pad: 1 });
    const tokens = g.rename(g.rearrange(map, "B O Y X -> B (Y X) O"), "B N C");
    const weight = g.weight("weight", "C K", [6, 5], { kind: "normal", std: 1 });
    return { y: g.matmul(tokens, weight, "B N K") };
  });
  expect(costOf(graph)).toEqual({
    parameters: 6 * 4 * 9 + 6 * 5,
    macs: 2 * 6 * 120 * (4 * 9) + 2 * 120 * 6 * 5,
  });
});

test("four times the pixels are four times the work of a network without global attention", () => {
  const network = detector({ family: "yolo-caa", size: "pico", classes: 3 });
  const at = (side: number) =>
    costOf(inferenceGraph(network, { batch: 1, widthPx: side, heightPx: side }));
  expect(at(256).parameters).toBe(at(128).parameters);
  expect(at(256).macs / at(128).macs).toBeCloseTo(4, 1);
});

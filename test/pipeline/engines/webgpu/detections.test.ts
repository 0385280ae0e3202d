/** The file of a detector through the whole of `loadDetector`, on the WebGPU engine and on ONNX Runtime. */
import { expect, test } from "vitest";
import {
  detector,
  inferenceGraph,
  initialWeights,
  simplify,
  toOnnx,
} from "../../../../models/index.ts";
import { createEngine, loadDetector } from "../../../../pipeline/index.ts";
import { NODE_ENGINES } from "../../../../pipeline/node.ts";
import { expectClose } from "../../../close.ts";
import { numbers } from "../../../numbers.ts";

const SIDE = 64;

test("a detector's file gives the same detections on both", async ({ skip }) => {
  const webgpu = await createEngine("webgpu", NODE_ENGINES);
  if ((await webgpu.devices()).length === 0) return skip("skipped: no WebGPU adapter here");
  const network = detector({ family: "yolo-caa", size: "pico", classes: 3 });
  const graph = inferenceGraph(network, { batch: 2, widthPx: SIDE, heightPx: SIDE });
  const weights = new Map(
    [...initialWeights(graph)].map(([name, data], i) => {
      const off = numbers(data.length, i);
      return [name, data.map((value, at) => value + 0.05 * off[at]!)];
    }),
  );
  const small = simplify(graph, weights);
  const file = toOnnx(small.graph, small.weights);
  const picture = numbers(2 * 3 * SIDE * SIDE, 1, true);
  const found = await Promise.all(
    [webgpu, await createEngine("onnxruntime-node", NODE_ENGINES)].map(async (engine) => {
      await using loaded = await loadDetector(file, engine, { classes: ["a", "b", "c"] });
      const { perTile } = await loaded.detect(picture, 2, { scoreAtLeast: 0.005 });
      return perTile.map(({ boxes, scores, classes }) => ({
        classes: [...classes],
        scores,
        boxes: boxes.kind === "axis-aligned" ? boxes.xyxy : boxes.corners,
      }));
    }),
  );
  const [ours = [], theirs = []] = found;
  expect(ours).toHaveLength(2);
  for (const [tile, { classes, scores, boxes }] of theirs.entries()) {
    expect(classes.length).toBeGreaterThan(10);
    expect(ours[tile]?.classes).toEqual(classes);
    expectClose(ours[tile]?.scores, scores, 1e-4);
    expectClose(ours[tile]?.boxes, boxes, 1e-4);
  }
  // Shaders compile slowly where the GPU is software.
}, 180_000);

/** Whole detectors on the WebGPU engine against ONNX Runtime. */
import { afterAll, describe, expect, test } from "vitest";
import { detector, inferenceGraph, initialWeights } from "../../../../models/index.ts";
import type { FamilyName, MixerName } from "../../../../models/index.ts";
import { loadNetwork } from "../../../../pipeline/engines/webgpu.ts";
import { expectClose } from "../../../close.ts";
import { numbers } from "../../../numbers.ts";
import { runNative } from "../../../onnxruntime.ts";
import { openTestDevice } from "../../../webgpu.ts";

const SIDE = 64;
const device = await openTestDevice();
afterAll(async () => device?.[Symbol.asyncDispose]());

/** Every family with its own mixer, and with others that go through other kernels. */
const CASES: readonly (readonly [FamilyName, MixerName])[] = [
  ["yolo-caa", "caa"],
  ["yolo-caa", "softmax"],
  ["vit", "padre"],
  ["vit", "softmax"],
  ["swin", "softmax"],
  ["swin", "linear"],
];

describe.skipIf(!device)("on a device", () => {
  test.each(CASES)(
    "%s with %s finds what ONNX Runtime finds",
    async (family, mixer) => {
      const network = detector({ family, size: "pico", mixer, classes: 3 });
      const graph = inferenceGraph(network, { batch: 1, widthPx: SIDE, heightPx: SIDE });
      const weights = new Map(
        [...initialWeights(graph)].map(([name, data], i) => {
          const off = numbers(data.length, i);
          return [name, data.map((value, at) => value + 0.03 * off[at]!)];
        }),
      );
      const image = numbers(3 * SIDE * SIDE, 1, true);
      await using session = await loadNetwork(device!, { graph, weights });
      const found = await session.run({
        image: { type: "float32", dims: [1, 3, SIDE, SIDE], data: image },
        gsd_m: { type: "float32", dims: [1, 1], data: Float32Array.of(0.5) },
      });
      const wanted = await runNative(graph, weights, { image, gsd_m: [0.5] });
      for (const [name, data] of Object.entries(wanted)) {
        expectClose(found[name]!.data as Float32Array, data, 1e-4, name);
      }
      expect(new Set(wanted["scores"]).size).toBeGreaterThan(100);
      // Shaders compile slowly where the GPU is software.
    },
    180_000,
  );
});

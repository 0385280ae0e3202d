import { describe, test } from "vitest";
import { volume } from "../../../attention/tensor.ts";
import { cotangentName, gradientName, pullback } from "../../../models/gradient/gradient.ts";
import type { OnnxGraph } from "../../../models/onnx/graph.ts";
import { expectClose } from "../../close.ts";
import { interpret } from "../../interpret.ts";
import { numbers } from "../../numbers.ts";
import { runNative, runWasm } from "../../onnxruntime.ts";
import { graphOf, PORT_CASES } from "../onnx/port.ts";

/** Elements that are tried: all of a small input, an even share of a large one. */
const tried = (count: number): number[] => {
  const step = Math.max(1, Math.floor(count / 40));
  return Array.from({ length: count }, (_, i) => i).filter((i) => i % step === 0);
};

/** How Σ cotangent · y moves with the elements of one input that are tried, by differences of doubles. */
function differences(
  graph: OnnxGraph,
  feeds: Readonly<Record<string, Float64Array>>,
  name: string,
  cotangent: ArrayLike<number>,
): number[] {
  const at = (feed: Float64Array) =>
    interpret(graph, { ...feeds, [name]: feed })
      .get("y")
      ?.data.reduce((sum, v, i) => sum + v * (cotangent[i] ?? 0), 0) ?? Number.NaN;
  const step = 1e-5;
  const all = feeds[name] ?? new Float64Array();
  return tried(all.length).map((i) => {
    const v = all[i] ?? Number.NaN;
    return (at(all.with(i, v + step)) - at(all.with(i, v - step))) / (2 * step);
  });
}

describe("gradient", () => {
  for (const [name, port] of Object.entries(PORT_CASES)) {
    if (port.smooth === false) continue;
    test(`of ${name} is what finite differences give, in ONNX Runtime too`, async () => {
      const graph = graphOf(name, port);
      const inputs = Object.keys(port.inputs);
      const feeds = Object.fromEntries(
        inputs.map((input, i) => {
          const count = volume(graph.values.get(input)?.shape ?? []);
          return [input, Float64Array.from(numbers(count, i + 7, port.positive))];
        }),
      );
      const cotangent = numbers(volume(graph.values.get("y")?.shape ?? []), 99);
      const pulled = pullback(graph, ["y"], inputs);
      const all = { ...feeds, [cotangentName("y")]: cotangent };
      const exact = interpret(pulled, all);
      const [native, web] = [
        await runNative(pulled, new Map(), all),
        await runWasm(pulled, new Map(), all),
      ];
      for (const input of inputs) {
        const expected = differences(graph, feeds, input, cotangent);
        const found = exact.get(gradientName(input))?.data ?? new Float64Array();
        const sampled = tried(found.length).map((i) => found[i] ?? Number.NaN);
        // Central differences of doubles: their own error is about 1e-10 times the third derivative.
        expectClose(sampled, expected, 1e-7, `${input}, differences`);
        expectClose(native[gradientName(input)], found, 2e-5, `${input}, native`);
        expectClose(web[gradientName(input)], found, 2e-5, `${input}, WASM`);
      }
    });
  }
});

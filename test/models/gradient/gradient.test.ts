import { describe, test } from "vitest";
import type { Value } from "../../../attention/graph.ts";
import { volume } from "../../../attention/tensor.ts";
import { cotangentName, gradientName, pullback } from "../../../models/gradient/gradient.ts";
import { buildGraph } from "../../../models/onnx/builder.ts";
import type { OnnxGraph } from "../../../models/onnx/graph.ts";
import { expectClose } from "../../close.ts";
import { interpret } from "../../interpret.ts";
import { numbers } from "../../numbers.ts";
import { runNative, runWasm } from "../../onnxruntime.ts";
import { PORT_CASES } from "../onnx/port.ts";
import type { PortCase } from "../onnx/port.ts";

const graphOf = (name: string, { inputs, write }: PortCase) =>
  buildGraph(name, (g) => {
    const values = Object.entries(inputs).map(([input, [layout, ...shape]]): [string, Value] => [
      input,
      g.input(input, layout, shape),
    ]);
    return { y: write(g, Object.fromEntries(values)) };
  });

/** How Σ cotangent · y moves with every element of one input, by differences of doubles. */
function differences(
  graph: OnnxGraph,
  feeds: Readonly<Record<string, Float64Array>>,
  name: string,
  cotangent: ArrayLike<number>,
): Float64Array {
  const at = (feed: Float64Array) =>
    interpret(graph, { ...feeds, [name]: feed })
      .get("y")
      ?.data.reduce((sum, v, i) => sum + v * (cotangent[i] ?? 0), 0) ?? Number.NaN;
  const step = 1e-5;
  return (feeds[name] ?? new Float64Array()).map((v, i, all) => {
    const [up, down] = [all.with(i, v + step), all.with(i, v - step)];
    return (at(up) - at(down)) / (2 * step);
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
        const found = exact.get(gradientName(input))?.data ?? [];
        // Central differences of doubles: their own error is about 1e-10 times the third derivative.
        expectClose(found, expected, 1e-7, `${input}, differences`);
        expectClose(native[gradientName(input)], found, 2e-5, `${input}, native`);
        expectClose(web[gradientName(input)], found, 2e-5, `${input}, WASM`);
      }
    });
  }
});

import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { adamW, sgd } from "../../../models/gradient/optimizers.ts";
import type { Optimizer } from "../../../models/gradient/optimizers.ts";
import { STEP, trainingStep } from "../../../models/gradient/training-step.ts";
import type { TrainingOptions } from "../../../models/gradient/training-step.ts";
import { buildGraph } from "../../../models/onnx/builder.ts";
import type { OnnxGraph } from "../../../models/onnx/graph.ts";
import { checkModel } from "../../../models/onnx/check.ts";
import { toTrainingOnnx } from "../../../models/onnx/model.ts";
import { readModel } from "../../../models/onnx/proto.ts";
import { initialWeights } from "../../../models/onnx/weights.ts";
import { expectClose } from "../../close.ts";
import { interpret } from "../../interpret.ts";
import { numbers } from "../../numbers.ts";
import { runTraining, runTrainingWasm } from "../../onnxruntime.ts";

/** Five steps each, by PyTorch: see `test/fixtures/onnx/README.md`. */
const published = JSON.parse(readFileSync("test/fixtures/onnx/optimizers.json", "utf8")) as Record<
  string,
  readonly { readonly x: number[]; readonly norm: number }[]
>;

/** Σ c x². */
const bowl = buildGraph("bowl", (g) => {
  const x = g.weight("x", "A B", [2, 2], { kind: "constant", value: 0 });
  const c = g.constant("A B", [2, 2], Float32Array.of(1, 2, 0.5, 3));
  return { loss: g.reduce("sum", g.mul(c, g.mul(x, x)), ["A", "B"]) };
});
const START = Float32Array.of(0.5, -1.2, 3, 0.25);

/** Runs steps, feeding every stored value back, and gives what is stored after each. */
async function walk(
  graph: OnnxGraph,
  count: number,
  start: Record<string, Float32Array>,
  feeds: Record<string, Float32Array>,
) {
  let stored: Record<string, Float32Array> = {
    ...Object.fromEntries(initialWeights(graph)),
    ...start,
  };
  const all = [];
  for (let i = 0; i < count; i++) {
    const outputs = await runTraining(graph, { ...stored, ...feeds });
    const next = [...graph.updates].map(([name, value]) => [
      name,
      outputs[value] ?? new Float32Array(),
    ]);
    stored = { ...stored, ...(Object.fromEntries(next) as Record<string, Float32Array>) };
    all.push({ stored, outputs });
  }
  return all;
}

const rate = { [STEP.rate]: Float32Array.of(0.01) };
const everywhere = () => 0.05;

describe("optimizers", () => {
  test.each<readonly [string, Optimizer, Partial<TrainingOptions>]>([
    ["sgd", sgd({ nesterov: false, weightDecay: everywhere }), {}],
    ["sgd, nesterov", sgd({ weightDecay: everywhere }), {}],
    ["adamW", adamW({ weightDecay: everywhere }), {}],
    ["adamW, clipped", adamW({ weightDecay: everywhere }), { clipNorm: 1.5 }],
    ["sgd, clipped", sgd({ nesterov: false }), { clipNorm: 1.5 }],
  ])("%s walks as PyTorch's", async (name, optimizer, options) => {
    const step = trainingStep(bowl, { loss: "loss", optimizer, ...options });
    const steps = await walk(step, 5, { x: START }, rate);
    expect(published[name]).toHaveLength(5);
    for (const [i, { x, norm }] of (published[name] ?? []).entries()) {
      expectClose(steps[i]?.stored["x"], x, 1e-6, `step ${i}`);
      expectClose(steps[i]?.outputs[STEP.norm], [norm], 1e-6, `norm ${i}`);
    }
  });

  test("vectors do not decay unless they are named", async () => {
    const graph = buildGraph("norms", (g) => {
      const w = g.weight("w", "A B", [2, 2], { kind: "constant", value: 1 });
      const b = g.weight("b", "B", [2], { kind: "constant", value: 1 });
      return { loss: g.scale(g.reduce("sum", g.add(w, b), ["A", "B"]), 0) };
    });
    const step = trainingStep(graph, { loss: "loss", optimizer: adamW({ weightDecay: 0.5 }) });
    const [after] = await walk(step, 1, {}, { [STEP.rate]: Float32Array.of(0.1) });
    expectClose(after?.stored["w"], [0.95, 0.95, 0.95, 0.95], 1e-6);
    expectClose(after?.stored["b"], [1, 1], 0);
  });

  test("weights that do not train stay, and keep no state", () => {
    const step = trainingStep(bowl, { loss: "loss", optimizer: adamW(), trains: () => false });
    expect([...step.updates.keys()]).toEqual([STEP.count]);
  });

  test("an average starts at the weights and follows them", async () => {
    const average = { decay: 0.9, rampSteps: 2 };
    const step = trainingStep(bowl, { loss: "loss", optimizer: sgd(), average });
    const steps = await walk(step, 4, { x: START }, rate);
    let expected = Float64Array.from(steps[0]?.stored["x"] ?? []);
    for (const [t, { stored }] of steps.entries()) {
      const kept = average.decay * (1 - Math.exp(-t / average.rampSteps));
      expected = expected.map((a, i) => kept * a + (1 - kept) * (stored["x"]?.[i] ?? 0));
      expectClose(stored[STEP.average(0)], expected, 1e-6, `step ${t}`);
    }
  });
});

describe("trainingStep", () => {
  test("moves running statistics along with the weights", async () => {
    const graph = buildGraph(
      "normed",
      (g) => {
        const x = g.input("x", "B C Y X", [2, 3, 2, 2]);
        const one = { kind: "constant", value: 1 } as const;
        const zero = { kind: "constant", value: 0 } as const;
        const y = g.batchNorm(
          x,
          {
            scale: g.weight("scale", "C", [3], one),
            bias: g.weight("bias", "C", [3], zero),
            mean: g.buffer("mean", "C", [3], zero),
            variance: g.buffer("variance", "C", [3], one),
          },
          { eps: 1e-3, momentum: 0.1 },
        );
        return { loss: g.reduce("mean", g.mul(y, g.mul(y, y)), ["B", "C", "Y", "X"]) };
      },
      { training: true },
    );
    const step = trainingStep(graph, { loss: "loss", optimizer: sgd() });
    const x = numbers(24, 3);
    const [after] = await walk(step, 1, {}, { ...rate, x });
    const channel = (c: number) => [...x].filter((_, i) => Math.floor(i / 4) % 3 === c);
    const mean = (values: readonly number[]) => values.reduce((a, b) => a + b, 0) / values.length;
    for (const c of [0, 1, 2]) {
      const centre = mean(channel(c));
      const unbiased = (mean(channel(c).map((v) => (v - centre) ** 2)) * 8) / 7;
      expect(after?.stored["mean"]?.[c]).toBeCloseTo(0.1 * centre, 6);
      expect(after?.stored["variance"]?.[c]).toBeCloseTo(0.9 + 0.1 * unbiased, 6);
    }
  });

  test("learns: a small network fits noise better with every step", async () => {
    const graph = buildGraph("fit", (g) => {
      const x = g.input("x", "B C", [8, 4]);
      const t = g.input("t", "B K", [8, 2]);
      const layer = (name: string, from: typeof x, out: number) =>
        g.matmul(
          from,
          g.weight(name, "C E", [from.shape[1] ?? 0, out], { kind: "normal", std: 0.5 }),
          "B C",
        );
      const y = layer("last", g.unary("gelu", layer("first", x, 16)), 2);
      const off = g.sub(g.rename(y, "B K"), t);
      return { loss: g.reduce("mean", g.mul(off, off), ["B", "K"]) };
    });
    const step = trainingStep(graph, { loss: "loss", optimizer: adamW() });
    const feeds = { x: numbers(32, 1), t: numbers(16, 2), [STEP.rate]: Float32Array.of(0.02) };
    const losses = (await walk(step, 60, {}, feeds)).map(
      ({ outputs }) => outputs["loss"]?.[0] ?? NaN,
    );
    expect(losses.at(-1)).toBeLessThan((losses[0] ?? 0) / 50);
  });

  test("is the same step in double precision and in WASM, and a file without fault", async () => {
    const step = trainingStep(bowl, { loss: "loss", optimizer: adamW(), clipNorm: 1, average: {} });
    const feeds = { ...Object.fromEntries(initialWeights(step)), x: START, ...rate };
    const [exact, found] = [interpret(step, feeds), await runTraining(step, feeds)];
    const web = await runTrainingWasm(step, feeds);
    expect(checkModel(readModel(toTrainingOnnx(step)))).toEqual([]);
    for (const value of step.updates.values()) {
      expectClose(found[value], exact.get(value)?.data ?? [], 1e-6, value);
      expectClose(web[value], exact.get(value)?.data ?? [], 1e-6, `${value}, WASM`);
    }
  });
});

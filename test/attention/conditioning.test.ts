import { test as prop } from "@fast-check/vitest";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  acquisitionDate,
  categories,
  conditioned,
  contextTokens,
  exemplars,
  groundResolution,
  linear,
  tensor,
} from "../../attention/index.ts";
import { buildGraph, gradient, gradientName, initialWeights } from "../../models/index.ts";
import { runNative } from "../onnxruntime.ts";
import { computing, drawnWeights, noise } from "./plain.ts";

const sizes = fc.record({
  B: fc.integer({ min: 1, max: 2 }),
  N: fc.integer({ min: 1, max: 6 }),
  M: fc.integer({ min: 1, max: 4 }),
  seed: fc.nat(1000),
});

describe("conditioned", () => {
  test("adds nothing to a graph without context", () => {
    const graph = buildGraph("none", (g) => {
      const x = g.input("x", "B N C", [1, 4, 6]);
      const same = conditioned({ heads: 2 })(g.at("condition"), x, undefined);
      expect(same).toBe(x);
      return { out: same };
    });
    expect(graph.weights.size).toBe(0);
    expect(graph.nodes.map(({ op }) => op)).toEqual(["Identity"]);
  });

  prop.prop([sizes, fc.constantFrom("zero output" as const, "gate" as const)], { numRuns: 8 })(
    "starts as the identity, and can be trained away from it",
    async ({ B, N, M, seed }, start) => {
      const x = noise("B N C", [B, N, 6], seed);
      const graph = buildGraph("start", (g) => {
        const tokens = g.input("x", "B N C", x.shape);
        const context = g.input("context", "B M E", [B, M, 5]);
        const out = conditioned({ heads: 2, start })(g, tokens, context);
        const square = g.reduce("sum", g.mul(out, out), ["B", "N", "C"]);
        return { out, loss: g.reshape(square, "I", [1]) };
      });
      const weights = initialWeights(graph, { seed });
      const feeds = { x: x.data, context: noise("B M E", [B, M, 5], seed + 1).data };
      expect((await runNative(graph, weights, feeds))["out"]).toEqual(x.data);
      const moved = start === "gate" ? "gate" : "proj.weight";
      const trained = gradient(graph, "loss", [moved]);
      const results = await runNative(trained, weights, feeds);
      expect(results[gradientName(moved)]?.some((d) => Math.abs(d) > 1e-9)).toBe(true);
    },
  );

  prop.prop([sizes])("leaves images without any known context exactly as they were", (drawn) => {
    const { B, N, M, seed } = drawn;
    for (const core of [undefined, linear]) {
      const { graph, put, read } = computing(drawnWeights(seed));
      const tokens = noise("B N C", [B, N, 6], seed);
      const context = put(noise("B M E", [B, M, 5], seed + 1));
      const none = put(tensor("B M", [B, M]), "bool");
      const condition = conditioned({ heads: 2, ...(core && { core }) });
      expect(read(condition(graph, put(tokens), context, none)).data).toEqual(tokens.data);
    }
  });

  prop.prop([sizes])("does not read context tokens that are hidden", ({ B, N, M, seed }) => {
    const { graph, put, read } = computing(drawnWeights(seed));
    const tokens = put(noise("B N C", [B, N, 6], seed));
    const context = noise("B M E", [B, M + 1, 5], seed + 1);
    const isLast = (i: number) => Math.floor(i / 5) % (M + 1) === M;
    const other = tensor(
      "B M E",
      context.shape,
      context.data.map((v, i) => (isLast(i) ? -v : v)),
    );
    const known = Float32Array.from({ length: B * (M + 1) }, (_, i) => (i % (M + 1) === M ? 0 : 1));
    const mask = put(tensor("B M", [B, M + 1], known), "bool");
    const heard = (of: typeof context) =>
      read(conditioned({ heads: 2 })(graph, tokens, put(of), mask)).data;
    expect(heard(other)).toEqual(heard(context));
  });

  test("names the axis when the context is of another batch", () => {
    const { graph, put } = computing(drawnWeights(1));
    const tokens = put(noise("B N C", [2, 3, 6], 1));
    const context = put(noise("B M E", [1, 3, 5], 1));
    expect(() => conditioned({ heads: 2 })(graph, tokens, context)).toThrow(
      "conditioned: B is 2 in tokens but 1 in context [1 3 5]",
    );
  });
});

describe("context tokens", () => {
  test("of every kind stand side by side", () => {
    const { graph, put } = computing(drawnWeights(2));
    const channels = 8;
    const parts = [
      groundResolution(graph, put(tensor("B I", [2, 1], Float32Array.of(0.3, 10))), { channels }),
      acquisitionDate(graph, put(tensor("B I", [2, 1], Float32Array.of(9000, 9100))), { channels }),
      categories(
        graph,
        "bands",
        put(tensor("B M", [2, 4], Float32Array.of(0, 1, 2, 3, 3, 2, 1, 0)), "int64"),
        { channels, count: 12 },
      ),
      exemplars(graph, put(noise("B M F", [2, 3, 16], 1)), { channels }),
    ];
    expect(contextTokens(graph, parts).shape).toEqual([2, 1 + 1 + 4 + 3, channels]);
  });

  test("of a ground resolution tell factors of two apart alike, near and far", () => {
    const drawn = drawnWeights(3);
    const of = (metres: number) => {
      const { graph, put, read } = computing(drawn);
      const token = put(tensor("B I", [1, 1], Float32Array.of(metres)));
      return read(groundResolution(graph, token, { channels: 16 })).data;
    };
    const apart = (a: number, b: number) => Math.hypot(...of(a).map((v, i) => v - (of(b)[i] ?? 0)));
    expect(apart(0.1, 0.2)).toBeGreaterThan(0.05);
    expect(apart(10, 20)).toBeGreaterThan(0.05);
    expect(apart(10, 10.01)).toBeLessThan(0.05);
  });
});

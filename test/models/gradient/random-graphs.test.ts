import { fc, test } from "@fast-check/vitest";
import { describe, expect } from "vitest";
import type { Graph, Unary, Value } from "../../../attention/graph.ts";
import { volume } from "../../../attention/tensor.ts";
import { cotangentName, gradientName, pullback } from "../../../models/gradient/gradient.ts";
import { buildGraph } from "../../../models/onnx/builder.ts";
import { checkModel } from "../../../models/onnx/check.ts";
import type { OnnxGraph } from "../../../models/onnx/graph.ts";
import { toOnnx } from "../../../models/onnx/model.ts";
import { readModel } from "../../../models/onnx/proto.ts";
import { simplify } from "../../../models/onnx/simplify.ts";
import { initialWeights } from "../../../models/onnx/weights.ts";
import { expectClose, worstError } from "../../close.ts";
import { interpret } from "../../interpret.ts";
import { numbers } from "../../numbers.ts";
import { runNative } from "../../onnxruntime.ts";

type Map4 = Value<"B C Y X">;

/** One layer of a random network; `n` and `m` choose its sizes. */
type Layer = (g: Graph, x: Map4, n: number, m: number) => Map4;

const SMOOTH: readonly Unary[] = ["tanh", "sigmoid", "silu", "gelu", "geluTanh", "softplus", "atan", "sin", "erf"]; // prettier-ignore
const noise = { kind: "normal", std: 0.5 } as const;

const LAYERS: Readonly<Record<string, Layer>> = {
  unary: (g, x, n) => g.unary(SMOOTH[n % SMOOTH.length] ?? "tanh", x),
  conv(g, x, n, m) {
    const [, C = 1] = x.shape;
    const [kernel, groups] = [1 + (n % 3), m % 2 === 0 ? 1 : C];
    const shape = [groups === 1 ? 2 + (m % 3) : C, C / groups, kernel, kernel];
    const options = { pad: n % kernel, stride: 1 + (m % 2), dilation: 1 + ((n + m) % 2), groups };
    const reach = options.dilation * (kernel - 1) + 1;
    const fits = Math.min(x.shape[2] ?? 0, x.shape[3] ?? 0) + 2 * options.pad >= reach;
    if (!fits) return x;
    const bias = n % 2 === 0 ? g.weight("bias", "O", [shape[0] ?? 0], noise) : undefined;
    return g.conv(x, g.weight("weight", "O I P Q", shape, noise), bias, options);
  },
  convTranspose(g, x, n, m) {
    const weight = g.weight("weight", "I O P Q", [x.shape[1] ?? 0, 1 + (m % 3), 2, 2], noise);
    return g.convTranspose(x, weight, undefined, { stride: 1 + (n % 2) });
  },
  averagePool: (g, x, n) => g.averagePool(x, 2, { stride: 1 + (n % 2), pad: 1 }),
  maxPool: (g, x, n) =>
    g.maxPool(x, 1 + (n % 3), { stride: 1 + (n % 2), pad: n % 3 === 0 ? 0 : 1 }),
  resize: (g, x, n, m) =>
    g.resize(
      x,
      { rows: 2 + (n % 5), columns: 2 + (m % 5) },
      (["nearest", "bilinear", "bicubic"] as const)[n % 3] ?? "nearest",
    ),
  tokens(g, x) {
    const [, C = 1, Y = 1, X = 1] = x.shape;
    const tokens = g.rename(g.rearrange(x, "B C Y X -> B (Y X) C"), "B N C");
    const ones = { kind: "constant", value: 1 } as const;
    const normed = g.layerNorm(tokens, g.weight("scale", "C", [C], ones), undefined, 1e-2);
    const scores = g.matmul(tokens, g.rearrange(normed, "B N C -> B C N"), "B N M");
    const mixed = g.call("mix", { scale: 0.5 }, [scores, tokens], (f, [s, t]) =>
      f.matmul(f.softmax(f.scale(s, 0.5)), t, "B N C"),
    );
    return g.rename(g.rearrange(mixed, "B (Y X) C -> B C Y X", { Y, X }), "B C Y X");
  },
  gate: (g, x) => g.mul(x, g.unary("sigmoid", g.reduce("mean", x, ["Y", "X"]))),
  largest: (g, x) => g.sub(x, g.reduce("max", x, ["C"])),
  shift(g, x, n) {
    const size = x.shape[3] ?? 1;
    const cut = 1 + (n % size);
    if (cut === size) return x;
    return g.concat([g.slice(x, "X", cut, size), g.slice(x, "X", 0, cut)], "X");
  },
  pick(g, x, n, m) {
    const C = x.shape[1] ?? 1;
    const at = g.constant("I", [3], BigInt64Array.from([n % C, m % C, (n + m) % C], BigInt));
    return g.gather(x, "C", at, "B C Y X");
  },
  best: (g, x, n) => g.topK(x, 1 + (n % (x.shape[3] ?? 1))).values,
  choose: (g, x) => g.where(g.binary("less", x, 0.1), g.scale(x, -0.5), x),
  pad: (g, x, n, m) => g.pad(x, "Y", n % 2, m % 2),
  residual: (g, x) => g.add(x, g.binary("mul", x, g.unary("tanh", x))),
};

const network = fc.record({
  size: fc.tuple(
    fc.integer({ min: 1, max: 2 }),
    fc.integer({ min: 1, max: 3 }),
    fc.integer({ min: 2, max: 5 }),
    fc.integer({ min: 2, max: 5 }),
  ),
  layers: fc.array(
    fc.tuple(fc.constantFrom(...Object.keys(LAYERS)), fc.nat({ max: 20 }), fc.nat({ max: 20 })),
    { minLength: 1, maxLength: 5 },
  ),
});

const build = (size: readonly number[], layers: readonly (readonly [string, number, number])[]) =>
  buildGraph("random", (g) => {
    let x: Map4 = g.input("x", "B C Y X", size);
    for (const [i, [name, n, m]] of layers.entries()) {
      // Maps that have grown too large for plain loops are left as they are.
      const next = LAYERS[name]?.(g.at(String(i)), x, n, m) ?? x;
      x = volume(next.shape) <= 400 ? next : x;
    }
    return { y: g.scale(x, 1.25) };
  });

/** The derivative of Σ cotangent · y along a direction in all inputs at once, by differences of doubles. */
function slope(
  graph: OnnxGraph,
  at: Readonly<Record<string, Float64Array>>,
  direction: Readonly<Record<string, ArrayLike<number>>>,
  cotangent: ArrayLike<number>,
  step: number,
): number {
  const value = (along: number) => {
    const feeds = Object.entries(at).map(([name, data]) => [
      name,
      data.map((v, i) => v + along * (direction[name]?.[i] ?? 0)),
    ]);
    const y = interpret(graph, Object.fromEntries(feeds) as Record<string, Float64Array>).get("y");
    return (y?.data ?? new Float64Array()).reduce((s, v, i) => s + v * (cotangent[i] ?? 0), 0);
  };
  return (value(step) - value(-step)) / (2 * step);
}

describe("random networks", () => {
  test.prop([network], { numRuns: 60 })(
    "have the gradient that differences give, in ONNX Runtime as in doubles",
    async ({ size, layers }) => {
      const graph = build(size, layers);
      const wrt = ["x", ...graph.weights.keys()];
      const weights = initialWeights(graph, { seed: 5 });
      const shapeOf = (name: string) => graph.values.get(name)?.shape ?? [];
      const x = numbers(volume(shapeOf("x")), layers.length);
      const cotangent = numbers(volume(shapeOf("y")), 17);
      const feeds = { ...Object.fromEntries(weights), x, [cotangentName("y")]: cotangent };
      const pulled = pullback(graph, ["y"], wrt);
      expect(checkModel(readModel(toOnnx(pulled, weights)))).toEqual([]);

      const exact = interpret(pulled, feeds);
      const at = Object.fromEntries(
        wrt.map((name) => [name, Float64Array.from(name === "x" ? x : (weights.get(name) ?? []))]),
      );
      const direction = Object.fromEntries(
        wrt.map((name, i) => [name, numbers(volume(shapeOf(name)), 31 + i)]),
      );
      const along = wrt.reduce(
        (sum, name) =>
          sum +
          (exact.get(gradientName(name))?.data ?? new Float64Array()).reduce(
            (s, v, i) => s + v * (direction[name]?.[i] ?? 0),
            0,
          ),
        0,
      );
      // Where a step crosses a kink (a maximum that changes hands) a ten times shorter one does not.
      const errors = [1e-5, 1e-6, 1e-7].map((step) =>
        worstError([along], [slope(graph, at, direction, cotangent, step)]),
      );
      expect(Math.min(...errors)).toBeLessThan(1e-6);

      const found = await runNative(pulled, weights, { x, [cotangentName("y")]: cotangent });
      for (const name of ["y", ...wrt.map(gradientName)])
        expectClose(found[name], exact.get(name)?.data ?? [], 1e-4, name);
    },
  );

  test.prop([network], { numRuns: 60 })("compute the same when simplified", ({ size, layers }) => {
    const graph = build(size, layers);
    const weights = initialWeights(graph);
    const x = numbers(volume(graph.values.get("x")?.shape ?? []), 3);
    const small = simplify(graph, weights);
    expect(small.graph.nodes.length).toBeLessThanOrEqual(graph.nodes.length);
    const before = interpret(graph, { ...Object.fromEntries(weights), x });
    const after = interpret(small.graph, { ...Object.fromEntries(small.weights), x });
    expectClose(after.get("y")?.data, before.get("y")?.data ?? [], 1e-12);
  });
});

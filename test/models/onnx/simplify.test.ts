import { describe, expect, test } from "vitest";
import type { Graph, Value } from "../../../attention/graph.ts";
import { volume } from "../../../attention/tensor.ts";
import { buildGraph } from "../../../models/onnx/builder.ts";
import { simplify } from "../../../models/onnx/simplify.ts";
import { expectClose } from "../../close.ts";
import { interpret } from "../../interpret.ts";
import { numbers } from "../../numbers.ts";
import { runNative } from "../../onnxruntime.ts";
import { PORT_CASES } from "./port.ts";

const ops = (graph: { readonly nodes: readonly { readonly op: string }[] }) =>
  graph.nodes.map(({ op }) => op);

/** A convolution, its normalisation, and what reads them. */
const stem = (bias: boolean, peeks = false) =>
  buildGraph("stem", (g) => {
    const x = g.input("x", "B C Y X", [1, 3, 6, 5]);
    const start = { kind: "normal", std: 0.5 } as const;
    const weight = g.weight("conv.weight", "O I Y X", [4, 3, 3, 3], start);
    const y = g.conv(x, weight, bias ? g.weight("conv.bias", "O", [4], start) : undefined, {
      pad: 1,
    });
    const one = (name: string) => g.at("bn").buffer(name, "C", [4], numbers(4, name.length, true));
    const parameters = {
      scale: one("w"),
      bias: one("bias"),
      mean: one("mean"),
      variance: one("variance"),
    };
    const normed = g.batchNorm(y, parameters, { eps: 1e-3, momentum: 0.03 });
    return { y: g.unary("silu", normed), ...(peeks ? { raw: g.unary("neg", y) } : {}) };
  });

const weightsOf = (graph: ReturnType<typeof stem>) =>
  new Map(
    [...graph.weights.keys()].map((name, i) => [
      name,
      numbers(volume(graph.values.get(name)?.shape ?? []), i + 2, name.startsWith("bn")),
    ]),
  );

describe("simplify", () => {
  test.each([true, false])(
    "folds a batch normalisation into its convolution (bias: %s)",
    async (bias) => {
      const graph = stem(bias);
      const weights = weightsOf(graph);
      const small = simplify(graph, weights);
      expect(ops(small.graph)).toEqual(["Conv", "Sigmoid", "Mul"]);
      expect(small.weights.size).toBe(2);
      const feeds = { x: numbers(90, 5) };
      const { y } = await runNative(graph, weights, feeds);
      expectClose((await runNative(small.graph, small.weights, feeds))["y"], y ?? [], 1e-5);
    },
  );

  test("leaves a convolution alone that somebody else reads", () => {
    const graph = stem(true, true);
    expect(ops(simplify(graph, weightsOf(graph)).graph)).toContain("BatchNormalization");
  });

  test("does not touch the weights it is given", () => {
    const graph = stem(false);
    const weights = weightsOf(graph);
    const before = new Map([...weights].map(([name, data]) => [name, [...data]]));
    simplify(graph, weights);
    expect(new Map([...weights].map(([name, data]) => [name, [...data]]))).toEqual(before);
  });

  test("removes moves that undo each other and joins those that do not", () => {
    const graph = buildGraph("moves", (g) => {
      const x = g.input("x", "A B C", [2, 3, 4]);
      const there = g.rearrange(x, "A B C -> C A B");
      const back = g.rearrange(there, "C A B -> A B C");
      const turned = g.rearrange(there, "C A B -> B C A");
      const shaped = g.reshape(g.reshape(g.unary("neg", back), "A B", [6, 4]), "A B", [4, 6]);
      return {
        shaped,
        turned,
        same: g.unary("exp", g.reshape(g.reshape(x, "A", [24]), "A B C", [2, 3, 4])),
      };
    });
    const small = simplify(graph, new Map()).graph;
    expect(ops(small).toSorted()).toEqual(["Exp", "Neg", "Reshape", "Transpose"]);
    const feeds = { x: numbers(24, 1) };
    const [before, after] = [interpret(graph, feeds), interpret(small, feeds)];
    for (const name of graph.outputs) expect(after.get(name)).toEqual(before.get(name));
  });

  test("leaves out weights that no output needs", () => {
    const graph = buildGraph("half", (g) => {
      const x = g.input("x", "A B", [2, 2]);
      const [used, unused] = ["used", "unused"].map((name) =>
        g.weight(name, "B C", [2, 2], { kind: "constant", value: 1 }),
      );
      const result = g.matmul(x, used as Value, "A C");
      g.matmul(x, unused as Value, "A C");
      return { y: result };
    });
    expect([...graph.weights.keys()]).toEqual(["used"]);
  });

  const moves = ["reshape", "rearrange heads", "rearrange windows", "expand", "concat", "slice", "gather rows", "gather inside", "add", "div", "min", "sqrt", "where, a number", "cast"]; // prettier-ignore
  test.each(moves)("%s of constants gives what the network gives", (name) => {
    const port = PORT_CASES[name];
    if (port === undefined) throw new RangeError(`no case is called ${name}`);
    const write = (g: Graph) => {
      const given = Object.entries(port.inputs).map(
        ([input, [layout, ...shape]], i): [string, Value] => [
          input,
          g.constant(layout, shape, numbers(volume(shape), i, port.positive)),
        ],
      );
      return g.unary(
        "neg",
        g.mul(
          port.write(g, Object.fromEntries(given)),
          g.weight("w", "", [], { kind: "constant", value: 1 }),
        ),
      );
    };
    const graph = buildGraph(name, (g) => ({ y: write(g) }));
    const small = simplify(graph, new Map([["w", Float32Array.of(1)]])).graph;
    if (name !== "where, a number") expect(ops(small)).toEqual(["Mul", "Neg"]);
    const expected = interpret(graph, { w: [1] }).get("y")?.data ?? [];
    expectClose(interpret(small, { w: [1] }).get("y")?.data, expected, 1e-6);
  });
});

import { describe, expect, test } from "vitest";
import type { Graph, Value } from "../../../attention/graph.ts";
import { tensor, volume } from "../../../attention/tensor.ts";
import { buildGraph } from "../../../models/onnx/builder.ts";
import { initialWeights } from "../../../models/onnx/weights.ts";
import { expectClose } from "../../close.ts";
import { eager } from "../../eager.ts";
import { numbers } from "../../numbers.ts";
import { runNative, runWasm } from "../../onnxruntime.ts";
import { graphOf, PORT_CASES } from "./port.ts";
import type { PortCase } from "./port.ts";

const feedsOf = ({ inputs, positive }: PortCase) =>
  Object.fromEntries(
    Object.entries(inputs).map(([name, [, ...shape]], i) => [
      name,
      numbers(volume(shape), i + 1, positive),
    ]),
  );

describe("buildGraph", () => {
  for (const [name, port] of Object.entries(PORT_CASES)) {
    test(`${name} gives in ONNX Runtime, native and WASM, what plain loops give`, async () => {
      const feeds = feedsOf(port);
      const { graph, put, read } = eager(() => []);
      const inputs = Object.entries(port.inputs).map(
        ([input, [layout, ...shape]]): [string, Value] => [
          input,
          put(tensor(layout, shape, feeds[input] ?? new Float32Array())),
        ],
      );
      const expected = read(port.write(graph, Object.fromEntries(inputs)));
      const built = graphOf(name, port);
      expect(built.values.get("y")?.shape).toEqual(expected.shape);
      // Float32 sums of at most a few dozen terms.
      const node = await runNative(built, new Map(), feeds);
      expectClose(node["y"], expected.data, 1e-5, "native");
      const web = await runWasm(built, new Map(), feeds);
      expectClose(web["y"], expected.data, 1e-5, "WASM");
    });
  }
});

describe("weights", () => {
  const layer = (g: Graph, x: Value<"B C">) =>
    g.matmul(x, g.weight("weight", "C E", [4, 4], { kind: "normal", std: 1 }), "B C");
  const stack = (names: readonly string[]) =>
    buildGraph("stack", (g) => {
      let x = g.input("x", "B C", [1, 4]);
      for (const name of names) x = layer(g.at("blocks").at(name), x);
      return { y: x };
    });

  test("are named by scope", () => {
    expect([...stack(["0", "1"]).weights.keys()]).toEqual(["blocks.0.weight", "blocks.1.weight"]);
  });

  test("start from their name alone: a module more leaves the others as they were", () => {
    const [few, more] = [
      ["0", "1"],
      ["0", "new", "1"],
    ].map((n) => initialWeights(stack(n)));
    expect(few?.get("blocks.1.weight")).toEqual(more?.get("blocks.1.weight"));
    expect(few?.get("blocks.1.weight")).not.toEqual(few?.get("blocks.0.weight"));
    const other = initialWeights(stack(["0"]), { seed: 1 }).get("blocks.0.weight");
    expect(other).not.toEqual(few?.get("blocks.0.weight"));
  });

  test("asked for twice are one", () => {
    expect(stack(["0", "0"]).weights.size).toBe(1);
  });

  test("normal ones have their deviation and stay within two of them", () => {
    const graph = buildGraph("noise", (g) => ({
      y: g.unary("neg", g.weight("w", "N", [20000], { kind: "normal", std: 0.5 })),
    }));
    const values = initialWeights(graph).get("w") ?? new Float32Array();
    const variance = values.reduce((s, v) => s + v * v, 0) / values.length;
    expect(values.every((v) => Math.abs(v) <= 1)).toBe(true);
    // A normal cut at ±2σ has 0.7737 of its variance.
    expect(variance / (0.25 * 0.7737)).toBeCloseTo(1, 1);
  });
});

describe("functions", () => {
  const halve = (f: Graph, x: Value<"A">, by: number) =>
    f.call("halve", {}, [x], (g, [y]) => g.scale(y, by));

  test("are written once for equal bodies, and again where a body differs", async () => {
    const graph = buildGraph("calls", (g) => {
      const x = g.input("x", "A", [2]);
      return { y: halve(g, halve(g, halve(g, x, 0.5), 0.5), 0.25) };
    });
    expect([...graph.functions.keys()]).toEqual(["halve", "halve#2"]);
    const { y } = await runNative(graph, new Map(), { x: [16, -32] });
    expect([...(y ?? [])]).toEqual([1, -2]);
  });

  test("see nothing but their inputs", () => {
    const build = () =>
      buildGraph("leak", (g) => {
        const x = g.input("x", "A", [2]);
        return { y: g.call("leak", {}, [x], (f, [y]) => f.add(y, x)) };
      });
    expect(build).toThrow(/leak: a value must belong to the graph it is used in/);
  });

  test("have no weights of their own", () => {
    const build = () =>
      buildGraph("own", (g) => ({
        y: g.call("own", {}, [g.input("x", "A", [2])], (f, [y]) =>
          f.add(y, f.weight("w", "A", [2], { kind: "constant", value: 0 })),
        ),
      }));
    expect(build).toThrow(/own: the weights of a function must be among its inputs/);
  });
});

describe("sizes that do not fit", () => {
  const on = (write: (g: Graph, x: Value<"B C Y X">, t: Value<"B N C">) => Value) => () =>
    buildGraph("wrong", (g) => ({
      y: write(g, g.input("x", "B C Y X", [1, 4, 5, 6]), g.input("t", "B N C", [1, 7, 3])),
    }));
  const zeros = (g: Graph, layout: string, ...shape: readonly number[]) =>
    g.constant(layout, shape, new Float32Array(volume(shape)));

  test.each<readonly [RegExp, () => unknown]>([
    [/add: X is 6 in a .* but 5 in b/, on((g, x) => g.add(x, zeros(g, "X", 5)))],
    [
      /matmul: C is 3 in a .* but 4 in b/,
      on((g, _, t) => g.matmul(t, zeros(g, "C E", 4, 2), "B N E")),
    ],
    [
      /Conv: C must be 3 for 1 groups, received 4/,
      on((g, x) => g.conv(x, zeros(g, "O I Y X", 2, 3, 1, 1), undefined)),
    ],
    [
      /Conv: bias must be \[2\], received \[3\]/,
      on((g, x) => g.conv(x, zeros(g, "O I Y X", 2, 4, 1, 1), zeros(g, "O", 3))),
    ],
    [
      /Conv: the window must fit along Y/,
      on((g, x) => g.conv(x, zeros(g, "O I Y X", 2, 4, 7, 1), undefined)),
    ],
    [
      /rearrange: \(H D\) must divide by 2, received 3/,
      on((g, _, t) => g.rearrange(t, "B N (H D) -> B H N D", { H: 2 })),
    ],
    [
      /rearrange: the sizes of all but one of H, D/,
      on((g, _, t) => g.rearrange(t, "B N (H D) -> B H N D")),
    ],
    [/reshape: \[2 4\] must hold the 21 values/, on((g, _, t) => g.reshape(t, "A B", [2, 4]))],
    [
      /concat: N is 7 in .* but 2 in/,
      on((g, _, t) => g.concat([t, zeros(g, "B N C", 1, 2, 3) as typeof t], "C")),
    ],
    [/slice: N is 7, received \[5, 9\)/, on((g, _, t) => g.slice(t, "N", 5, 9))],
    [/no axis Z in \[B N C\]/, on((g, _, t) => g.reduce("sum", t, ["Z"]))],
    [
      /LayerNormalization: scale must have the 3 values/,
      on((g, _, t) => g.layerNorm(t, zeros(g, "C", 4), undefined, 1e-5)),
    ],
    [/TopK: k must be at most 3, received 4/, on((g, _, t) => g.topK(t, 4).values)],
    [/must have an axis for each of/, on((g, _, t) => g.rename(t, "B N"))],
    [
      /Equal: both operands must be of one type/,
      on((g, _, t) => g.binary("equal", t, g.cast(t, "int64"))),
    ],
  ])("are refused in one sentence: %s", (message, build) => {
    expect(build).toThrow(message);
  });
});

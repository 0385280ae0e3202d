/**
 * Gradients in ONNX Runtime against differences in double precision, along one direction in all weights and operands at
 * once; and that whatever is differentiated runs in both runtimes.
 */
import { describe, expect, test } from "vitest";
import {
  band,
  conditioned,
  cosine,
  decomposedBias,
  deformable,
  multiHead,
  OPERATORS,
  relativeBias,
  rotary,
  scaledDotProduct,
  volume,
} from "../../attention/index.ts";
import type { Graph, Mixer, Operator, Value } from "../../attention/index.ts";
import { buildGraph, cotangentName, gradientName, pullback } from "../../models/index.ts";
import { expectClose } from "../close.ts";
import { eager } from "../eager.ts";
import { numbers } from "../numbers.ts";
import { runNative, runWasm } from "../onnxruntime.ts";

/** A network whose operands are weights too, so that all of them can be moved alike. */
type Network = (g: Graph) => Value;

const ANY = { kind: "constant", value: 0 } as const;
const operand = <const L extends string>(g: Graph, name: string, layout: L, shape: number[]) =>
  g.weight(name, layout, shape, ANY);

/** Large enough for the digits of double precision, small enough for the difference to be the slope. */
const STEP = 1e-4;

async function expectSlope(network: Network): Promise<void> {
  const graph = buildGraph("network", (g) => ({ out: network(g) }));
  const seeds = new Map([...graph.weights.keys()].map((name, i) => [name, i + 11]));
  const shape = (name: string) => graph.values.get(name)?.shape ?? [];
  const start = (name: string) => {
    const { init } = graph.weights.get(name) ?? {};
    if (init instanceof Float32Array) return init;
    return numbers(volume(shape(name)), seeds.get(name) ?? 0).map((v) => v / 2);
  };
  const trained = [...graph.weights].flatMap(([name, { trainable }]) => (trainable ? [name] : []));
  const direction = new Map(
    trained.map((name) => [name, numbers(volume(shape(name)), (seeds.get(name) ?? 0) + 100)]),
  );
  const cotangent = numbers(volume(shape("out")), 5);

  const along = (by: number): number => {
    const { graph: g, doubles } = eager((name) => {
      const way = direction.get(name);
      return Float64Array.from(start(name), (v, i) => v + by * (way?.[i] ?? 0));
    });
    return doubles(network(g)).reduce((sum, v, i) => sum + v * (cotangent[i] ?? 0), 0);
  };
  const slope = (along(STEP) - along(-STEP)) / (2 * STEP);

  const pulled = pullback(graph, ["out"], trained);
  const weights = new Map([...graph.weights.keys()].map((name) => [name, start(name)]));
  const feeds = { [cotangentName("out")]: cotangent };
  const results = await runNative(pulled, weights, feeds);
  const terms = trained.flatMap((name) =>
    [...(results[gradientName(name)] ?? [])].map((d, i) => d * (direction.get(name)?.[i] ?? 0)),
  );
  const total = terms.reduce((a, b) => a + b, 0);
  const size = terms.reduce((a, b) => a + Math.abs(b), 0);
  expect(terms.length).toBe(trained.reduce((a, name) => a + volume(shape(name)), 0));
  expect(Math.abs(total - slope) / size).toBeLessThan(1e-5);

  const other = await runWasm(pulled, weights, feeds);
  for (const name of trained) {
    expectClose(other[gradientName(name)], results[gradientName(name)] ?? [], 2e-5, name);
  }
}

const grid = { rows: 4, columns: 4 };
const tokens = (g: Graph) => operand(g, "x", "B N C", [2, 16, 4]);
const heads = (g: Graph, sizes: readonly [N: number, M: number]) =>
  [
    operand(g, "q", "B H N D", [2, 2, sizes[0], 4]),
    operand(g, "k", "B H M D", [2, 2, sizes[1], 4]),
    operand(g, "v", "B H M E", [2, 2, sizes[1], 3]),
  ] as const;
const mixed =
  (mixer: Mixer): Network =>
  (g) =>
    mixer(g, tokens(g), grid);
const attend = (options: object = {}): Mixer =>
  multiHead(scaledDotProduct, { heads: 2, ...options });

function networkOf(operator: Operator): Network {
  switch (operator.kind) {
    case "core":
      return (g) => operator.make().lower(g, ...heads(g, operator.isSelf ? [6, 6] : [5, 6]));
    case "mixer":
      return mixed(operator.make());
    case "reach":
      return mixed(operator.wrap(attend()));
    case "near":
      return mixed(attend({ near: operator.make() }));
  }
}

describe("gradients", () => {
  test.each(Object.entries(OPERATORS))("of %s are its slope", (_name, operator) =>
    expectSlope(networkOf(operator)),
  );

  test.each([
    ["relative bias", attend({ place: relativeBias })],
    ["decomposed bias", attend({ place: decomposedBias })],
    ["rotary position", multiHead(scaledDotProduct, { heads: 1, rotate: rotary() })],
    ["grouped heads and head norms", attend({ keyHeads: 1, headNorm: "rms" })],
    ["a band of cosines", multiHead(cosine, { heads: 2, near: band({ before: 2, after: 1 }) })],
  ])("through %s are the slope", (_name, mixer) => expectSlope(mixed(mixer)));

  test.each(["zero output", "gate"] as const)("of conditioning by %s are its slope", (start) =>
    expectSlope((g) =>
      conditioned({ heads: 2, start })(g, tokens(g), operand(g, "context", "B M E", [2, 3, 5])),
    ),
  );

  test("of deformable attention are its slope", () =>
    expectSlope((g) =>
      deformable(
        g,
        tokens(g),
        operand(g, "places", "B N L F", [2, 16, 2, 2]),
        operand(g, "maps", "B M C", [2, 13, 4]),
        {
          heads: 2,
          points: 2,
          maps: [
            { rows: 3, columns: 3 },
            { rows: 2, columns: 2 },
          ],
        },
      ),
    ));
});

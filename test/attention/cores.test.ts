/** What must hold of every core in the table, whoever wrote it. */
import { test as prop } from "@fast-check/vitest";
import { describe, expect, test } from "vitest";
import { OPERATORS, tensor } from "../../attention/index.ts";
import type { CoreOperator, Pairs, Tensor } from "../../attention/index.ts";
import { buildGraph } from "../../models/index.ts";
import { expectClose } from "../close.ts";
import { runNative, runWasm } from "../onnxruntime.ts";
import { computing, coreSizes, drawnWeights, noise, someOf } from "./plain.ts";

const CORES = Object.entries(OPERATORS).filter(
  (entry): entry is [string, CoreOperator] => entry[1].kind === "core",
);

/** float32 sums of at most some hundred terms around 1. */
const CLOSE = 2e-5;

type Sizes = Parameters<Parameters<typeof coreSizes.map>[0]>[0];

/** Drawn operands of a core: masks of pairs leave some queries nothing to see. */
function operands(operator: CoreOperator, { B, H, N, D, E, seed, ...drawn }: Sizes) {
  const M = operator.isSelf ? N : drawn.M;
  const pairs = operator.masks === "pairs";
  return {
    q: noise("B H N D", [B, H, N, D], seed),
    k: noise("B H M D", [B, H, M, D], seed + 1),
    v: noise("B H M E", [B, H, M, E], seed + 2),
    mask: someOf("B H N M", pairs ? [B, 1, N, M] : [B, 1, 1, M], seed + 3),
    bias: pairs ? noise("B H N M", [1, H, N, M], seed + 4) : undefined,
  };
}

describe.each(CORES)("%s", (_name, operator) => {
  const core = operator.make();

  prop.prop([coreSizes], { numRuns: 20 })("lowers to its reference", (sizes) => {
    const { q, k, v, mask, bias } = operands(operator, sizes);
    const drawn = drawnWeights(sizes.seed);
    const { graph, put, read } = computing(drawn);
    const pairs: Pairs = { mask: put(mask, "bool"), bias: bias && put(bias) };
    const lowered = core.lower(graph, put(q), put(k), put(v), pairs);
    const weights = drawn.all.size > 0 ? drawn.weights : undefined;
    const wanted = core.reference(q, k, v, { mask, bias }, weights);
    expect(lowered.shape).toEqual(wanted.shape);
    expectClose(read(lowered).data, wanted.data, CLOSE);
  });

  prop.prop([coreSizes], { numRuns: 4 })("is the same in both ONNX Runtimes", async (sizes) => {
    const { q, k, v, mask, bias } = operands(operator, sizes);
    const drawn = drawnWeights(sizes.seed);
    const graph = buildGraph("core", (g) => {
      const [Q, K] = [g.input("q", "B H N D", q.shape), g.input("k", "B H M D", k.shape)];
      const pairs: Pairs = {
        mask: g.input("mask", "B H N M", mask.shape, "bool"),
        bias: bias && g.input("bias", "B H N M", bias.shape),
      };
      return { out: core.lower(g, Q, K, g.input("v", "B H M E", v.shape), pairs) };
    });
    const stored = new Map(
      [...graph.weights].map(([name, { init }]) => [
        name,
        init instanceof Float32Array ? init : drawn.give(name, graph.values.get(name)?.shape ?? []),
      ]),
    );
    const weights = drawn.all.size > 0 ? drawn.weights : undefined;
    const wanted = core.reference(q, k, v, { mask, bias }, weights);
    const feeds = {
      q: q.data,
      k: k.data,
      v: v.data,
      mask: mask.data,
      ...(bias && { bias: bias.data }),
    };
    expectClose((await runNative(graph, stored, feeds))["out"], wanted.data, CLOSE);
    expectClose((await runWasm(graph, stored, feeds))["out"], wanted.data, CLOSE);
  });

  prop.prop([coreSizes], { numRuns: 10 })("gives zeros where nothing may be seen", (sizes) => {
    const { q, k, v, mask } = operands(operator, sizes);
    const none = tensor("B H N M", mask.shape);
    const drawn = drawnWeights(sizes.seed);
    const { graph, put, read } = computing(drawn);
    const out = core.lower(graph, put(q), put(k), put(v), { mask: put(none, "bool") });
    expect(read(out).data.every((value) => value === 0)).toBe(true);
    const weights = drawn.all.size > 0 ? drawn.weights : undefined;
    const wanted = core.reference(q, k, v, { mask: none }, weights).data;
    expect(wanted.every((value) => value === 0)).toBe(true);
  });

  test("stays finite for queries sixty times as large", () => {
    const { q, k, v } = operands(operator, { B: 1, H: 2, N: 8, M: 8, D: 4, E: 4, seed: 7 });
    const large = tensor(
      "B H N D",
      q.shape,
      q.data.map((x) => 60 * x),
    );
    const { graph, put, read } = computing(drawnWeights(7));
    const out = read(core.lower(graph, put(large), put(k), put(v))).data;
    expect(out.every(Number.isFinite)).toBe(true);
  });

  test("names itself, the axis and both sizes when they disagree", () => {
    const { graph, put } = computing(drawnWeights(1));
    const [q, k] = [put(noise("B H N D", [1, 2, 4, 4], 1)), put(noise("B H M D", [1, 2, 4, 6], 2))];
    const v = put(noise("B H M E", [1, 2, 4, 3], 3));
    expect(() => core.lower(graph, q, k, v)).toThrow(
      `${core.name}: D is 4 in q but 6 in k [1 2 4 6]`,
    );
    const float = put(noise("B H N M", [1, 1, 1, 4], 4));
    const good = put(noise("B H M D", [1, 2, 4, 4], 2));
    expect(() => core.lower(graph, q, good, v, { mask: float })).toThrow(
      `${core.name}: mask must be bool, received float32`,
    );
    const long = put(noise("B H N M", [1, 1, 1, 5], 4), "bool");
    expect(() => core.lower(graph, q, good, v, { mask: long })).toThrow(
      `${core.name}: M is 4 in the scores but 5 in mask [1 1 1 5]`,
    );
  });
});

describe.each(CORES.filter(([, { isSelf }]) => isSelf !== true))("%s", (_name, operator) => {
  /** The keys in another order: each one place further. */
  const turn = <L extends string>(t: Tensor<L>): Tensor<L> => {
    const [, , M = 1, width = 1] = t.shape;
    const from = (i: number) => {
      const row = Math.floor(i / width);
      return (row - (row % M) + ((row + 1) % M)) * width + (i % width);
    };
    return tensor(
      t.layout,
      t.shape,
      t.data.map((_, i) => t.data[from(i)] ?? Number.NaN),
    );
  };

  prop.prop([coreSizes], { numRuns: 10 })("does not care about the order of keys", (sizes) => {
    const { q, k, v } = operands(operator, sizes);
    const { graph, put, read } = computing(drawnWeights(sizes.seed));
    const core = operator.make();
    const straight = core.lower(graph, put(q), put(k), put(v));
    const other = core.lower(graph, put(q), put(turn(k)), put(turn(v)));
    expectClose(read(other).data, read(straight).data, CLOSE);
  });
});

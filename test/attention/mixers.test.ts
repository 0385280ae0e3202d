/** What must hold of every mixer and every reach in the table, whoever wrote it. */
import { test as prop } from "@fast-check/vitest";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  multiHead,
  OPERATORS,
  REACH_SIZE,
  scaledDotProduct,
  tensor,
} from "../../attention/index.ts";
import type {
  MixerOperator,
  NearOperator,
  Operator,
  ReachOperator,
} from "../../attention/index.ts";
import { buildGraph } from "../../models/index.ts";
import { expectClose } from "../close.ts";
import { runNative, runWasm } from "../onnxruntime.ts";
import { computing, drawnWeights, noise, plainMultiHead, someOf } from "./plain.ts";

const of = <T extends Operator>(kind: T["kind"]) =>
  Object.entries(OPERATORS).filter((entry): entry is [string, T] => entry[1].kind === kind);

/** float32 sums of at most some hundred terms around 1. */
const CLOSE = 2e-5;

const gridSizes = fc.record({
  B: fc.integer({ min: 1, max: 2 }),
  rows: fc.integer({ min: 1, max: 6 }),
  columns: fc.integer({ min: 1, max: 6 }),
  C: fc.integer({ min: 1, max: 4 }),
  seed: fc.integer({ min: 0, max: 1000 }),
});

describe.each(of<MixerOperator>("mixer"))("%s", (_name, { make, reference }) => {
  prop.prop([gridSizes, fc.boolean()], { numRuns: 15 })(
    "lowers to its reference",
    ({ B, rows, columns, C, seed }, padded) => {
      const x = noise("B N C", [B, rows * columns, C], seed);
      const valid = padded ? someOf("B N", [B, rows * columns], seed + 1) : undefined;
      const drawn = drawnWeights(seed);
      const { graph, put, read } = computing(drawn);
      const lowered = make()(graph, put(x), { rows, columns, valid: valid && put(valid, "bool") });
      const wanted = reference(x, { rows, columns, ...(valid && { valid }) }, drawn.weights);
      expectClose(read(lowered).data, wanted.data, CLOSE);
    },
  );

  prop.prop([gridSizes], { numRuns: 4 })(
    "is the same in both ONNX Runtimes",
    async ({ B, rows, columns, C, seed }) => {
      const x = noise("B N C", [B, rows * columns, C], seed);
      const drawn = drawnWeights(seed);
      const graph = buildGraph("mixer", (g) => ({
        out: make()(g, g.input("x", "B N C", x.shape), { rows, columns }),
      }));
      const stored = new Map(
        [...graph.weights.keys()].map((name) => [
          name,
          drawn.give(name, graph.values.get(name)?.shape ?? []),
        ]),
      );
      const wanted = reference(x, { rows, columns }, drawn.weights).data;
      expectClose((await runNative(graph, stored, { x: x.data }))["out"], wanted, CLOSE);
      expectClose((await runWasm(graph, stored, { x: x.data }))["out"], wanted, CLOSE);
    },
  );

  prop.prop([gridSizes], { numRuns: 10 })(
    "reads nothing from padding",
    ({ B, rows, columns, C, seed }) => {
      const valid = someOf("B N", [B, rows * columns], seed + 1);
      const x = noise("B N C", [B, rows * columns, C], seed);
      const isPadding = (i: number) => valid.data[Math.floor(i / C)] === 0;
      const moved = x.data.map((v, i) => (isPadding(i) ? v + 5 : v));
      const { graph, put, read } = computing(drawnWeights(seed));
      const grid = { rows, columns, valid: put(valid, "bool") };
      const seen = (data: Float32Array) => {
        const out = read(make()(graph, put(tensor("B N C", x.shape, data)), grid)).data;
        return out.filter((_, i) => !isPadding(i));
      };
      expect(seen(moved)).toEqual(seen(x.data));
    },
  );
});

const windowSizes = fc.record({
  R: fc.integer({ min: 1, max: 3 }),
  W: fc.integer({ min: 1, max: 3 }),
  heads: fc.constantFrom(1, 2),
  seed: fc.integer({ min: 0, max: 1000 }),
});

describe.each(of<ReachOperator>("reach"))("%s", (_name, { wrap, sees }) => {
  prop.prop([windowSizes], { numRuns: 15 })("is attention under its mask", (sizes) => {
    const { R, W, heads, seed } = sizes;
    const grid = { rows: R * REACH_SIZE, columns: W * REACH_SIZE };
    const x = noise("B N C", [2, grid.rows * grid.columns, 4], seed);
    const drawn = drawnWeights(seed);
    const { graph, put, read } = computing(drawn);
    const mixed = wrap(multiHead(scaledDotProduct, { heads }))(graph, put(x), grid);
    const isSeen = (n: number, m: number) => sees(n, m, grid);
    const wanted = plainMultiHead(scaledDotProduct, heads, x, drawn.weights, isSeen);
    expectClose(read(mixed).data, wanted.data, CLOSE);
  });

  prop.prop([windowSizes, fc.nat()], { numRuns: 15 })(
    "a changed token changes those that see it, and no others",
    ({ R, W, heads, seed }, pick) => {
      const grid = { rows: R * REACH_SIZE, columns: W * REACH_SIZE };
      const N = grid.rows * grid.columns;
      const at = pick % N;
      const x = noise("B N C", [1, N, 4], seed);
      const moved = x.data.map((v, i) => (Math.floor(i / 4) === at ? v + 1 : v));
      const { graph, put, read } = computing(drawnWeights(seed));
      const mixer = wrap(multiHead(scaledDotProduct, { heads }));
      const mixed = (data: Float32Array) =>
        read(mixer(graph, put(tensor("B N C", x.shape, data)), grid)).data;
      const [before, after] = [mixed(x.data), mixed(moved)];
      const changes = Array.from({ length: N }, (_, n) =>
        [0, 1, 2, 3].some((c) => before[4 * n + c] !== after[4 * n + c]),
      );
      expect(changes).toEqual(Array.from({ length: N }, (_, n) => sees(n, at, grid)));
    },
  );
});

test.each([...of<MixerOperator>("mixer"), ...of<ReachOperator>("reach")])(
  "%s names the axis when tokens are not those of its grid",
  (name, operator) => {
    const { graph, put } = computing(drawnWeights(1));
    const x = put(noise("B N C", [1, 10, 4], 1));
    const mixer = "make" in operator ? operator.make() : operator.wrap((_, tokens) => tokens);
    expect(() => mixer(graph, x, { rows: 3, columns: 4 })).toThrow(
      `${name}: N is 10 in tokens but its grid is 3 × 4`,
    );
  },
);

describe.each(of<NearOperator>("near"))("%s", (_name, { make }) => {
  prop.prop([gridSizes, fc.boolean()], { numRuns: 25 })(
    "is the core under its full mask",
    ({ B, rows, columns, C, seed }, masked) => {
      const N = rows * columns;
      const core = make()(scaledDotProduct, { rows, columns });
      const q = noise("B H N D", [B, 2, N, C], seed);
      const k = noise("B H M D", [B, 2, N, C], seed + 1);
      const v = noise("B H M E", [B, 2, N, 3], seed + 2);
      const mask = masked ? someOf("B H N M", [B, 1, 1, N], seed + 3) : undefined;
      const bias = masked ? noise("B H N M", [1, 2, N, N], seed + 4) : undefined;
      const { graph, put, read } = computing(drawnWeights(seed));
      const pairs = { mask: mask && put(mask, "bool"), bias: bias && put(bias) };
      const lowered = core.lower(graph, put(q), put(k), put(v), pairs);
      const wanted = core.reference(q, k, v, { mask, bias });
      expectClose(read(lowered).data, wanted.data, CLOSE);
    },
  );
});

import { test as prop } from "@fast-check/vitest";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  causal,
  contextAnchor,
  lightning,
  linear,
  multiHead,
  multiHeadCross,
  neighbourhood,
  polynomial,
  scaledDotProduct,
  shifted,
  stripLength,
  tensor,
  windowed,
} from "../../attention/index.ts";
import { buildGraph, initialWeights } from "../../models/index.ts";
import { expectClose } from "../close.ts";
import { runNative } from "../onnxruntime.ts";
import { computing, drawnWeights, noise, plainMultiHead } from "./plain.ts";

const CLOSE = 2e-5;
const sizes = fc.record({
  B: fc.integer({ min: 1, max: 2 }),
  N: fc.integer({ min: 1, max: 8 }),
  heads: fc.constantFrom(1, 2, 4),
  seed: fc.nat(1000),
});

describe("multiHead", () => {
  prop.prop([sizes])("is the core between projections", ({ B, N, heads, seed }) => {
    const x = noise("B N C", [B, N, 8], seed);
    for (const core of [scaledDotProduct, linear]) {
      const drawn = drawnWeights(seed);
      const { graph, put, read } = computing(drawn);
      const mixed = multiHead(core, { heads })(graph, put(x), { rows: 1, columns: N });
      expectClose(read(mixed).data, plainMultiHead(core, heads, x, drawn.weights).data, CLOSE);
    }
  });

  prop.prop([sizes])("packs the rows of queries, keys and values", ({ B, N, heads, seed }) => {
    const x = noise("B N C", [B, N, 8], seed);
    const grid = { rows: 1, columns: N };
    const drawn = drawnWeights(seed);
    const apart = computing(drawn);
    const wanted = multiHead(scaledDotProduct, { heads })(apart.graph, apart.put(x), grid);
    const stacked = (kind: string) =>
      Float32Array.from(["q", "k", "v"].flatMap((p) => [...drawn.weights(`${p}.${kind}`).data]));
    const give = (name: string, shape: readonly number[]) =>
      name.startsWith("qkv.") ? stacked(name.slice(4)) : drawn.give(name, shape);
    const { graph, put, read } = computing({ ...drawn, give });
    const packed = multiHead(scaledDotProduct, { heads, projections: "packed" });
    expectClose(read(packed(graph, put(x), grid)).data, apart.read(wanted).data, CLOSE);
  });

  prop.prop([sizes])("permuting tokens permutes results", ({ B, N, heads, seed }) => {
    const x = noise("B N C", [B, N, 8], seed);
    const back = (data: Float32Array) =>
      data.map((_, i) => {
        const [c, n, b] = [i % 8, Math.floor(i / 8) % N, Math.floor(i / 8 / N)];
        return data[(b * N + (N - 1 - n)) * 8 + c] ?? Number.NaN;
      });
    const { graph, put, read } = computing(drawnWeights(seed));
    const mixed = (data: Float32Array) => {
      const tokens = put(tensor("B N C", x.shape, data));
      return read(multiHead(scaledDotProduct, { heads })(graph, tokens, { rows: 1, columns: N }))
        .data;
    };
    expectClose(mixed(back(x.data)), back(mixed(x.data)), CLOSE);
  });

  test("lets neighbouring heads of queries share one head of keys", () => {
    const x = noise("B N C", [1, 5, 8], 4);
    const drawn = drawnWeights(4);
    const { graph, put, read } = computing(drawn);
    const grid = { rows: 1, columns: 5 };
    const shared = multiHead(scaledDotProduct, { heads: 4, keyHeads: 2 })(graph, put(x), grid);
    // The same as heads of their own whose keys and values are those of their group.
    const rows = (name: string) => {
      const { data, shape } = drawn.weights(name);
      const each = (data.length / (shape[0] ?? 1)) * 2;
      const group = (h: number) => [...data.subarray(h * each, (h + 1) * each)];
      return Float32Array.from([0, 0, 1, 1].flatMap(group));
    };
    const give = (name: string, shape: readonly number[]) =>
      /^[kv]\./.test(name) ? rows(name) : drawn.give(name, shape);
    const own = computing({ ...drawn, give });
    const wanted = multiHead(scaledDotProduct, { heads: 4 })(own.graph, own.put(x), grid);
    expectClose(read(shared).data, own.read(wanted).data, CLOSE);
  });

  test("lets the last query see all keys when there are more of them", () => {
    const { graph, read } = computing(drawnWeights(1));
    expect([...read(causal(graph, 2, 4)).data]).toEqual([1, 1, 1, 0, 1, 1, 1, 1]);
  });

  test("says what does not divide", () => {
    const { graph, put } = computing(drawnWeights(1));
    const x = put(noise("B N C", [1, 4, 6], 1));
    const grid = { rows: 2, columns: 2 };
    expect(() => multiHead(scaledDotProduct, { heads: 4 })(graph, x, grid)).toThrow(
      "multiHead: C must be a multiple of 4, received 6",
    );
    expect(() => multiHead(scaledDotProduct, { heads: 3, keyHeads: 2 })(graph, x, grid)).toThrow(
      "multiHead: heads must be a multiple of 2, received 3",
    );
    const cross = multiHeadCross(scaledDotProduct, { heads: 2 });
    const keys = put(noise("B M E", [2, 3, 5], 2));
    expect(() => cross(graph, x, keys)).toThrow(
      "multiHead: B is 1 in queries but 2 in keys [2 3 5]",
    );
  });
});

describe("lightning", () => {
  prop.prop([fc.constantFrom(63, 65, 130), fc.constantFrom("past" as const, "both" as const)], {
    numRuns: 4,
  })("joins blocks without a seam", (N, sees) => {
    const [q, k, v] = [
      noise("B H N D", [1, 2, N, 4], 1),
      noise("B H M D", [1, 2, N, 4], 2),
      noise("B H M E", [1, 2, N, 3], 3),
    ];
    const core = lightning({ sees, slopes: [0.03, 0.4] });
    const { graph, put, read } = computing(drawnWeights(1));
    const lowered = read(core.lower(graph, put(q), put(k), put(v)));
    expectClose(lowered.data, core.reference(q, k, v).data, CLOSE);
  });
});

describe("reaches", () => {
  const grid = { rows: 5, columns: 7 };
  const x = noise("B N C", [1, 35, 4], 8);
  const mixer = multiHead(scaledDotProduct, { heads: 2 });

  test("both orders of padding and rolling agree where windows divide the grid, and differ elsewhere", () => {
    const { graph, put, read } = computing(drawnWeights(1));
    const mixed = (order: "pad first" | "roll first", rows: number, columns: number) => {
      const tokens = put(noise("B N C", [1, rows * columns, 4], 8));
      return read(shifted(mixer, { size: 4, order })(graph, tokens, { rows, columns })).data;
    };
    expect(mixed("pad first", 8, 4)).toEqual(mixed("roll first", 8, 4));
    expect(mixed("pad first", 5, 7)).not.toEqual(mixed("roll first", 5, 7));
  });

  test("hidden padding is not attended, seen padding is", () => {
    const { graph, put, read } = computing(drawnWeights(1));
    const mixed = (padding: "seen" | "hidden") =>
      read(windowed(mixer, { size: 4, padding })(graph, put(x), grid)).data;
    const [seen, hidden] = [mixed("seen"), mixed("hidden")];
    expect([...seen.subarray(0, 16)]).toEqual([...hidden.subarray(0, 16)]); // a whole window
    expect([...seen.subarray(4 * 34)]).not.toEqual([...hidden.subarray(4 * 34)]); // the lower right
  });

  test("a neighbourhood moved inside always holds size × size keys", () => {
    const near = neighbourhood({ size: 3, rim: "moved" });
    const core = near(scaledDotProduct, grid);
    const [q, k, v] = [
      noise("B H N D", [1, 1, 35, 4], 1),
      noise("B H M D", [1, 1, 35, 4], 2),
      noise("B H M E", [1, 1, 35, 4], 3),
    ];
    const { graph, put, read } = computing(drawnWeights(1));
    const lowered = read(core.lower(graph, put(q), put(k), put(v)));
    expectClose(lowered.data, core.reference(q, k, v).data, CLOSE);
  });

  test("a reach refuses pairs of the whole grid", () => {
    const { graph, put } = computing(drawnWeights(1));
    const pairing = { mask: put(tensor("B H N M", [1, 1, 35, 35]), "bool") };
    expect(() => windowed(mixer, { size: 5 })(graph, put(x), { ...grid, pairing })).toThrow(
      "windowed: takes whole grids, received one with a mask or bias of pairs",
    );
  });
});

describe("contextAnchor", () => {
  test("grows its strips by two a block", () => {
    expect([0, 1, 19].map(stripLength)).toEqual([11, 13, 49]);
  });

  test.each(["none", "batch"] as const)("with norm %s starts open when asked to", async (norm) => {
    const graph = buildGraph("open", (g) => ({
      out: contextAnchor({ norm, start: "open" })(g, g.input("x", "B N C", [1, 20, 4]), {
        rows: 4,
        columns: 5,
      }),
    }));
    const x = noise("B N C", [1, 20, 4], 5).data;
    const out = (await runNative(graph, initialWeights(graph), { x }))["out"] ?? new Float32Array();
    expect(out.every((v, i) => Math.abs(v - (x[i] ?? 0)) <= 0.021 * Math.abs(x[i] ?? 0))).toBe(
      true,
    );
  });

  test("says that strips are odd", () => {
    const { graph, put } = computing(drawnWeights(1));
    const tokens = put(noise("B N C", [1, 4, 2], 1));
    expect(() => contextAnchor({ length: 4 })(graph, tokens, { rows: 2, columns: 2 })).toThrow(
      "contextAnchor: length must be odd, received 4",
    );
  });
});

describe("polynomial", () => {
  test("stops at a lower degree with the weights of a higher one", () => {
    const x = noise("B N C", [1, 20, 4], 5);
    const drawn = drawnWeights(5);
    const at = (degree: number, stopAt = degree) => {
      const { graph, put, read } = computing(drawn);
      const grid = { rows: 4, columns: 5 };
      return read(polynomial({ degree, size: 3, stopAt })(graph, put(x), grid)).data;
    };
    expect(at(4, 2)).toEqual(at(2));
    expect(at(4, 3)).toEqual(at(3));
    expect(() => at(2, 3)).toThrow("polynomial: stopAt must be in 1 … 2, received 3");
  });
});

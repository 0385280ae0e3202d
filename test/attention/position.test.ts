import { test as prop } from "@fast-check/vitest";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  decomposedBias,
  reader,
  relativeBias,
  relativeIndex,
  resampleTable,
  rotary,
  rotaryReference,
  sinCos,
  sum,
} from "../../attention/index.ts";
import { expectClose } from "../close.ts";
import { computing, drawnWeights, noise } from "./plain.ts";

const grids = fc.record({
  rows: fc.integer({ min: 1, max: 5 }),
  columns: fc.integer({ min: 1, max: 5 }),
  seed: fc.nat(1000),
});

describe("relativeBias", () => {
  prop.prop([grids])("gives pairs at the same offset the same bias", ({ rows, columns, seed }) => {
    const N = rows * columns;
    const drawn = drawnWeights(seed);
    const { graph, put, read } = computing(drawn);
    const q = put(noise("B H N D", [1, 2, N, 4], seed));
    const bias = reader(read(relativeBias(graph, q, { rows, columns })));
    const table = reader(drawn.weights("relative_position_bias_table"));
    const index = relativeIndex({ rows, columns });
    for (let n = 0; n < N; n++) {
      for (let m = 0; m < N; m++) {
        for (const h of [0, 1]) expect(bias(0, h, n, m)).toBe(table(Number(index[n * N + m]), h));
      }
    }
    expect(new Set(index).size).toBe((2 * rows - 1) * (2 * columns - 1));
  });
});

describe("decomposedBias", () => {
  prop.prop([grids])("is the sum over both directions", ({ rows, columns, seed }) => {
    const N = rows * columns;
    const drawn = drawnWeights(seed);
    const { graph, put, read } = computing(drawn);
    const q = noise("B H N D", [2, 2, N, 3], seed);
    const bias = read(decomposedBias(graph, put(q), { rows, columns }));
    const [Q, R, S] = [q, drawn.weights("rel_pos_h"), drawn.weights("rel_pos_w")].map((t) =>
      reader(t),
    );
    const got = reader(bias);
    for (let n = 0; n < N; n++) {
      for (let m = 0; m < N; m++) {
        const dy = Math.floor(n / columns) - Math.floor(m / columns) + rows - 1;
        const dx = (n % columns) - (m % columns) + columns - 1;
        const wanted = sum(
          3,
          (d) => (Q?.(1, 1, n, d) ?? 0) * ((R?.(dy, d) ?? 0) + (S?.(dx, d) ?? 0)),
        );
        expect(got(1, 1, n, m)).toBeCloseTo(wanted, 5);
      }
    }
  });
});

describe("rotary", () => {
  const options = fc.record({
    axes: fc.constantFrom(1 as const, 2 as const),
    pairs: fc.constantFrom("neighbours" as const, "halves" as const),
  });

  prop.prop([grids, options])("lowers to its reference", ({ rows, columns, seed }, given) => {
    const { graph, put, read } = computing(drawnWeights(seed));
    const heads = noise("B H N D", [2, 2, rows * columns, 8], seed);
    const turned = read(rotary(given)(graph, put(heads), { rows, columns }));
    expectClose(turned.data, rotaryReference(heads, { rows, columns }, given).data, 1e-6);
  });

  prop.prop([grids, options])(
    "makes products depend on the difference of places",
    (grid, given) => {
      const rows = grid.rows + 1;
      const columns = given.axes === 1 ? 1 : grid.columns + 1;
      const [q, k] = [noise("B H N D", [1, 1, 1, 8], grid.seed), noise("B H N D", [1, 1, 1, 8], 5)];
      const everywhere = (one: typeof q) => {
        const data = Float32Array.from(
          { length: rows * columns * 8 },
          (_, i) => one.data[i % 8] ?? 0,
        );
        const all = { ...one, shape: [1, 1, rows * columns, 8], data };
        return reader(rotaryReference(all, { rows, columns }, given));
      };
      const [Q, K] = [everywhere(q), everywhere(k)];
      const product = (n: number, m: number) => sum(8, (d) => Q(0, 0, n, d) * K(0, 0, m, d));
      // One row further for both: the same difference.
      expect(product(columns, 0)).toBeCloseTo(
        product((rows - 1) * columns, (rows - 2) * columns),
        4,
      );
    },
  );
});

describe("sinCos", () => {
  test("starts at sine 0, cosine 1, and slows by the temperature", () => {
    const { data } = sinCos({ rows: 2, columns: 2 }, 8, { temperature: 100 });
    expect([...data.subarray(0, 8)]).toEqual([0, 0, 1, 1, 0, 0, 1, 1]);
    const last = data.subarray(24);
    const wanted = [1, 0.1].map((a) => [Math.sin(a), Math.cos(a)] as const);
    const quarter = wanted.flatMap(([sine]) => sine).concat(wanted.flatMap(([, cosine]) => cosine));
    expectClose(last, [...quarter, ...quarter], 1e-6);
  });

  test("needs a quarter of the channels for each part", () => {
    expect(() => sinCos({ rows: 1, columns: 1 }, 6)).toThrow(
      "sinCos: channels must be a multiple of 4, received 6",
    );
  });
});

describe("resampleTable", () => {
  test("keeps leading tokens, and the table itself where the grid stays", () => {
    const { graph, put, read } = computing(drawnWeights(1));
    const table = noise("B N C", [1, 1 + 9, 2], 3);
    const from = { rows: 3, columns: 3 };
    const given = put(table);
    expect(resampleTable(graph, given, from, from, { prefix: 1 })).toBe(given);
    const larger = read(resampleTable(graph, given, from, { rows: 4, columns: 5 }, { prefix: 1 }));
    expect(larger.shape).toEqual([1, 21, 2]);
    expect([...larger.data.subarray(0, 2)]).toEqual([...table.data.subarray(0, 2)]);
  });

  test("says when the table is of another grid", () => {
    const { graph, put } = computing(drawnWeights(1));
    const table = put(noise("B N C", [1, 10, 2], 3));
    const [from, to] = [
      { rows: 3, columns: 4 },
      { rows: 2, columns: 2 },
    ];
    expect(() => resampleTable(graph, table, from, to)).toThrow(
      "resampleTable: N is 12 on its grid but 10 in table",
    );
  });
});

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { EngineTensor, Feeds, Session } from "../../../pipeline/index.ts";
import { shareSession } from "../../../pipeline/index.ts";

/** A session that doubles its rows and remembers how many it saw in each run. */
function doubling(options: { readonly open?: boolean; readonly joinsRows?: boolean } = {}) {
  const { open = true, joinsRows = true } = options;
  const runs: number[] = [];
  let underWay = 0;
  const session: Session = {
    inputs: [{ name: "x", type: "float32", dims: [open ? undefined : 1, 2] }],
    outputs: [{ name: "y", type: "float32", dims: [undefined, 2] }],
    run: async ({ x }) => {
      expect(underWay++).toBeLessThan(2); // one at work, one to go on with
      await new Promise((resolve) => setTimeout(resolve, 1));
      underWay--;
      const rows = x?.dims[0] ?? 0;
      runs.push(rows);
      const data = Float32Array.from((x?.data ?? []) as Float32Array, (value) => 2 * value);
      if (data.includes(-2)) throw new RangeError("minus one");
      return { y: { type: "float32", dims: joinsRows ? [rows, 2] : [2 * rows], data } };
    },
    [Symbol.asyncDispose]: async () => {},
  };
  return { session, runs };
}

const row = (...values: readonly number[]): Feeds => ({
  x: { type: "float32", dims: [values.length / 2, 2], data: Float32Array.from(values) },
});
const valuesOf = (feeds: Feeds): readonly number[] => [
  ...((feeds["y"] as EngineTensor).data as Float32Array),
];

describe("shareSession", () => {
  test("callers get what they would get alone, and share runs", async () => {
    const sizes = fc.array(fc.integer({ min: 1, max: 4 }), { minLength: 2, maxLength: 12 });
    await fc.assert(
      fc.asyncProperty(sizes, async (rows) => {
        const { session, runs } = doubling();
        const shared = shareSession(session);
        shared.allow(6);
        const asked = rows.map((count, i) =>
          Array.from({ length: 2 * count }, (_, j) => 100 * i + j),
        );
        const found = await Promise.all(asked.map((values) => shared.together.run(row(...values))));
        expect(found.map(valuesOf)).toEqual(asked.map((values) => values.map((v) => 2 * v)));
        expect(Math.max(...runs)).toBeLessThanOrEqual(6);
        expect(runs.reduce((a, b) => a + b, 0)).toBe(rows.reduce((a, b) => a + b, 0));
      }),
      { numRuns: 20, seed: 5 },
    );
    const { session, runs } = doubling();
    const shared = shareSession(session);
    shared.allow(8);
    await Promise.all(Array.from({ length: 8 }, () => shared.together.run(row(1, 2))));
    expect(runs.length).toBeLessThan(8);
  });

  test("runs are never joined alone, before it is allowed, or where the batch is fixed", async () => {
    const askThrice = async (open: boolean, allow: number, face: "alone" | "together") => {
      const { session, runs } = doubling({ open });
      const shared = shareSession(session);
      shared.allow(allow);
      await Promise.all([1, 2, 3].map((i) => shared[face].run(row(i, i))));
      return runs;
    };
    expect(await askThrice(true, 8, "alone")).toEqual([1, 1, 1]);
    expect(await askThrice(true, 1, "together")).toEqual([1, 1, 1]);
    expect(await askThrice(false, 8, "together")).toEqual([1, 1, 1]);
  });

  test("a caller at fault is told, and nobody else", async () => {
    const { session } = doubling();
    const shared = shareSession(session);
    shared.allow(8);
    const runs = [row(1, 1), row(-1, 0), row(3, 3)].map((feeds) => shared.together.run(feeds));
    const [a, b, c] = await Promise.allSettled(runs);
    expect([a?.status, b?.status, c?.status]).toEqual(["fulfilled", "rejected", "fulfilled"]);
    expect(c?.status === "fulfilled" ? valuesOf(c.value) : []).toEqual([6, 6]);
  });

  test("outputs that cannot be parted are asked for one by one", async () => {
    const { session } = doubling({ joinsRows: false });
    const shared = shareSession(session);
    shared.allow(8);
    const found = await Promise.all(
      [row(1, 2), row(3, 4)].map((feeds) => shared.together.run(feeds)),
    );
    expect(found.map(valuesOf)).toEqual([[2, 4], [6, 8]]); // prettier-ignore
  });

  test("a caller that went away while it waited is not run", async () => {
    const { session, runs } = doubling();
    const shared = shareSession(session);
    const leave = new AbortController();
    const first = shared.together.run(row(1, 1));
    const second = shared.together.run(row(2, 2), { signal: leave.signal });
    leave.abort(new RangeError("gone"));
    await expect(second).rejects.toThrow("gone");
    await first;
    expect(runs).toEqual([1]);
  });
});

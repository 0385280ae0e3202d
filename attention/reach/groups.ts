/**
 * A core over some of the keys: queries are taken in groups, a group is given the keys that any of its queries
 * may see, and a mask says which. The result is that of the full mask, at the cost of the groups.
 */
import type { Graph, Value } from "../graph.ts";
import type { Core } from "../operator.ts";
import { both } from "../pairing.ts";
import { bind, ShapeError } from "../shape.ts";
import { computed, reader } from "../tensor.ts";

/** Which keys a query sees, and how to visit the queries. */
export interface Near {
  readonly name: string;
  readonly sees: (n: number, m: number) => boolean;
  /** Every query in one group, every key it sees among the keys of its group. */
  readonly groups: readonly {
    readonly queries: readonly number[];
    readonly keys: readonly number[];
  }[];
}

/** Lets `core` see what is near, group by group. */
export function inGroups(core: Core, near: Near): Core {
  return {
    ...core,

    reference(q, k, v, pairing = {}, weights) {
      const { N, M } = bind(near.name, { q, k });
      const given = pairing.mask ? reader(pairing.mask) : () => 1;
      const [B = 1, H = 1] = pairing.mask?.shape ?? [];
      const mask = computed("B H N M", [B, H, N, M], (b, h, n, m) =>
        near.sees(n, m) ? given(b, h, n, m) : 0,
      );
      return core.reference(q, k, v, { ...pairing, mask }, weights);
    },

    lower(g, q, k, v, pairing = {}) {
      const { B, N, M } = bind(near.name, { q, k, v });
      const classes = bySize(near);
      const tables = classes.map((groups) => tabulate(groups, near.sees));
      const parts = tables.map((table) => {
        const { T } = table;
        const queries = grouped(g, q, "N", table.queries, T);
        const keys = g.rename(grouped(g, k, "M", table.keys, T), "B H M D");
        const values = g.rename(grouped(g, v, "M", table.keys, T), "B H M E");
        const own = {
          mask: pairing.mask && groupedPairs(g, pairing.mask, table, B),
          bias: pairing.bias && groupedPairs(g, pairing.bias, table, B),
        };
        const pairs = both(g, { mask: groupMask(g, table, B) }, own);
        const mixed = core.lower(g, queries, keys, values, pairs);
        return g.rearrange(mixed, "(B T) H N E -> B H (T N) E", { T });
      });
      const back = places(near.name, classes, tables, [N, M]);
      return g.gather(g.concat(parts, "TN"), "TN", g.constant("N", [N], back), "B H N E");
    },
  };
}

type Groups = Near["groups"];

/** Groups that need as many keys as each other, so that a long one does not make the others long. */
function bySize({ groups }: Near): readonly Groups[] {
  const classes = new Map<number, Groups[number][]>();
  // The rim of a map needs a few keys less than its middle: sizes count in steps of half.
  const step = ({ keys }: Groups[number]) => Math.ceil(2 * Math.log2(Math.max(keys.length, 1)));
  for (const group of groups) {
    const known = classes.get(step(group)) ?? [];
    classes.set(step(group), [...known, group]);
  }
  return [...classes.values()];
}

/** Groups of one length: where queries and keys are. */
interface Table {
  readonly T: number;
  readonly each: { readonly N: number; readonly M: number };
  readonly queries: BigInt64Array<ArrayBuffer>;
  readonly keys: BigInt64Array<ArrayBuffer>;
  readonly mask: Uint8Array<ArrayBuffer>;
}

/** Where each query's answer is among those of all groups. */
function places(
  name: string,
  classes: readonly Groups[],
  tables: readonly Table[],
  [N, M]: readonly [N: number, M: number],
): BigInt64Array<ArrayBuffer> {
  const back = new Map<number, number>();
  let from = 0;
  for (const [i, groups] of classes.entries()) {
    const each = tables[i]?.each.N ?? 0;
    for (const { queries } of groups) {
      for (const [j, query] of queries.entries()) back.set(query, from + j);
      from += each;
    }
  }
  const most = classes.flat().reduce((a, { keys }) => keys.reduce((b, m) => Math.max(b, m), a), 0);
  if (back.size !== N || most >= M) {
    throw new ShapeError(
      `${name}: N is ${N} in q and M ${M} in k, but its grid has ${back.size} places`,
    );
  }
  return BigInt64Array.from({ length: N }, (_, n) => BigInt(back.get(n) ?? 0));
}

/** The mask of every group, for all images. */
function groupMask(g: Graph, { T, each: { N, M }, mask }: Table, B: number): Value<"B H N M"> {
  const one = g.constant("B T H N M", [1, T, 1, N, M], mask);
  return g.reshape(g.expand(one, "B T H N M", [B, T, 1, N, M]), "B H N M", [B * T, 1, N, M]);
}

/** Fills short groups up: queries with repeats that nobody reads, keys with repeats that are hidden. */
function tabulate(groups: Groups, sees: Near["sees"]): Table {
  const [n, m] = [most(groups.map((t) => t.queries)), most(groups.map((t) => t.keys))];
  const T = groups.length;
  const table = {
    T,
    each: { N: n, M: m },
    queries: new BigInt64Array(T * n),
    keys: new BigInt64Array(T * m),
    mask: new Uint8Array(T * n * m),
  };
  for (const [t, { queries, keys }] of groups.entries()) {
    for (let i = 0; i < n; i++) table.queries[t * n + i] = BigInt(queries[i] ?? queries[0] ?? 0);
    for (let j = 0; j < m; j++) table.keys[t * m + j] = BigInt(keys[j] ?? keys[0] ?? 0);
    for (const [i, query] of queries.entries()) {
      for (const [j, key] of keys.entries())
        table.mask[(t * n + i) * m + j] = sees(query, key) ? 1 : 0;
    }
  }
  return table;
}

const most = (lists: readonly (readonly number[])[]): number =>
  lists.reduce((a, list) => Math.max(a, list.length), 0);

/** The groups of one operand, laid into the batch. */
function grouped<const A extends string>(
  g: Graph,
  x: Value,
  axis: A,
  at: BigInt64Array<ArrayBuffer>,
  T: number,
): Value<"B H N D"> {
  const picked = g.gather(x, axis, g.constant("I", [at.length], at), "B H I D");
  return g.rename(g.rearrange(picked, "B H (T N) D -> (B T) H N D", { T }), "B H N D");
}

/** The same of a mask or bias, whose axes may have length 1. */
function groupedPairs(
  g: Graph,
  x: Value<"B H N M">,
  { T, each: { N, M }, queries, keys }: Table,
  B: number,
): Value<"B H N M"> {
  const [b = 1, H = 1, n = 1, m = 1] = x.shape;
  const place = (t: number, i: number, j: number) =>
    (n === 1 ? 0 : Number(queries[t * N + i])) * m + (m === 1 ? 0 : Number(keys[t * M + j]));
  const at = BigInt64Array.from({ length: T * N * M }, (_, o) =>
    BigInt(place(Math.floor(o / N / M), Math.floor(o / M) % N, o % M)),
  );
  const flat = g.reshape(x, "B H I", [b, H, n * m]);
  const picked = g.gather(flat, "I", g.constant("I", [at.length], at), "B H I");
  const apart = g.rearrange(picked, "B H (T N M) -> B T H N M", { T, N });
  const every = g.expand(apart, "B T H N M", [B, T, H, N, M]);
  return g.reshape(every, "B H N M", [B * T, H, N, M]);
}

/** The whole numbers of `[from, to)`. */
export const range = (from: number, to: number): number[] =>
  Array.from({ length: to - from }, (_, i) => from + i);

/** `[0, length)` in pieces of `size`, the last one maybe shorter. */
export const ranges = (length: number, size: number): [from: number, to: number][] =>
  Array.from({ length: Math.ceil(length / size) }, (_, i) => [
    i * size,
    Math.min(length, (i + 1) * size),
  ]);

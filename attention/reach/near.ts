/**
 * Sliding windows: every query sees the keys near it, its own window around itself.
 *
 * Both are computed in groups (`groups.ts`), so that cost is linear in N.
 *
 * `band` slides along the order of tokens and, over a map, cuts across its rows; `neighbourhood` is the square
 * around a place. Beltagy et al., "Longformer", 2020, §3.1. arXiv:2004.05150; Hassani et al., "Neighborhood
 * Attention Transformer", 2023. arXiv:2204.07143
 */
import type { Near } from "../operator.ts";
import { ShapeError } from "../shape.ts";
import { inGroups, range, ranges } from "./groups.ts";

export interface BandOptions {
  /** Keys seen before a query, the query's own place not counted. */
  readonly before: number;
  /** Keys seen after it. */
  readonly after: number;
}

/**
 * A window along the order of the tokens, both ends inclusive: `before + 1 + after` keys.
 */
export function band({ before, after }: BandOptions): Near {
  return (core, { rows, columns }) => {
    const N = rows * columns;
    const length = Math.min(N, Math.max(16, before + after + 1));
    const groups = ranges(N, length).map(([from, to]) => ({
      queries: range(from, to),
      keys: range(Math.max(0, from - before), Math.min(N, to + after)),
    }));
    const sees = (n: number, m: number) => m >= n - before && m <= n + after;
    return inGroups(core, { name: "band", sees, groups });
  };
}

export interface NeighbourhoodOptions {
  /** Side of the square, odd. */
  readonly size: number;
  /** At the rim of the map: a smaller square, or one moved inside (as NATTEN has it). @default "smaller" */
  readonly rim?: "smaller" | "moved";
}

/** The `size × size` square of keys around a query's place on the grid. */
export function neighbourhood({ size, rim = "smaller" }: NeighbourhoodOptions): Near {
  if (size % 2 !== 1) {
    throw new ShapeError(`neighbourhood: size must be odd, received ${size}`);
  }
  return (core, { rows, columns }) => {
    const span = (at: number, length: number): readonly [number, number] => {
      const half = (size - 1) / 2;
      if (rim === "smaller") return [Math.max(0, at - half), Math.min(length, at + half + 1)];
      const from = Math.max(0, Math.min(at - half, length - size));
      return [from, Math.min(length, from + size)];
    };
    const isIn = (at: number, [from, to]: readonly [number, number]) => at >= from && at < to;
    const sees = (n: number, m: number) =>
      isIn(Math.floor(m / columns), span(Math.floor(n / columns), rows)) &&
      isIn(m % columns, span(n % columns, columns));
    const hull = ([from, to]: readonly [number, number], length: number) =>
      range(span(from, length)[0], span(to - 1, length)[1]);
    const places = (ys: readonly number[], xs: readonly number[]) =>
      ys.flatMap((y) => xs.map((x) => y * columns + x));
    const groups = ranges(rows, Math.min(rows, size)).flatMap((ys) =>
      ranges(columns, Math.min(columns, size)).map((xs) => ({
        queries: places(range(...ys), range(...xs)),
        keys: places(hull(ys, rows), hull(xs, columns)),
      })),
    );
    return inGroups(core, { name: "neighbourhood", sees, groups });
  };
}

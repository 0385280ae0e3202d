/**
 * BigBird: every block of tokens sees its neighbours, the first and last block, and some random ones; the first and last
 * block see and are seen by all. A block that is chosen twice counts once (the published kernel counts it twice).
 *
 * Zaheer et al., "Big Bird", 2020, §2 and appendix D. arXiv:2007.14062
 */
import type { Near } from "../operator.ts";
import { shareOf } from "../projection.ts";
import { inGroups, range } from "./groups.ts";

export interface BigBirdOptions {
  /** Tokens of a block; divides N. */
  readonly block: number;
  /** For every block but the first and the last, the random ones that it sees. */
  readonly random: readonly (readonly number[])[];
}

export function bigBird({ block, random }: BigBirdOptions): Near {
  return (core, { rows, columns }) => {
    const blocks = shareOf("bigBird", "N", rows * columns, block);
    const last = blocks - 1;
    const seenBy = (i: number): number[] => {
      if (i === 0 || i === last) return range(0, blocks);
      const all = new Set([0, last, i - 1, i, i + 1, ...(random[i - 1] ?? [])]);
      return [...all].toSorted((a, b) => a - b);
    };
    const seen = range(0, blocks).map((i) => new Set(seenBy(i)));
    const tokens = (i: number) => range(i * block, (i + 1) * block);
    return inGroups(core, {
      name: "bigBird",
      sees: (n, m) => seen[Math.floor(n / block)]?.has(Math.floor(m / block)) ?? false,
      groups: range(0, blocks).map((i) => ({
        queries: tokens(i),
        keys: seenBy(i).flatMap(tokens),
      })),
    });
  };
}

/** Random choices out of one seed. */
import { NORMAL, stream } from "./noise.ts";

export interface Dice {
  /** Uniform in 0…1. */
  readonly next: () => number;
  readonly between: (from: number, to: number) => number;
  readonly chance: (share: number) => boolean;
  /** One of the items, all alike. */
  readonly pick: <T>(items: readonly [T, ...T[]]) => T;
  /** Of mean 0 and deviation 1. */
  readonly normal: () => number;
}

export function diceOf(seed: number): Dice {
  const next = stream(seed, 17, 71);
  return {
    next,
    between: (from, to) => from + next() * (to - from),
    chance: (share) => next() < share,
    pick: (items) => items[Math.floor(next() * items.length)] ?? items[0],
    normal: () => NORMAL[Math.floor(next() * NORMAL.length)] ?? 0,
  };
}

/** One of the items, as often as its weight says. */
export function weighted<T extends { readonly weight: number }>(
  dice: Dice,
  items: readonly [T, ...T[]],
): T {
  let left = dice.next() * items.reduce((sum, { weight }) => sum + weight, 0);
  return items.find(({ weight }) => (left -= weight) < 0) ?? items[0];
}

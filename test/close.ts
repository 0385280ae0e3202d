import { expect } from "vitest";

/** The largest difference, over the largest magnitude expected (or 1 where that is less). */
export function worstError(actual: ArrayLike<number>, expected: ArrayLike<number>): number {
  if (actual.length !== expected.length) return Infinity;
  let [worst, largest] = [0, 1];
  for (let i = 0; i < expected.length; i++) {
    const [a = Number.NaN, e = Number.NaN] = [actual[i], expected[i]];
    largest = Math.max(largest, Math.abs(e));
    const off = Math.abs(a - e);
    if (!(off <= worst)) worst = off;
  }
  return worst / largest;
}

/** Expects equality to `tolerance`, relative to the largest value. */
export function expectClose(
  actual: ArrayLike<number> | undefined,
  expected: ArrayLike<number>,
  tolerance: number,
  what = "",
): void {
  const error = worstError(actual ?? [], expected);
  expect(error <= tolerance ? "close" : `${what} is off by ${error}`).toBe("close");
}

/** Boxes for property tests. */
import fc from "fast-check";
import { rotatedToCorners } from "../../datasets/index.ts";

const within = (min: number, max: number): fc.Arbitrary<number> =>
  fc.double({ min, max, noNaN: true });

/** `cx cy w h angle`. */
export const rotated: fc.Arbitrary<number[]> = fc
  .tuple(within(-50, 50), within(-50, 50), within(0.5, 80), within(0.5, 80), within(-7, 7))
  .map((numbers) => [...numbers]);

export const cornersOf = (box: readonly number[]): Float64Array =>
  rotatedToCorners("scene", Float64Array.from(box)).corners;

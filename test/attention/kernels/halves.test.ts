/** Packing weights into pairs of halves against the conversion of the weight files. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { halvesOf, packHalves } from "../../../attention/index.ts";
import { fromHalf, toHalf } from "../../../models/index.ts";

const halves = fc.array(
  fc.integer({ min: 0, max: 0xffff }).filter((bits) => (bits & 0x7c00) !== 0x7c00),
  { minLength: 1, maxLength: 9 },
);

test("every finite half keeps its bits", () => {
  fc.assert(
    fc.property(halves, (bits) => {
      const packed = packHalves(Float32Array.from(bits, fromHalf));
      const back = bits.map((_, i) => ((packed?.[i >> 1] ?? 0) >>> (16 * (i & 1))) & 0xffff);
      expect(back).toEqual(bits);
    }),
  );
});

test("a number that is no half leaves its tensor as it is", () => {
  fc.assert(
    fc.property(fc.float({ noNaN: true }), (value) => {
      const half = fromHalf(toHalf(value));
      const isHalf = half === value && Number.isFinite(value);
      expect(packHalves(Float32Array.of(1, value)) !== undefined).toBe(isHalf);
    }),
    { numRuns: 1000 },
  );
  const tensors = new Map([
    ["halves", new Float32Array(100).fill(0.5)],
    ["few", new Float32Array(3)],
    ["others", new Float32Array(100).fill(0.1)],
  ]);
  expect([...halvesOf(tensors).keys()]).toEqual(["halves"]);
});

import { fc, test } from "@fast-check/vitest";
import { describe, expect } from "vitest";
import {
  fromBrain,
  fromHalf,
  fromHalves,
  roundHalf,
  toBrain,
  toHalf,
  toHalves,
} from "../../../models/onnx/float16.ts";

describe("half precision", () => {
  test("every half is its own nearest half", () => {
    for (let half = 0; half < 65536; half++) {
      const [value, brain] = [fromHalf(half), fromBrain(half)];
      if (!Number.isNaN(value)) expect(toHalf(value)).toBe(half);
      if (!Number.isNaN(brain)) expect(toBrain(brain)).toBe(half);
    }
  });

  test.prop([fc.float({ min: Math.fround(-65519), max: Math.fround(65519), noNaN: true })])(
    "no half is nearer than the one that is chosen",
    (value) => {
      const half = toHalf(value);
      const off = Math.abs(fromHalf(half) - value);
      for (const other of [half - 1, half + 1].map((h) => fromHalf(h & 0xffff)))
        if (Number.isFinite(other)) expect(Math.abs(other - value)).toBeGreaterThanOrEqual(off);
    },
  );

  test("arrays of them go there and back", () => {
    const halves = Uint16Array.from({ length: 65_536 }, (_, i) => i).filter(
      (half) => (half & 0x7c00) !== 0x7c00 || (half & 0x03ff) === 0, // all but NaNs
    );
    expect(toHalves(fromHalves(halves))).toEqual(halves);
  });

  test("rounds to the nearest, ties to even, and overflows to infinity", () => {
    const floats = [1 + 2 ** -11, 1 + 3 * 2 ** -11, 65_519, 65_520, -1e9, 2 ** -25, 3 * 2 ** -26];
    const halves = [1, 1 + 2 ** -9, 65_504, Infinity, -Infinity, 0, 2 ** -24];
    expect([...fromHalves(toHalves(Float32Array.from(floats)))]).toEqual(halves);
    expect(fromHalves(toHalves(Float32Array.of(Number.NaN)))[0]).toBeNaN();
  });
});

test("a half of fewer digits is the nearest one that has no more", () => {
  for (let bits = 0; bits < 0x7c00; bits += 3) {
    for (const sign of [0, 0x8000]) {
      const short = roundHalf(sign | bits, 7);
      expect(short & 0x800f).toBe(sign);
      const [value, next] = [fromHalf(sign | bits), fromHalf(short)];
      const apart = Math.min(Math.abs(fromHalf(short + 16)), Infinity) - Math.abs(next);
      expect(Number.isFinite(next)).toBe(true);
      if (Number.isFinite(apart)) expect(Math.abs(value - next)).toBeLessThanOrEqual(apart / 2);
    }
  }
  expect([roundHalf(0x7c00, 7), roundHalf(0x3555, 11)]).toEqual([0x7c00, 0x3555]);
});

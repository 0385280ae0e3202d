import { describe, expect, test } from "vitest";
import { dataOnly, isBlank, isEmpty } from "../../pipeline/nodata.ts";

const floats = (...values: number[]) => ({
  width: values.length,
  height: 1,
  bands: [Float32Array.from(values)],
  valid: undefined,
});

describe("dataOnly", () => {
  test("NaN and both infinities are nodata", () => {
    expect([...(dataOnly(floats(1, Number.NaN, Infinity, -Infinity)).valid ?? [])]).toEqual([
      1, 0, 0, 0,
    ]);
  });

  test("a stated value is nodata where every band holds it", () => {
    const pixels = {
      width: 3,
      height: 1,
      bands: [Uint8Array.of(0, 0, 5), Uint8Array.of(0, 7, 0)],
      valid: undefined,
    };
    expect([...(dataOnly(pixels, 0).valid ?? [])]).toEqual([0, 1, 1]);
  });

  test("`none` takes everything finite for data", () => {
    expect(dataOnly({ ...floats(1, 2), valid: Uint8Array.of(0, 1) }, "none").valid).toBeUndefined();
  });

  test("the scene's own mask is kept and never written to", () => {
    const mask = Uint8Array.of(0, 1, 1);
    expect([...(dataOnly({ ...floats(1, Number.NaN, 3), valid: mask }).valid ?? [])]).toEqual([
      0, 0, 1,
    ]);
    expect([...mask]).toEqual([0, 1, 1]);
  });
});

test("a window is empty where no pixel is data, blank where all have one value", () => {
  expect(isEmpty({ ...floats(1, 2), valid: Uint8Array.of(0, 0) })).toBe(true);
  expect(isEmpty(floats(1, 2))).toBe(false);
  expect(isBlank(floats(7, 7, 7))).toBe(true);
  expect(isBlank(floats(7, 7, 8))).toBe(false);
});

import { fc, test as property } from "@fast-check/vitest";
import { describe, expect, test } from "vitest";
import { outputStems } from "../../../pipeline/jobs/output-names.ts";

describe("outputStems", () => {
  test.each([
    [
      ["a/x.tif", "a/y.tif"],
      ["x", "y"],
    ],
    [
      ["a/x.tif", "a/x.png"],
      ["x.tif", "x.png"],
    ],
    [
      ["a/x.tif", "b/x.tif", "c.tif"],
      ["a_x.tif", "b_x.tif", "c"],
    ],
    [
      ["https://h/p/cog.tif?token=1", "cog.tif"],
      ["p_cog.tif", "cog.tif"],
    ],
    [
      ["x.tif", "x.tif"],
      ["x.tif", "x.tif_2"],
    ],
  ])("%j", (sources, stems) => {
    expect(outputStems(sources)).toEqual(stems);
  });

  property.prop([
    fc.array(
      fc
        .array(fc.constantFrom("a", "b", "c.tif", "c.png"), { minLength: 1, maxLength: 4 })
        .map((p) => p.join("/")),
      { maxLength: 12 },
    ),
  ])("no two are alike, and none leaves its folder", (sources) => {
    const stems = outputStems(sources);
    expect(new Set(stems).size).toBe(sources.length);
    expect(stems.every((stem) => !stem.includes("/"))).toBe(true);
  });
});

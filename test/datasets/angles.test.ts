import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  type AngleConvention,
  cornersToRotated,
  overlap,
  rotatedToCorners,
} from "../../datasets/index.ts";
import { cornersOf, rotated } from "./arbitrary-boxes.ts";

const RANGES: Record<AngleConvention, readonly [from: number, to: number]> = {
  le90: [-Math.PI / 2, Math.PI / 2],
  le135: [-Math.PI / 4, (3 * Math.PI) / 4],
  oc: [0, Math.PI / 2],
  yolo: [-Math.PI / 4, (3 * Math.PI) / 4],
};
const convention = fc.constantFrom<AngleConvention>("le90", "le135", "oc", "yolo");

const inConvention = (box: readonly number[], name: AngleConvention): Float64Array =>
  cornersToRotated({ kind: "oriented", frame: "scene", corners: cornersOf(box) }, name);

describe("angle conventions", () => {
  test("each describes the same rectangle", () => {
    fc.assert(
      fc.property(rotated, convention, (box, name) => {
        const again = rotatedToCorners("scene", inConvention(box, name));
        const before = rotatedToCorners("scene", Float64Array.from(box));
        expect(overlap(again, 0, before, 0, "iou")).toBeCloseTo(1, 9);
      }),
    );
  });

  test("each keeps its range, and the long-side ones put the longer side first", () => {
    fc.assert(
      fc.property(rotated, convention, (box, name) => {
        const [, , w, h, angle] = inConvention(box, name);
        const [from, to] = RANGES[name];
        if (name === "oc") {
          expect(angle).toBeGreaterThan(from);
          expect(angle).toBeLessThanOrEqual(to);
        } else {
          expect(angle).toBeGreaterThanOrEqual(from);
          expect(angle).toBeLessThan(to);
          expect(w).toBeGreaterThanOrEqual(h!);
        }
      }),
    );
  });

  test("the first corner does not matter", () => {
    fc.assert(
      fc.property(rotated, convention, fc.nat(3), (box, name, first) => {
        fc.pre(Math.abs(box[2]! - box[3]!) > 1e-3);
        const corners = cornersOf(box);
        const turned = Float64Array.from({ length: 8 }, (_, k) => corners[(k + 2 * first) % 8]!);
        const a = inConvention(box, name);
        const b = cornersToRotated({ kind: "oriented", frame: "scene", corners: turned }, name);
        // An angle at the very end of its range may fall to the other end by rounding.
        fc.pre(Math.abs(a[4]! - b[4]!) < 1);
        for (let k = 0; k < 5; k++) expect(b[k]).toBeCloseTo(a[k]!, 7);
      }),
    );
  });

  test.for([
    // A ship 10 long and 2 wide whose bow points right and down on the screen.
    ["le90", 10, 2, Math.PI / 4],
    ["le135", 10, 2, Math.PI / 4],
    ["oc", 10, 2, Math.PI / 4],
    // The same pointing right and up.
    ["le90", 10, 2, -Math.PI / 3],
    ["le135", 10, 2, (2 * Math.PI) / 3],
    ["oc", 2, 10, Math.PI / 6],
    // Upright on the screen.
    ["le90", 10, 2, -Math.PI / 2],
    ["le135", 10, 2, Math.PI / 2],
    ["oc", 10, 2, Math.PI / 2],
    // Lying flat: OpenCV has no angle 0.
    ["le90", 10, 2, 0],
    ["le135", 10, 2, 0],
    ["oc", 2, 10, Math.PI / 2],
  ] as const)("%s writes %d × %d at %f rad as it reads it", ([name, w, h, angle]) => {
    const again = inConvention([5, 7, w, h, angle], name);
    [5, 7, w, h, angle].forEach((value, k) => expect(again[k]).toBeCloseTo(value, 12));
  });

  test("positive angles turn clockwise on the screen, and corners run clockwise from the top left", () => {
    const { corners } = rotatedToCorners(
      "scene",
      Float64Array.of(0, 0, 4, 2, 0, 0, 0, 4, 2, Math.PI / 2),
    );
    expect([...corners.subarray(0, 8)]).toEqual([-2, -1, 2, -1, 2, 1, -2, 1]);
    [1, -2, 1, 2, -1, 2, -1, -2].forEach((value, k) =>
      expect(corners[8 + k]).toBeCloseTo(value, 12),
    );
  });

  test("a box without width keeps its direction", () => {
    for (const angle of [0.3, -0.6]) {
      const [, , w, h, turned] = inConvention([0, 0, 0, 8, angle], "le90");
      expect([w, h]).toEqual([expect.closeTo(8, 12), 0]);
      expect(Math.abs(Math.cos(turned! - angle))).toBeCloseTo(0, 9);
    }
  });
});

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  type Boxes,
  type OverlapMetric,
  apply,
  fromCentres,
  intersectionArea,
  orderClockwise,
  overlap,
  quadArea,
  rotatedToCorners,
  signedDoubleArea,
} from "../../datasets/index.ts";
import geometry from "../fixtures/geometry.json" with { type: "json" };
import { cornersOf, rotated } from "./arbitrary-boxes.ts";

const oriented = (corners: ArrayLike<number>): Boxes<"scene"> => ({
  kind: "oriented",
  frame: "scene",
  corners: Float64Array.from(corners),
});

const metric = fc.constantFrom<OverlapMetric>("iou", "ios");

const ratio = (a: ArrayLike<number>, b: ArrayLike<number>, by: OverlapMetric): number =>
  overlap(oriented(a), 0, oriented(b), 0, by);

describe("overlap of oriented boxes", () => {
  test.for(geometry.pairs)("is shapely's: $note", ({ note, a, b, areaA, areaB, shared, iou }) => {
    const [quadA, quadB] = [Float64Array.from(a), Float64Array.from(b)];
    const far = note === "map coordinates"; // seven digits before the point leave nine for an area
    const tolerance = far ? 1e-6 : 1e-10 * areaA + 1e-12 * areaB;
    expect(Math.abs(quadArea(quadA) - areaA)).toBeLessThanOrEqual(tolerance);
    expect(Math.abs(intersectionArea(quadA, 0, quadB, 0) - shared)).toBeLessThanOrEqual(tolerance);
    expect(ratio(a, b, "iou")).toBeCloseTo(iou, far ? 7 : 9);
    expect(ratio(a, b, "ios")).toBeCloseTo(shared / Math.min(areaA, areaB), 7);
  });

  test("is shapely's for every pair of thirty and thirty boxes given by angle", () => {
    const a = rotatedToCorners("scene", Float64Array.from(geometry.rotated.a));
    const b = rotatedToCorners("scene", Float64Array.from(geometry.rotated.b));
    for (let i = 0; i < 30; i++) {
      for (let j = 0; j < 30; j++) {
        // 1e-5: the boxes of the fixture went through float32.
        expect(
          Math.abs(overlap(a, i, b, j, "iou") - geometry.rotated.iou[30 * i + j]!),
        ).toBeLessThan(1e-5);
      }
    }
  });

  test("is the same both ways round", () => {
    fc.assert(
      fc.property(rotated, rotated, metric, (a, b, by) => {
        expect(ratio(cornersOf(a), cornersOf(b), by)).toBeCloseTo(
          ratio(cornersOf(b), cornersOf(a), by),
          9,
        );
      }),
    );
  });

  test("does not change where the plane is moved, turned, mirrored, sheared or scaled", () => {
    const part = fc.integer({ min: -30, max: 30 }).map((tenths) => tenths / 10);
    fc.assert(
      fc.property(rotated, rotated, metric, fc.tuple(part, part, part, part), (a, b, by, m) => {
        const [p, q, r, s] = m;
        fc.pre(Math.abs(p * s - q * r) > 0.1);
        const move = (corners: Float64Array): number[] =>
          [0, 2, 4, 6].flatMap((k) => apply([p, q, 31, r, s, -7], corners[k]!, corners[k + 1]!));
        const [quadA, quadB] = [cornersOf(a), cornersOf(b)];
        expect(ratio(move(quadA), move(quadB), by)).toBeCloseTo(ratio(quadA, quadB, by), 8);
      }),
    );
  });

  test("does not depend on the first corner or the direction round", () => {
    fc.assert(
      fc.property(rotated, rotated, fc.nat(3), fc.boolean(), (a, b, first, back) => {
        const quad = cornersOf(a);
        const order = [0, 1, 2, 3].map((k) => (first + (back ? 4 - k : k)) % 4);
        const turned = order.flatMap((k) => [...quad.subarray(2 * k, 2 * k + 2)]);
        expect(ratio(turned, cornersOf(b), "iou")).toBeCloseTo(ratio(quad, cornersOf(b), "iou"), 9);
      }),
    );
  });

  test("at angle 0 is that of upright boxes, and so is one of each kind", () => {
    fc.assert(
      fc.property(rotated, rotated, metric, (a, b, by) => {
        const [flatA, flatB] = [cornersOf([...a.slice(0, 4), 0]), cornersOf([...b.slice(0, 4), 0])];
        const upA = fromCentres("scene", Float64Array.from(a.slice(0, 4)));
        const upB = fromCentres("scene", Float64Array.from(b.slice(0, 4)));
        const upright = overlap(upA, 0, upB, 0, by);
        expect(ratio(flatA, flatB, by)).toBeCloseTo(upright, 9);
        expect(overlap(upA, 0, oriented(flatB), 0, by)).toBeCloseTo(upright, 9);
        expect(overlap(oriented(flatA), 0, upB, 0, by)).toBeCloseTo(upright, 9);
      }),
    );
  });

  test("of a box with itself is 1, and never leaves 0…1", () => {
    fc.assert(
      fc.property(rotated, rotated, metric, (a, b, by) => {
        expect(ratio(cornersOf(a), cornersOf(a), by)).toBeCloseTo(1, 9);
        const value = ratio(cornersOf(a), cornersOf(b), by);
        expect(value).toBeGreaterThanOrEqual(0);
        expect(value).toBeLessThanOrEqual(1);
      }),
    );
  });

  test("of a box without area is 0, whatever collapsed", () => {
    const square = [0, 0, 10, 0, 10, 10, 0, 10];
    const point = [5, 5, 5, 5, 5, 5, 5, 5];
    const line = [1, 1, 9, 9, 9, 9, 1, 1];
    for (const flat of [point, line]) {
      for (const by of ["iou", "ios"] as const) {
        expect(ratio(square, flat, by)).toBe(0);
        expect(ratio(flat, square, by)).toBe(0);
        expect(ratio(flat, flat, by)).toBe(0);
      }
    }
  });

  test("counts a triangle, a quadrilateral with two equal corners, as what it is", () => {
    const square = [0, 0, 10, 0, 10, 10, 0, 10];
    const triangle = [0, 0, 10, 0, 10, 0, 0, 10];
    expect(intersectionArea(Float64Array.from(square), 0, Float64Array.from(triangle), 0)).toBe(50);
    expect(intersectionArea(Float64Array.from(triangle), 0, Float64Array.from(square), 0)).toBe(50);
  });

  test("of numbers that are none is 0", () => {
    const square = [0, 0, 10, 0, 10, 10, 0, 10];
    const broken = [0, 0, Number.NaN, 0, 10, 10, 0, 10];
    expect(ratio(broken, square, "iou")).toBe(0);
    expect(ratio(square, broken, "ios")).toBe(0);
  });
});

describe("orderClockwise", () => {
  test("turns round what runs the other way, and keeps the first corner", () => {
    fc.assert(
      fc.property(rotated, (box) => {
        const corners = cornersOf(box);
        expect(signedDoubleArea(corners, 0)).toBeGreaterThan(0);
        const back = Float64Array.from(
          [0, 3, 2, 1].flatMap((k) => [...corners.subarray(2 * k, 2 * k + 2)]),
        );
        expect(orderClockwise(back)).toEqual(corners);
        expect(orderClockwise(corners)).toEqual(corners);
      }),
    );
  });
});

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  convexHull,
  minAreaRectangle,
  overlap,
  quadArea,
  signedDoubleArea,
  signedRingArea,
} from "../../datasets/index.ts";
import geometry from "../fixtures/geometry.json" with { type: "json" };
import { cornersOf, rotated } from "./arbitrary-boxes.ts";

const coordinate = fc.integer({ min: -20, max: 20 });
const cloud = fc.array(fc.tuple(coordinate, coordinate), { minLength: 1, maxLength: 25 });

describe("minAreaRectangle", () => {
  test("has shapely's area, round shapely's hull", () => {
    for (const { points, hullArea, rectangleArea } of geometry.clouds) {
      expect(quadArea(minAreaRectangle(points))).toBeCloseTo(rectangleArea, 8);
      expect(signedRingArea(convexHull(points))).toBeCloseTo(hullArea, 8);
    }
  });

  test("holds every point, is a rectangle, and runs clockwise on the screen", () => {
    fc.assert(
      fc.property(cloud, (points) => {
        const r = minAreaRectangle(points.flat());
        const [ux, uy, vx, vy] = [r[2]! - r[0]!, r[3]! - r[1]!, r[6]! - r[0]!, r[7]! - r[1]!];
        expect(ux * vx + uy * vy).toBeCloseTo(0, 8);
        expect(r[4]! - r[2]!).toBeCloseTo(vx, 9);
        expect(r[5]! - r[3]!).toBeCloseTo(vy, 9);
        expect(signedDoubleArea(r, 0)).toBeGreaterThanOrEqual(0);
        for (const [x, y] of points) {
          const [dx, dy] = [x - r[0]!, y - r[1]!];
          for (const [along, length] of [
            [dx * ux + dy * uy, ux * ux + uy * uy],
            [dx * vx + dy * vy, vx * vx + vy * vy],
          ] as const) {
            expect(along).toBeGreaterThan(-1e-7);
            expect(along).toBeLessThan(length + 1e-7);
          }
        }
      }),
    );
  });

  test("of a rectangle is that rectangle", () => {
    fc.assert(
      fc.property(rotated, (box) => {
        const corners = cornersOf(box);
        const again = {
          kind: "oriented",
          frame: "scene",
          corners: minAreaRectangle(corners),
        } as const;
        const same = { kind: "oriented", frame: "scene", corners } as const;
        expect(overlap(again, 0, same, 0, "iou")).toBeCloseTo(1, 9);
      }),
    );
  });

  test("does not depend on the order of the points or on doubled ones", () => {
    fc.assert(
      fc.property(cloud, fc.infiniteStream(fc.nat()), (points, numbers) => {
        const shuffled = [...points, ...points.slice(0, 3)]
          .map((point) => [numbers.next().value!, point] as const)
          .toSorted(([a], [b]) => a - b)
          .flatMap(([, point]) => point);
        expect(minAreaRectangle(shuffled)).toEqual(minAreaRectangle(points.flat()));
      }),
    );
  });

  test("of points in line has no width, of one point no size", () => {
    const line = minAreaRectangle([0, 0, 3, 4, 6, 8, 1.5, 2]);
    expect(quadArea(line)).toBeCloseTo(0, 12);
    expect(Math.hypot(line[2]! - line[0]!, line[3]! - line[1]!)).toBeCloseTo(10, 12);
    expect([...minAreaRectangle([7, 9, 7, 9])]).toEqual([7, 9, 7, 9, 7, 9, 7, 9]);
  });

  test("of nothing is an error that says so", () => {
    expect(() => minAreaRectangle([])).toThrow(
      "there must be at least one point, received 0 numbers",
    );
  });
});

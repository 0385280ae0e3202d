import { fc, test as property } from "@fast-check/vitest";
import { describe, expect, test } from "vitest";
import { signedRingArea } from "../../../datasets/index.ts";
import {
  type Canvas,
  createCanvas,
  darken,
  paint,
  type Ring,
} from "../../../datasets/synthetic/canvas.ts";

const SIDE = 48;
const PLAIN = { colour: [1, 2, 4], patches: 0, grain: 0 } as const;
const sum = (canvas: Canvas, band: 0 | 1 | 2): number =>
  canvas.bands[band].reduce((all, v) => all + v, 0);

const point = fc.tuple(
  fc.double({ min: 1, max: SIDE - 1, noNaN: true }),
  fc.double({ min: 1, max: SIDE - 1, noNaN: true }),
);

describe("paint", () => {
  property.prop([fc.tuple(point, point, point)], { numRuns: 60 })(
    "a triangle takes as much colour as it has area",
    (points) => {
      const ring = points.flat();
      const canvas = createCanvas(SIDE, SIDE);
      paint(canvas, [ring], PLAIN);
      // A pixel of which less than 0.4 % is covered is left out: at most one a row and edge.
      const slack = 0.004 * 6 * SIDE;
      expect(Math.abs(sum(canvas, 0) - Math.abs(signedRingArea(ring)))).toBeLessThan(slack);
      expect(sum(canvas, 2)).toBeCloseTo(4 * sum(canvas, 0), 3);
      expect(canvas.cover.every((v) => Math.abs(v) < 1e-4)).toBe(true);
    },
  );

  test("what lies over another of the same call is painted once, whichever way each turns", () => {
    const square: Ring = [10, 10, 30, 10, 30, 30, 10, 30];
    const turned: Ring = [20, 20, 20, 40, 40, 40, 40, 20];
    const canvas = createCanvas(SIDE, SIDE);
    darken(canvas, [square], [0.5, 0.5, 0.5]);
    paint(canvas, [square, turned], PLAIN);
    expect(sum(canvas, 0)).toBeCloseTo(400 + 400 - 100, 3);
  });

  test("parts outside the clip are not painted, and do not change what is inside", () => {
    const canvas = { ...createCanvas(SIDE, SIDE), clip: { x1: 8, y1: 8, x2: 40, y2: 40 } };
    paint(canvas, [[-100, -100, 24, -100, 24, 200, -100, 200]], PLAIN);
    expect(sum(canvas, 0)).toBeCloseTo(16 * 32, 3);
    expect(canvas.bands[0][7]).toBe(0);
  });

  test("a shadow leaves the share of light that it says", () => {
    const canvas = createCanvas(4, 4);
    paint(canvas, [[0, 0, 4, 0, 4, 4, 0, 4]], PLAIN);
    darken(canvas, [[0, 0, 2, 0, 2, 4, 0, 4]], [0.5, 0.25, 1]);
    expect([sum(canvas, 0), sum(canvas, 1), sum(canvas, 2)]).toEqual([12, 20, 64]);
  });
});

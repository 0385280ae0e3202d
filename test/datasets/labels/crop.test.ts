import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { LabelledImage, LabelledObject } from "../../../datasets/index.ts";
import {
  boundsOf,
  boxLabel,
  cornersLabel,
  cropLabels,
  signedRingArea,
  visibleShare,
} from "../../../datasets/index.ts";

const window = { x: 100, y: 50, width: 200, height: 100 };

function image(...objects: readonly LabelledObject[]): LabelledImage {
  const facts = { id: undefined, gsdM: 0.5, labelledClasses: [0] };
  return { ...facts, file: "a.png", width: 1000, height: 1000, objects };
}

function cropped(object: LabelledObject): readonly LabelledObject[] {
  return cropLabels(image(object), window).objects;
}

describe("cropLabels", () => {
  test("moves what lies inside and drops what lies outside", () => {
    const crop = cropLabels(
      image(boxLabel(0, [110, 60, 120, 80]), boxLabel(0, [10, 10, 20, 20])),
      window,
    );
    expect(crop).toEqual({
      ...image(boxLabel(0, [10, 10, 20, 30])),
      width: 200,
      height: 100,
    });
  });

  test("ends a cut box at the edge: to be found where half of it shows, difficult below, gone at a trace", () => {
    expect(cropped(boxLabel(0, [90, 60, 120, 80]))).toEqual([boxLabel(0, [0, 10, 20, 30])]);
    expect(cropped(boxLabel(0, [80, 60, 110, 80]))).toEqual([
      boxLabel(0, [0, 10, 10, 30], { difficult: true }),
    ]);
    expect(cropped(boxLabel(0, [10, 60, 101, 80]))).toEqual([]);
    expect(cropped(boxLabel(0, [10, 60, 101, 80], { crowd: true }))).toEqual([
      boxLabel(0, [0, 10, 1, 30], { crowd: true }),
    ]);
  });

  test("cuts outlines, ring by ring", () => {
    const rings = [
      [90, 60, 130, 60, 130, 90, 90, 90],
      [0, 0, 10, 0, 10, 10],
    ];
    const [cut] = cropped({ ...boxLabel(0, boundsOf(rings.flat())), polygon: rings });
    expect(cut?.polygon?.map((ring) => Math.abs(signedRingArea(ring)))).toEqual([900]);
    expect(cut?.box).toEqual([0, 10, 30, 40]);
  });

  test("drops an object of which the empty part of its box shows", () => {
    const ring = [60, 60, 90, 60, 90, 140, 100, 140, 100, 60, 60, 145]; // up to the window's edge
    const box = [60, 60, 140, 145] as const;
    expect(cropped({ ...boxLabel(0, box), polygon: [ring] })).toEqual([]);
    expect(cropped({ ...boxLabel(0, box), polygon: [ring.map((v) => v - 10)] })).toEqual([]);
  });

  test("forgets the area of an object that it cuts", () => {
    const object = boxLabel(0, [90, 60, 120, 80], { areaPx2: 400 });
    expect(cropped(object)[0]?.areaPx2).toBeUndefined();
    expect(cropped({ ...object, box: [110, 60, 140, 80] })[0]?.areaPx2).toBe(400);
  });

  test("makes of a cut oriented box one that is oriented alike and holds what shows", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 110, max: 290 }),
        fc.integer({ min: 60, max: 140 }),
        fc.integer({ min: 20, max: 80 }),
        fc.double({ min: 0.2, max: 0.4, noNaN: true }),
        fc.double({ min: 0, max: 3.1, noNaN: true }),
        (x, y, half, ratio, angle) => {
          const [ux, uy] = [half * Math.cos(angle), half * Math.sin(angle)];
          const [vx, vy] = [-ratio * uy, ratio * ux];
          const corners = [-1, -1, 1, -1, 1, 1, -1, 1];
          const placed = [0, 2, 4, 6].flatMap((k) => [
            x + corners[k]! * ux + corners[k + 1]! * vx,
            y + corners[k]! * uy + corners[k + 1]! * vy,
          ]);
          const object = cornersLabel(0, placed);
          const share = visibleShare(object, window);
          const [cut] = cropped(object);
          expect(cut?.difficult).toBe(share < 0.5);
          const area = Math.abs(signedRingArea(cut?.corners ?? []));
          const whole = Math.abs(signedRingArea(placed));
          expect(area).toBeGreaterThanOrEqual(share * whole - 1e-6);
          expect(area).toBeLessThanOrEqual(whole + 1e-6);
          expect(cut?.box).toEqual(boundsOf(cut?.corners ?? []));
        },
      ),
      { numRuns: 200 },
    );
  });

  test("shows each object whole in some tile that overlaps by its size, and its shares sum to one without", () => {
    const object = boxLabel(0, [333, 271, 371, 290]);
    const tiles = [0, 100, 200, 300, 400].flatMap((y) =>
      [0, 100, 200, 300, 400].map((x) => ({ x, y, width: 100, height: 100 })),
    );
    const shares = tiles.map((tile) => visibleShare(object, tile));
    expect(shares.reduce((sum, share) => sum + share, 0)).toBeCloseTo(1, 12);
    const overlapping = [0, 60, 120, 180, 240, 300, 360].flatMap((y) =>
      [0, 60, 120, 180, 240, 300, 360].map((x) => ({ x, y, width: 100, height: 100 })),
    );
    expect(overlapping.some((tile) => visibleShare(object, tile) > 1 - 1e-12)).toBe(true);
  });
});

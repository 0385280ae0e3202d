import { fc, test } from "@fast-check/vitest";
import { describe, expect } from "vitest";
import { areaInPixels, areaOfInterest } from "../../pipeline/area.ts";
import type { Crs } from "../../datasets/index.ts";

const degrees: Crs = {
  epsg: 4326,
  name: "WGS 84",
  kind: "geographic",
  metresPerUnit: undefined,
  definition: "",
  toLonLat: (x, y) => [x, y],
  fromLonLat: (x, y) => [x, y],
};

const square = [
  [10, 10],
  [50, 10],
  [50, 40],
  [10, 40],
] as const;
const hole = [
  [20, 20],
  [40, 20],
  [40, 30],
  [20, 30],
] as const;

describe("areaInPixels", () => {
  const area = areaInPixels([square, hole]);

  test("a ring within a ring is a hole", () => {
    expect(area.contains(15, 15)).toBe(true);
    expect(area.contains(30, 25)).toBe(false);
    expect(area.contains(60, 25)).toBe(false);
  });

  test("a window touches by an edge, by lying inside, or by holding the area", () => {
    expect(area.touches({ x: 0, y: 0, width: 12, height: 12 })).toBe(true);
    expect(area.touches({ x: 12, y: 12, width: 3, height: 3 })).toBe(true);
    expect(area.touches({ x: 0, y: 0, width: 100, height: 100 })).toBe(true);
  });

  test("a window in the hole or beside the area does not", () => {
    expect(area.touches({ x: 22, y: 22, width: 5, height: 5 })).toBe(false);
    expect(area.touches({ x: 55, y: 0, width: 9, height: 99 })).toBe(false);
  });

  test.prop([
    fc.array(fc.tuple(fc.integer({ min: 0, max: 60 }), fc.integer({ min: 0, max: 60 })), {
      minLength: 3,
      maxLength: 8,
    }),
    fc.record({
      x: fc.integer({ min: 0, max: 50 }),
      y: fc.integer({ min: 0, max: 50 }),
      width: fc.integer({ min: 1, max: 20 }),
      height: fc.integer({ min: 1, max: 20 }),
    }),
  ])("a window that holds a point of the area touches it", (ring, window) => {
    const random = areaInPixels([ring]);
    let holds = false;
    for (let y = window.y + 0.25; y < window.y + window.height; y += 0.5) {
      for (let x = window.x + 0.25; x < window.x + window.width; x += 0.5)
        holds ||= random.contains(x, y);
    }
    if (holds) expect(random.touches(window)).toBe(true);
  });
});

describe("areaOfInterest", () => {
  test("goes from longitude and latitude to pixels, islands included", () => {
    const ringAt = (lon: number) => [
      [lon, 1],
      [lon + 1, 1],
      [lon + 1, 2],
      [lon, 2],
      [lon, 1],
    ];
    const area = areaOfInterest(
      { type: "MultiPolygon", coordinates: [[ringAt(10)], [ringAt(20)]] },
      { source: "x.tif", transform: [0.1, 0, 10, 0, -0.1, 2], crs: degrees },
    );
    expect(area.contains(5, 5)).toBe(true);
    expect(area.contains(55, 5)).toBe(false);
    expect(area.contains(105, 5)).toBe(true);
  });

  test("a scene that lies nowhere has no area", () => {
    const area = {
      type: "Polygon",
      coordinates: [
        [
          [0, 0],
          [1, 0],
          [1, 1],
          [0, 0],
        ],
      ],
    } as const;
    expect(() =>
      areaOfInterest(structuredClone(area) as never, {
        source: "photo.jpg",
        transform: undefined,
        crs: undefined,
      }),
    ).toThrow(/photo.jpg must have a transform and a CRS/);
  });
});

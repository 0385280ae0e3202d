import fc from "fast-check";
import geodesic from "geographiclib-geodesic";
import { describe, expect, test } from "vitest";
import { distanceM, measureGround } from "../../datasets/geodesic.ts";

const wgs84 = geodesic.Geodesic.WGS84;

/** Corners of a box drawn on the ellipsoid by Karney's geodesics: centre, then along the bearing, then across. */
function drawBox(lon: number, lat: number, lengthM: number, widthM: number, bearingDeg: number) {
  const corner = (along: number, across: number): number[] => {
    const end = wgs84.Direct(lat, lon, bearingDeg, (along * lengthM) / 2);
    const side = wgs84.Direct(end.lat2!, end.lon2!, end.azi2! + 90, (across * widthM) / 2);
    return [side.lon2!, side.lat2!];
  };
  return [...corner(-1, -1), ...corner(1, -1), ...corner(1, 1), ...corner(-1, 1)];
}

function karneyArea(lonLat: readonly number[]): number {
  const polygon = wgs84.Polygon(false);
  for (let k = 0; k < 8; k += 2) polygon.AddPoint(lonLat[k + 1]!, lonLat[k]!);
  return Math.abs(polygon.Compute(false, true).area!);
}

const karneySide = (p: readonly number[], a: number, b: number): number =>
  wgs84.Inverse(p[2 * a + 1]!, p[2 * a]!, p[2 * b + 1]!, p[2 * b]!).s12!;

/** Both poles, both sides of the antimeridian, both hemispheres. */
const place = fc.record({
  lon: fc.oneof(
    fc.double({ min: -180, max: 180, noNaN: true }),
    fc.constantFrom(180, -180, 179.9999),
  ),
  lat: fc.oneof(
    fc.double({ min: -90, max: 90, noNaN: true }),
    fc.constantFrom(0, 89.9999, -89.9999, 90, -90),
  ),
});

describe("distanceM", () => {
  test("agrees with Karney's geodesics to 1e-10 for lines up to 10 km, anywhere", () => {
    fc.assert(
      fc.property(
        place,
        fc.double({ min: 1, max: 10_000, noNaN: true }),
        fc.double({ min: -180, max: 180, noNaN: true }),
        ({ lon, lat }, metres, azimuth) => {
          const end = wgs84.Direct(lat, lon, azimuth, metres);
          const ours = distanceM(lon, lat, end.lon2!, end.lat2!);
          // 1e-8 m: the last digits of a geocentric coordinate.
          expect(Math.abs(ours - metres)).toBeLessThan(1e-10 * metres + 1e-8);
        },
      ),
      { numRuns: 500 },
    );
  });

  test("is zero from a point to itself", () => {
    expect(distanceM(12.5, 41.9, 12.5, 41.9)).toBe(0);
  });
});

describe("measureGround", () => {
  test("agrees with Karney's geodesics for boxes up to 10 km, anywhere", () => {
    fc.assert(
      fc.property(
        place,
        fc.double({ min: 2, max: 7_000, noNaN: true }),
        fc.double({ min: 0.1, max: 0.9, noNaN: true }),
        fc.double({ min: 0, max: 179.999, noNaN: true }),
        ({ lon, lat }, lengthM, ratio, bearingDeg) => {
          const box = drawBox(lon, lat, lengthM, lengthM * ratio, bearingDeg);
          const ours = measureGround(box);
          const long = (karneySide(box, 0, 1) + karneySide(box, 3, 2)) / 2;
          const short = (karneySide(box, 1, 2) + karneySide(box, 0, 3)) / 2;
          expect(Math.abs(ours.lengthM / long - 1)).toBeLessThan(1e-8);
          expect(Math.abs(ours.widthM / short - 1)).toBeLessThan(1e-7);
          // Karney's polygon areas carry up to 0.1 m² per corner; the area of a small box is that of a rectangle.
          const area = lengthM < 1000 ? long * short : karneyArea(box);
          const noise = lengthM < 1000 ? 0 : 0.4;
          expect(Math.abs(ours.areaM2 - area)).toBeLessThan(1e-6 * area + noise);
          // Next to a pole the direction from north changes within the box.
          if (Math.abs(lat) < 89.99) {
            const off = Math.abs(ours.bearingDeg - bearingDeg) % 180;
            expect(Math.min(off, 180 - off)).toBeLessThan(Math.abs(lat) < 89 ? 1e-6 : 1e-4);
          }
        },
      ),
      { numRuns: 500 },
    );
  });

  test("does not care which corner comes first or which way round", () => {
    const box = drawBox(-70, -33, 120, 30, 25);
    const turned = [...box.slice(2), ...box.slice(0, 2)];
    const back = [0, 3, 2, 1].flatMap((k) => box.slice(2 * k, 2 * k + 2));
    for (const other of [turned, back]) {
      const [ours, theirs] = [measureGround(box), measureGround(other)];
      expect(theirs.lengthM).toBeCloseTo(ours.lengthM, 6);
      expect(theirs.widthM).toBeCloseTo(ours.widthM, 6);
      expect(theirs.areaM2).toBeCloseTo(ours.areaM2, 4);
      expect(theirs.bearingDeg).toBeCloseTo(25, 5);
    }
  });

  test("a box without size has no length and no area", () => {
    expect(measureGround([8, 47, 8, 47, 8, 47, 8, 47])).toEqual({
      lengthM: 0,
      widthM: 0,
      areaM2: 0,
      bearingDeg: 0,
    });
  });
});

import { describe, expect, test } from "vitest";
import type { Affine, Crs, Detections } from "../../datasets/index.ts";
import { georeference, locate } from "../../pipeline/georeference.ts";

/** One upright and one turned box; rows of the same detections. */
const upright: Detections<"scene"> = {
  count: 2,
  boxes: {
    kind: "axis-aligned",
    frame: "scene",
    xyxy: Float64Array.of(10, 20, 30, 25, 0, 0, 1, 1),
  },
  scores: Float32Array.of(0.75, 0.5),
  classes: Uint16Array.of(1, 9),
};

const degrees: Crs = {
  epsg: 4326,
  name: "WGS 84",
  kind: "geographic",
  metresPerUnit: undefined,
  definition: "+proj=longlat +datum=WGS84",
  toLonLat: (x, y) => [x, y],
  fromLonLat: (lon, lat) => [lon, lat],
};

/** North up, a millionth of a degree to the pixel. */
const northUp = (lon: number, lat: number): Affine => [1e-6, 0, lon, 0, -1e-6, lat];

describe("georeference", () => {
  test("a scene without a place gives pixels only", () => {
    const [first, second] = locate(upright, { transform: undefined, crs: undefined }, ["a", "b"]);
    expect(first).toEqual({
      class: "b",
      classIndex: 1,
      score: 0.75,
      oriented: false,
      corners: Float64Array.of(10, 20, 30, 20, 30, 25, 10, 25),
      map: undefined,
      lonLat: undefined,
      ground: undefined,
    });
    expect(second?.class).toBe("class 9");
  });

  test("a rotated transform moves every corner as GDAL's six numbers say", () => {
    const transform: Affine = [0.6, 0.2, 500_000, 0.2, -0.6, 4_000_000];
    const [first] = locate(upright, { transform, crs: undefined }, []);
    expect([...(first?.map ?? [])].slice(0, 4)).toEqual([
      0.6 * 10 + 0.2 * 20 + 500_000,
      0.2 * 10 - 0.6 * 20 + 4_000_000,
      0.6 * 30 + 0.2 * 20 + 500_000,
      0.2 * 30 - 0.6 * 20 + 4_000_000,
    ]);
    expect(first?.lonLat).toBeUndefined();
  });

  test("a box 20 px wide and 5 px high at the equator points east", () => {
    const [first] = locate(upright, { transform: northUp(8, 0), crs: degrees }, []);
    expect(first?.ground?.lengthM).toBeCloseTo(20e-6 * 111_319.4908, 6);
    expect(first?.ground?.widthM).toBeCloseTo(5e-6 * 110_574.2758, 6);
    expect(first?.ground?.bearingDeg).toBeCloseTo(90, 5);
  });

  test("longitudes of a raster that counts from 0 to 360 come home", () => {
    const [first] = locate(upright, { transform: northUp(190, -30), crs: degrees }, []);
    expect(first?.lonLat?.[0]).toBeCloseTo(-169.99999, 9);
    expect(first?.ground?.lengthM).toBeGreaterThan(1);
  });

  test("a corner that the CRS cannot express leaves longitude, latitude and size open", () => {
    const horizon: Crs = { ...degrees, toLonLat: () => [Number.NaN, Number.NaN] };
    const [first] = locate(upright, { transform: northUp(0, 0), crs: horizon }, []);
    expect(first?.map).toBeDefined();
    expect(first?.lonLat).toBeUndefined();
    expect(first?.ground).toBeUndefined();
  });

  test("passes a stream on in order", async () => {
    async function* batches() {
      yield upright;
      yield upright;
    }
    const scores: number[] = [];
    for await (const { score } of georeference(
      batches(),
      { transform: undefined, crs: undefined },
      [],
    )) {
      scores.push(score);
    }
    expect(scores).toEqual([0.75, 0.5, 0.75, 0.5]);
  });
});

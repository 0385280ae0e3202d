import geodesic from "geographiclib-geodesic";
import { describe, expect, test } from "vitest";
import type { Affine, Crs } from "../../datasets/index.ts";
import {
  chooseLevel,
  chooseResampling,
  groundResolution,
  workingGrid,
} from "../../pipeline/resolution.ts";

const degrees: Crs = {
  epsg: 4326,
  name: "WGS 84",
  kind: "geographic",
  metresPerUnit: undefined,
  definition: "EPSG:4326",
  toLonLat: (x, y) => [x, y],
  fromLonLat: (x, y) => [x, y],
};
const R = 6378137;
const webMercator: Crs = {
  ...degrees,
  epsg: 3857,
  kind: "projected",
  metresPerUnit: 1,
  toLonLat: (x, y) => [
    (x / R) * (180 / Math.PI),
    (2 * Math.atan(Math.exp(y / R)) - Math.PI / 2) * (180 / Math.PI),
  ],
};
/** 1000 × 1000 px, north up, the middle at the given place. */
const sceneAt = (crs: Crs | undefined, x: number, y: number, step: number) => {
  const transform: Affine = [step, 0, x - 500 * step, 0, -step, y + 500 * step];
  return { width: 1000, height: 1000, transform, crs };
};
/** Square pixels of the given size on the ground at latitude 60. */
const metric = (m: number) => {
  const y = R * Math.log(Math.tan(Math.PI / 4 + Math.PI / 6));
  const { x: one } = groundResolution(sceneAt(webMercator, 0, y, 1)) ?? { x: 0 };
  return sceneAt(webMercator, 0, y, m / one);
};

describe("groundResolution", () => {
  test("a degree at latitude 60 is half as long along a row", () => {
    const gsd = groundResolution(sceneAt(degrees, 10, 60, 1e-5));
    const wgs84 = geodesic.Geodesic.WGS84;
    expect(gsd?.x).toBeCloseTo((wgs84.Inverse(60, 9.9995, 60, 10.0005).s12 ?? 0) / 100, 6);
    expect(gsd?.y).toBeCloseTo((wgs84.Inverse(59.9995, 10, 60.0005, 10).s12 ?? 0) / 100, 6);
  });

  test("a metre of Web Mercator at latitude 60 is half a metre on the ground", () => {
    const y = R * Math.log(Math.tan(Math.PI / 4 + Math.PI / 6));
    expect(groundResolution(sceneAt(webMercator, 0, y, 1))?.x).toBeCloseTo(0.5013, 3);
  });

  test("a scene across the date line is measured like any other", () => {
    expect(groundResolution(sceneAt(degrees, 180, 60, 1e-5))?.x).toBeCloseTo(0.558, 5);
  });

  test("no CRS, no resolution", () => {
    expect(groundResolution(sceneAt(undefined, 0, 0, 1))).toBeUndefined();
  });

  test("a projection that has no answer is as good as none", () => {
    const lost = {
      ...degrees,
      toLonLat: (): readonly [number, number] => [Number.NaN, Number.NaN],
    };
    expect(groundResolution(sceneAt(lost, 0, 0, 1))).toBeUndefined();
  });
});

describe("chooseResampling", () => {
  test("says in one line what it does", () => {
    const { scaleX, message } = chooseResampling(metric(0.1), { from: 0.3, to: 0.3 });
    expect(message).toBe("gsd: raster 0.10 m, model 0.30 m → resampling ×0.33");
    expect(scaleX).toBeCloseTo(1 / 3, 2);
  });

  test("goes to the nearer end of a range", () => {
    expect(chooseResampling(metric(0.1), { from: 0.2, to: 0.5 }).scaleX).toBeCloseTo(0.5, 2);
    expect(chooseResampling(metric(1), { from: 0.2, to: 0.5 }).scaleX).toBeCloseTo(2, 2);
  });

  test("inside the range nothing is resampled", () => {
    const inside = chooseResampling(metric(0.3), { from: 0.2, to: 0.5 });
    expect(inside).toMatchObject({ scaleX: 1, scaleY: 1, unknown: false });
    expect(inside.message).toBe("gsd: raster 0.30 m, model 0.20–0.50 m → not resampled");
  });

  test("pixels that are not square on the ground become square", () => {
    const oblong = chooseResampling(sceneAt(degrees, 10, 60, 1e-5), { from: 0.1, to: 2 });
    expect(oblong.scaleX / oblong.scaleY).toBeCloseTo(0.558 / 1.1141, 3);
    expect(oblong.message).toMatch(
      /raster 0\.56 × 1\.11 m, model 0\.10–2\.00 m → resampling ×0\.71 by 1\.41/,
    );
  });

  test("unknown on either side: scale 1, and it says so", () => {
    expect(chooseResampling(metric(0.3), undefined)).toMatchObject({
      scaleX: 1,
      unknown: true,
      message: "gsd: raster 0.30 m, model unknown → not resampled",
    });
    expect(chooseResampling(sceneAt(undefined, 0, 0, 1), { from: 1, to: 1 })).toMatchObject({
      scaleX: 1,
      unknown: true,
      message: "gsd: raster unknown, model 1.00 m → not resampled",
    });
  });

  test("beyond a factor of eight it refuses unless forced", () => {
    expect(() => chooseResampling(metric(0.02), { from: 0.3, to: 0.3 })).toThrow(
      /within a factor of 8/,
    );
    expect(
      chooseResampling(metric(0.02), { from: 0.3, to: 0.3 }, { force: true }).scaleX,
    ).toBeCloseTo(1 / 15, 3);
  });

  test("a stated resolution wins over the file's", () => {
    expect(chooseResampling(metric(0.02), { from: 0.3, to: 0.3 }, { rasterGsdM: 0.6 }).scaleX).toBe(
      2,
    );
  });
});

describe("workingGrid", () => {
  test("edges of the grid are edges of the scene", () => {
    const grid = workingGrid({ width: 1000, height: 333 }, 1 / 3);
    expect(grid).toEqual({ width: 333, height: 111, scaleX: 0.333, scaleY: 111 / 333 });
  });

  test("there is always a pixel", () => {
    expect(workingGrid({ width: 3, height: 2 }, 0.1)).toMatchObject({ width: 1, height: 1 });
  });
});

describe("chooseLevel", () => {
  const level = (width: number) => ({ width, height: width, blockWidth: 256, blockHeight: 256 });
  const scene = { width: 1000, height: 1000, levels: [level(1000), level(500), level(250)] };

  test("takes the coarsest level that has enough pixels", () => {
    expect(chooseLevel(scene, workingGrid(scene, 1))).toBe(0);
    expect(chooseLevel(scene, workingGrid(scene, 0.6))).toBe(0);
    expect(chooseLevel(scene, workingGrid(scene, 0.5))).toBe(1);
    expect(chooseLevel(scene, workingGrid(scene, 0.3))).toBe(1);
    expect(chooseLevel(scene, workingGrid(scene, 0.1))).toBe(2);
    expect(chooseLevel(scene, workingGrid(scene, 3))).toBe(0);
  });
});

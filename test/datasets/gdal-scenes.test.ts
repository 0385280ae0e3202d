/** Every raster of the data folder against what GDAL says of it (fixtures/gdal-scenes.py). */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { apply, type Scene } from "../../datasets/index.ts";
import { openScene } from "../../datasets/node.ts";
import { openGeoTiff } from "../../datasets/readers/geotiff.ts";
import { fileSource } from "../../datasets/readers/byte-source-node.ts";
import { gdalChecksum } from "./gdal-checksum.ts";
import { allEpsg } from "../../datasets/crs/epsg-node.ts";

type Sample = readonly [x: number, y: number, values: readonly (number | "nan")[], valid: number];

interface GdalFacts {
  readonly width: number;
  readonly height: number;
  readonly type: string;
  readonly roles: readonly string[];
  readonly transform: readonly number[] | null;
  readonly epsg: number | null;
  readonly lonLatCorners: readonly (readonly [number, number])[] | null;
  readonly gcps: readonly (readonly [number, number, number, number])[];
  readonly gcpCount: number;
  readonly nodata: number | null;
  readonly overviews: readonly (readonly [number, number])[];
  readonly jpeg: boolean;
  readonly samples: readonly Sample[];
  /** GDAL's checksum of each band; absent for floats and for rasters too large for a test. */
  readonly checksums?: readonly number[];
  readonly overview?: { readonly level: number; readonly samples: readonly Sample[] };
  readonly palette?: readonly (readonly number[])[];
}

const folder = join(process.env["NADIR_DATA"] ?? "../shared/data", "scenes");
const present = existsSync(folder);
if (!present) console.warn(`skipped: the scenes of GDAL's numbers are not in ${folder}`);

const fixture = new URL("../fixtures/gdal-scenes.json", import.meta.url);
const facts = JSON.parse(readFileSync(fixture, "utf8")) as Record<string, GdalFacts>;

/** GDAL's name of each type. */
const TYPES: Readonly<Record<string, string>> = {
  uint8: "Byte",
  uint16: "UInt16",
  int16: "Int16",
  float32: "Float32",
};

/** Metres on the ground that 1e-9 degrees are at most; proj4js and PROJ differ by less. */
const DEGREES_TOLERANCE = 1e-9;

/** Largest difference of any value from GDAL's, in levels. */
async function worst(scene: Scene, samples: readonly Sample[], level: number): Promise<number> {
  let difference = 0;
  for (const [x, y, values, valid] of samples) {
    const { bands, valid: ours } = await scene.read({ x, y, width: 1, height: 1 }, { level });
    expect({ x, y, level, valid: ours?.[0] ?? 1 }).toEqual({ x, y, level, valid });
    values.forEach((value, band) => {
      const mine = bands[band]?.[0] ?? Number.NaN;
      if (value === "nan") expect(mine).toBeNaN();
      else difference = Math.max(difference, Math.abs(mine - value));
    });
  }
  return difference;
}

describe.skipIf(!present)("the scenes of the data folder", () => {
  test.each(Object.entries(facts))("%s is what GDAL says it is", async (name, gdal) => {
    await using scene = await openScene(join(folder, name));
    expect([scene.width, scene.height]).toEqual([gdal.width, gdal.height]);
    expect(TYPES[scene.sampleType]).toBe(gdal.type);
    expect(scene.bands.map(({ role }) => role)).toEqual(
      gdal.roles.map((role) => role.toLowerCase().replace("gray", "grey")),
    );
    expect(scene.nodata ?? null).toBe(gdal.nodata);
    expect(scene.levels.slice(1).map(({ width, height }) => [width, height])).toEqual(
      gdal.overviews,
    );
    expect(scene.crs?.epsg ?? null).toBe(gdal.epsg);
    expect(scene.gcps).toHaveLength(gdal.gcpCount);
    gdal.gcps.forEach(([column, row, x, y], i) => {
      expect(scene.gcps[i]).toEqual({ column, row, x, y });
    });
    const [c, a, b, f, d, e] = gdal.transform ?? [];
    expect(scene.transform).toEqual(gdal.transform === null ? undefined : [a, b, c, d, e, f]);
    if (gdal.palette !== undefined) {
      expect([...(scene.palette ?? [])]).toEqual(gdal.palette.flat());
    }
  });

  test.each(Object.entries(facts))("%s has GDAL's pixels", async (name, gdal) => {
    await using scene = await openScene(join(folder, name));
    expect(await worst(scene, gdal.samples, 0)).toBe(0);
    if (gdal.overview !== undefined) {
      expect(await worst(scene, gdal.overview.samples, gdal.overview.level)).toBe(0);
    }
  });

  test.each(Object.entries(facts).filter(([, { checksums }]) => checksums !== undefined))(
    "%s has GDAL's checksums over all pixels, read in windows across its blocks",
    async (name, { width, height, checksums = [] }) => {
      await using scene = await openScene(join(folder, name));
      const sums = checksums.map(() => 0);
      for (let y = 0; y < height; y += 100) {
        const rows = Math.min(100, height - y);
        const { bands } = await scene.read({ x: 0, y, width, height: rows });
        bands.forEach((band, i) => {
          sums[i] = gdalChecksum(sums[i] ?? 0, band, y * width);
        });
      }
      expect(sums).toEqual(checksums);
    },
  );

  test.each(Object.entries(facts).filter(([, { lonLatCorners }]) => lonLatCorners !== null))(
    "%s has its corners where GDAL has them",
    async (name, { width, height, lonLatCorners }) => {
      await using scene = await openScene(join(folder, name));
      const { transform, crs } = scene;
      if (transform === undefined || crs === undefined) throw new Error("not georeferenced");
      for (const [i, [x, y]] of [
        [0, 0],
        [width, 0],
        [width, height],
        [0, height],
      ].entries()) {
        const map = apply(transform, x ?? 0, y ?? 0);
        const [lon, lat] = crs.toLonLat(...map);
        expect(Math.abs(lon - (lonLatCorners?.[i]?.[0] ?? Number.NaN))).toBeLessThan(
          DEGREES_TOLERANCE,
        );
        expect(Math.abs(lat - (lonLatCorners?.[i]?.[1] ?? Number.NaN))).toBeLessThan(
          DEGREES_TOLERANCE,
        );
        const [backX, backY] = crs.fromLonLat(lon, lat);
        const unit = crs.metresPerUnit === undefined ? 1e-9 : 1e-4;
        expect(Math.abs(backX - map[0])).toBeLessThan(unit);
        expect(Math.abs(backY - map[1])).toBeLessThan(unit);
      }
    },
  );

  // What a browser has instead of libjpeg-turbo: it repeats chroma over the pixels that share it, where GDAL
  // interpolates, so colours differ along edges; the mean shows that nothing is shifted or unconverted.
  test.each(Object.entries(facts).filter(([, { jpeg }]) => jpeg))(
    "%s is close to GDAL's colours through the portable JPEG decoder",
    async (name, { samples }) => {
      await using scene = await openGeoTiff(await fileSource(join(folder, name)), {
        lookup: allEpsg,
      });
      const differences: number[] = [];
      for (const [x, y, values] of samples) {
        const { bands } = await scene.read({ x, y, width: 1, height: 1 });
        values.forEach((value, band) => {
          differences.push(Math.abs((bands[band]?.[0] ?? Number.NaN) - Number(value)));
        });
      }
      const mean = differences.reduce((sum, value) => sum + value, 0) / differences.length;
      expect(mean).toBeLessThan(2);
      expect(Math.max(...differences)).toBeLessThan(40);
    },
  );
});

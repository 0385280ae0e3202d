import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  type Affine,
  crsFromEpsg,
  type GeoTiffImage,
  memorySink,
  openSceneFromBlob,
  type ReadPixels,
  type SampleType,
  SceneError,
  writeGeoTiff,
} from "../../datasets/index.ts";
import { openScene, writeGeoTiffFile } from "../../datasets/node.ts";
import { allocate } from "../../datasets/readers/samples.ts";
import { expectSamePixels } from "./same-pixels.ts";

let folder = "";
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "nadir-write-"));
});
afterAll(() => rm(folder, { recursive: true }));

/** A value that tells its place and band, within the type. */
function valueAt(x: number, y: number, band: number, type: SampleType): number {
  const value = x * 7 + y * 13 + band * 101;
  if (type.startsWith("float")) return value / 8 - 20;
  if (type === "uint8") return value % 256;
  if (type === "int8") return (value % 256) - 128;
  return value % 30_000;
}

function pixelsOf(type: SampleType, bands: number): ReadPixels {
  return ({ x, y, width, height }) =>
    Array.from({ length: bands }, (_, band) => {
      const plane = allocate(type, width * height);
      plane.forEach((_value, i) => {
        plane[i] = valueAt(x + (i % width), y + Math.floor(i / width), band, type);
      });
      return plane;
    });
}

async function written(image: GeoTiffImage, pixels: ReadPixels): Promise<Blob> {
  const sink = memorySink();
  await writeGeoTiff(sink, image, pixels);
  return new Blob([sink.bytes()]);
}

const north: Affine = [0.5, 0, 500_000, 0, -0.5, 4_600_000];
const rotated: Affine = [0.4, 0.3, 500_000, 0.3, -0.4, 4_600_000];
const grey = { role: "grey" } as const;
const other = { role: "undefined" } as const;
const types = fc.constantFrom<SampleType>(
  ...(["uint8", "int8", "uint16", "int16", "uint32", "int32", "float32", "float64"] as const),
);

describe("writeGeoTiff", () => {
  test("what is written is read again, whatever the size, type, bands and compression", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 90 }),
        fc.integer({ min: 1, max: 90 }),
        types,
        fc.integer({ min: 1, max: 5 }),
        fc.constantFrom("deflate", "none"),
        async (width, height, sampleType, count, compression) => {
          const bands = [grey, ...Array.from({ length: count - 1 }, () => other)];
          const image = { width, height, sampleType, bands, compression, tileSizePx: 32 } as const;
          const pixels = pixelsOf(sampleType, count);
          await using scene = await openSceneFromBlob(await written(image, pixels), "x.tif");
          const whole = { x: 0, y: 0, width, height };
          expect(scene.sampleType).toBe(sampleType);
          expectSamePixels((await scene.read(whole)).bands, await pixels(whole));
        },
      ),
      { numRuns: 60 },
    );
  });

  test("place, CRS, nodata and roles are kept", async () => {
    const bands = [
      { role: "red" },
      { role: "green" },
      { role: "blue" },
      { role: "alpha" },
    ] as const;
    for (const [transform, code] of [
      [north, 32633],
      [rotated, 26914],
      [[1e-5, 0, 13, 0, -1e-5, 52] as Affine, 4326],
    ] as const) {
      const image = { width: 40, height: 30, sampleType: "uint8", bands, transform } as const;
      const options = { ...image, crs: crsFromEpsg(code), nodata: -10_000 };
      const file = await written(options, pixelsOf("uint8", 4));
      await using scene = await openSceneFromBlob(file, "x.tif");
      expect(scene.transform).toEqual(transform);
      expect(scene.crs?.epsg).toBe(code);
      expect(scene.nodata).toBe(-10_000);
      expect(scene.bands.map(({ role }) => role)).toEqual(bands.map(({ role }) => role));
    }
  });

  test("an overview holds the mean of four pixels, without nodata among them", async () => {
    const size = { width: 150, height: 101 };
    const image = {
      ...size,
      sampleType: "float32",
      bands: [grey],
      tileSizePx: 32,
      nodata: -9,
      overviews: true,
    } as const;
    const at = (x: number, y: number): number => (x === 3 && y === 5 ? -9 : x * 1000 + y);
    const pixels: ReadPixels = ({ x, y, width, height }) => [
      Float32Array.from({ length: width * height }, (_, i) =>
        at(x + (i % width), y + Math.floor(i / width)),
      ),
    ];
    await using scene = await openSceneFromBlob(await written(image, pixels), "x.tif");
    expect(scene.levels.map(({ width, height }) => [width, height])).toEqual([
      [150, 101],
      [75, 51],
      [38, 26],
      [19, 13],
    ]);
    const { bands } = await scene.read({ x: 0, y: 0, width: 75, height: 51 }, { level: 1 });
    const level1 = bands[0] ?? [];
    expect(level1[40 * 75 + 60]).toBe((at(120, 80) + at(121, 80) + at(120, 81) + at(121, 81)) / 4);
    expect(level1[2 * 75 + 1]).toBe(Math.fround((at(2, 4) + at(3, 4) + at(2, 5)) / 3));
    expect(level1[50 * 75 + 74]).toBe((at(148, 100) + at(149, 100)) / 2);
    const coarsest = await scene.read({ x: 0, y: 0, width: 19, height: 13 }, { level: 3 });
    // The mean over 8 × 8 pixels from (80, 40): its centre.
    expect(coarsest.bands[0]?.[5 * 19 + 10]).toBeCloseTo(83.5 * 1000 + 43.5, 1);
  });

  test("NaN as nodata, and infinite pixels, come back as no data", async () => {
    const values = Float32Array.of(1, Number.NaN, Number.POSITIVE_INFINITY, -Infinity, 0);
    const size = { width: 5, height: 1, tileSizePx: 16 } as const;
    const image = { ...size, sampleType: "float32", bands: [grey], nodata: Number.NaN } as const;
    await using scene = await openSceneFromBlob(await written(image, () => [values]), "x.tif");
    expect(scene.nodata).toBeNaN();
    const { valid } = await scene.read({ x: 0, y: 0, width: 5, height: 1 });
    expect([...(valid ?? [])]).toEqual([1, 0, 0, 0, 1]);
  });

  test("a file appears under its name only when it is whole", async () => {
    const image = {
      width: 64,
      height: 64,
      sampleType: "uint8",
      bands: [grey],
      tileSizePx: 32,
    } as const;
    const path = join(folder, "partial.tif");
    const failing: ReadPixels = (window) => {
      if (window.y > 0) throw new Error("the camera is off");
      return pixelsOf("uint8", 1)(window);
    };
    await expect(writeGeoTiffFile(path, image, failing)).rejects.toThrow("the camera is off");
    expect(await readdir(folder)).toEqual([]);
    await writeGeoTiffFile(path, image, pixelsOf("uint8", 1));
    expect(await readdir(folder)).toEqual(["partial.tif"]);
    await using scene = await openScene(path);
    expect(scene.width).toBe(64);
  });

  test("no pixels, odd tiles, missing bands and a CRS without a code are refused", async () => {
    const image = { width: 8, height: 8, sampleType: "uint8", bands: [grey] } as const;
    const pixels = pixelsOf("uint8", 1);
    await expect(written({ ...image, width: 0 }, pixels)).rejects.toThrow(SceneError);
    await expect(written({ ...image, tileSizePx: 20 }, pixels)).rejects.toThrow(/multiple of 16/);
    await expect(written({ ...image, bands: [grey, grey] }, pixels)).rejects.toThrow(
      /2 bands of 64/,
    );
    const crs = { epsg: undefined, kind: "projected", name: "Mars" } as const;
    await expect(written({ ...image, crs }, pixels)).rejects.toThrow(/EPSG code.*Mars/);
  });
});

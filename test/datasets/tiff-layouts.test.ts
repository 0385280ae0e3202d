/** TIFFs of every layout that GDAL writes, against its checksums (fixtures/gdal-tiffs.py). */
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import type { Scene } from "../../datasets/index.ts";
import { openScene } from "../../datasets/node.ts";
import { fileSource } from "../../datasets/readers/byte-source-node.ts";
import { openGeoTiff } from "../../datasets/readers/geotiff.ts";
import { gdalChecksum } from "./gdal-checksum.ts";

interface Facts {
  /** Of integers; floats are compared by their sums, since the checksum rounds. */
  readonly checksums: readonly number[] | null;
  readonly sums: readonly number[];
  readonly valid: number;
}

interface Fixture {
  readonly width: number;
  readonly height: number;
  readonly files: Readonly<Record<string, Facts>>;
}

const folder = new URL("../fixtures/tiff/", import.meta.url);
const fixture = JSON.parse(readFileSync(new URL("../gdal-tiffs.json", folder), "utf8")) as Fixture;
const { width, height } = fixture;
const files = Object.entries(fixture.files);

/** The facts of a scene as GDAL states them. */
async function factsOf(scene: Scene, { checksums, sums }: Facts): Promise<Facts> {
  const { bands, valid } = await scene.read({ x: 0, y: 0, width, height });
  const rounded = bands.map((band, i) => {
    const sum = [...band].reduce((total, value) => total + value, 0);
    // numpy adds in another order: rounding of 1,665 terms.
    return Math.abs(sum - (sums[i] ?? Number.NaN)) < 1e-9 ? sums[i] : sum;
  });
  return {
    checksums: checksums && bands.map((band) => gdalChecksum(0, band, 0)),
    sums: rounded.map((sum) => sum ?? Number.NaN),
    valid: valid?.reduce((total, value) => total + value, 0) ?? width * height,
  };
}

const pathOf = (name: string): string => fileURLToPath(new URL(`${name}.tif`, folder));

describe("TIFF layouts", () => {
  test.each(files)("%s reads as GDAL reads it", async (name, facts) => {
    await using scene = await openScene(pathOf(name));
    expect(await factsOf(scene, facts)).toEqual(facts);
  });

  // WebP needs a browser's own decoder, and the portable JPEG decoder rounds differently from libjpeg-turbo.
  const portable = files.filter(([name]) => !/^(jpeg|webp)/.test(name));
  test.each(portable)("%s reads the same through the portable decoders", async (name, facts) => {
    await using scene = await openGeoTiff(await fileSource(pathOf(name)));
    expect(await factsOf(scene, facts)).toEqual(facts);
  });

  // libjpeg-turbo and the portable decoder differ by rounding, and by chroma that is repeated, not interpolated.
  const jpegs = files.filter(([name]) => name.startsWith("jpeg"));
  test.each(jpegs)("%s is close through the portable decoder", async (name, { sums }) => {
    await using scene = await openGeoTiff(await fileSource(pathOf(name)));
    const { bands } = await scene.read({ x: 0, y: 0, width, height });
    bands.forEach((band, i) => {
      const mean = [...band].reduce((sum, value) => sum + value, 0) / band.length;
      expect(Math.abs(mean - (sums[i] ?? Number.NaN) / band.length)).toBeLessThan(0.5);
    });
  });
});

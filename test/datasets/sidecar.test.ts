import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import sharp from "sharp";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { apply, type ReadPixels } from "../../datasets/index.ts";
import { openScene, writeGeoTiffFile } from "../../datasets/node.ts";

let root = "";
let folder = "";
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), "nadir-beside-"));
});
afterAll(() => rm(root, { recursive: true }));
beforeEach(async () => {
  folder = await mkdtemp(join(root, "case-"));
  const image = sharp({ create: { width: 8, height: 6, channels: 3, background: "olive" } });
  await image.png().toFile(join(folder, "photo.png"));
});

const put = (name: string, text: string): Promise<void> => writeFile(join(folder, name), text);
const photo = () => openScene(join(folder, "photo.png"));

/** As GDAL writes it for EPSG:32633. */
const UTM33 =
  'PROJCS["WGS 84 / UTM zone 33N",GEOGCS["WGS 84",DATUM["WGS_1984",SPHEROID["WGS 84",6378137,298.257223563]],PRIMEM["Greenwich",0],UNIT["degree",0.0174532925199433]],PROJECTION["Transverse_Mercator"],PARAMETER["latitude_of_origin",0],PARAMETER["central_meridian",15],PARAMETER["scale_factor",0.9996],PARAMETER["false_easting",500000],PARAMETER["false_northing",0],UNIT["metre",1],AUTHORITY["EPSG","32633"]]';

describe("files beside a scene", () => {
  test("a world file gives the centre of the first pixel, a .prj the CRS", async () => {
    await put("photo.pgw", "0.5\n0\n0\n-0.5\n500000.25\n4599999.75\n");
    await put("photo.prj", UTM33);
    await using scene = await photo();
    expect(scene.transform).toEqual([0.5, 0, 500_000, 0, -0.5, 4_600_000]);
    expect(scene.crs?.epsg).toBe(32633);
    expect(scene.warnings).toEqual([]);
  });

  test("a rotated world file maps the centre of the first pixel to what it says", async () => {
    await put("photo.wld", "0.4 0.3 0.3 -0.4 100 200");
    await using scene = await photo();
    const transform = scene.transform ?? [0, 0, 0, 0, 0, 0];
    expect(apply(transform, 0.5, 0.5)).toEqual([100, 200]);
    expect(apply(transform, 1.5, 0.5)).toEqual([100.4, 200.3]);
    expect(scene.warnings).toEqual(["no CRS: map coordinates are of an unknown system"]);
  });

  test("GDAL's .aux.xml gives both", async () => {
    const srs = `<SRS dataAxisToSRSAxisMapping="1,2">${UTM33.replaceAll('"', "&quot;")}</SRS>`;
    const transform = "<GeoTransform> 5.0e+05, 0.5, 0, 4.6e+06, 0, -0.5</GeoTransform>";
    await put("photo.png.aux.xml", `<PAMDataset>${srs}${transform}</PAMDataset>`);
    await using scene = await photo();
    expect(scene.transform).toEqual([0.5, 0, 500_000, 0, -0.5, 4_600_000]);
    expect(scene.crs?.epsg).toBe(32633);
  });

  test("the caller's CRS goes before the one beside", async () => {
    await put("photo.pgw", "1 0 0 -1 0.5 -0.5");
    await put("photo.prj", UTM33);
    await using scene = await openScene(join(folder, "photo.png"), { crs: "EPSG:3857" });
    expect(scene.crs?.epsg).toBe(3857);
  });

  test("overviews come from the .ovr beside a scene, with the scene's nodata", async () => {
    const path = join(folder, "scene.tif");
    const image = { sampleType: "uint8", bands: [{ role: "grey" }], tileSizePx: 16 } as const;
    const flat =
      (value: number): ReadPixels =>
      (window) => [new Uint8Array(window.width * window.height).fill(value)];
    await writeGeoTiffFile(path, { ...image, width: 64, height: 48, nodata: 9 }, flat(5));
    const half = { ...image, width: 32, height: 24, overviews: true };
    await writeGeoTiffFile(`${path}.ovr`, half, flat(9));
    await using scene = await openScene(path);
    expect(scene.levels.map(({ width, height }) => [width, height])).toEqual([
      [64, 48],
      [32, 24],
      [16, 12],
    ]);
    const corner = { x: 0, y: 0, width: 1, height: 1 };
    const { bands, valid } = await scene.read(corner, { level: 2 });
    expect([bands[0]?.[0], valid?.[0]]).toEqual([9, 0]);
    expect((await scene.read(corner)).bands[0]?.[0]).toBe(5);
    await expect(scene.read(corner, { level: 3 })).rejects.toThrow(RangeError);
  });

  test("an .ovr of another scene is left alone, and said so", async () => {
    const path = join(folder, "scene.tif");
    const image = {
      width: 20,
      height: 20,
      sampleType: "uint8",
      bands: [{ role: "grey" }],
    } as const;
    const black: ReadPixels = ({ width, height }) => [new Uint8Array(width * height)];
    await writeGeoTiffFile(path, image, black);
    await writeGeoTiffFile(`${path}.ovr`, { ...image, width: 40 }, black);
    await using scene = await openScene(path);
    expect(scene.levels).toHaveLength(1);
    expect(scene.warnings.join()).toMatch(/scene\.tif\.ovr is of another scene/);
  });

  test("a damaged world file is refused by name", async () => {
    await put("photo.pgw", "1 0 0 one");
    await expect(photo()).rejects.toThrow(/photo\.pgw: a world file must hold six numbers/);
  });
});

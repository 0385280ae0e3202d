import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import sharp from "sharp";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { apply } from "../../datasets/index.ts";
import { openScene } from "../../datasets/node.ts";

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

describe("files beside a picture", () => {
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

  test("a damaged world file is refused by name", async () => {
    await put("photo.pgw", "1 0 0 one");
    await expect(photo()).rejects.toThrow(/photo\.pgw: a world file must hold six numbers/);
  });
});

import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import sharp from "sharp";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { crsFromEpsg, readLabels } from "../../../datasets/node.ts";
import type { Detections } from "../../../datasets/index.ts";
import type { FoundObject, OutputContext } from "../../../pipeline/index.ts";
import { locate, readResult } from "../../../pipeline/index.ts";
import { convertLabels, openOutput } from "../../../pipeline/node.ts";
import { context as other, objects } from "./objects.ts";

let folder = "";
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "nadir-convert-"));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** The other tests' scene, but where it truly lies. */
const context: OutputContext = { ...other, scene: { ...other.scene, crs: crsFromEpsg(32633) } };

/** Their objects, located there. */
function found(): readonly FoundObject[] {
  return [...objects(40)].flatMap(({ corners, score, classIndex }) => {
    const one: Detections<"scene"> = {
      count: 1,
      boxes: { kind: "oriented", frame: "scene", corners },
      scores: Float32Array.of(score),
      classes: Uint16Array.of(classIndex),
    };
    return [...locate(one, context.scene, context.classes)];
  });
}

async function result(crs: OutputContext["crs"]): Promise<string> {
  const path = join(folder, `${crs}.geojson`);
  await using output = await openOutput("geojson", path, { ...context, crs });
  for (const object of found()) await output.write(object);
  await output.finish();
  return path;
}

describe("a GeoJSON result", () => {
  test.each(["wgs84", "source", "pixel"] as const)(
    "in %s finds its pixels again without the scene",
    async (crs) => {
      const path = await result(crs);
      const read = readResult(await readFile(path, "utf8"), path, {
        crsFrom: () => crsFromEpsg(32633),
      });
      expect(read.classes).toEqual(context.classes);
      found().forEach((object, i) => {
        const again = read.objects[i];
        expect(again).toMatchObject({ class: object.class, oriented: true });
        expect(again?.ground?.lengthM).toBeCloseTo(object.ground?.lengthM ?? 0, 2);
        // The ring may start at another corner: the nearest of the four is the one.
        for (let k = 0; k < 8; k += 2) {
          const distances = [0, 2, 4, 6].map((j) =>
            Math.hypot(
              (again?.corners[j] ?? 0) - (object.corners[k] ?? 0),
              (again?.corners[j + 1] ?? 0) - (object.corners[k + 1] ?? 0),
            ),
          );
          expect(Math.min(...distances)).toBeLessThan(2e-6);
        }
      });
    },
  );

  test("becomes other outputs, and labels of its image", async () => {
    const path = await result("wgs84");
    const csv = join(folder, "out.csv");
    await expect(convertLabels("geojson", path, "csv", csv)).resolves.toEqual({
      images: 1,
      objects: 40,
    });
    expect((await readFile(csv, "utf8")).split("\r\n")).toHaveLength(42);
    await convertLabels("geojson", path, "coco", join(folder, "out.json"));
    const { dataset } = await readLabels("coco", join(folder, "out.json"));
    expect(dataset.images).toMatchObject([{ file: "harbour one.tif", width: 4000, height: 3000 }]);
    expect(dataset.images[0]?.objects).toHaveLength(40);
    await expect(convertLabels("coco", join(folder, "out.json"), "gpkg", "x.gpkg")).rejects.toThrow(
      /convert: from coco the way leads to coco, dota, .*, received gpkg/,
    );
  });
});

describe("a GeoJSON set of several images", () => {
  test("is labels, not a result", async () => {
    const image = (file: string) => ({ file, width: 10, height: 10 });
    const nadir = { coordinates: "pixel", images: [image("a.png"), image("b.png")] };
    const text = JSON.stringify({ type: "FeatureCollection", nadir, features: [] });
    expect(() => readResult(text, "set.geojson")).toThrow(
      "set.geojson: a result must be of one scene, received 2",
    );
  });
});

describe("label sets", () => {
  test("go from DOTA through COCO to YOLO-OBB and keep every corner", async () => {
    const root = join(folder, "set");
    await mkdir(join(root, "images"), { recursive: true });
    await mkdir(join(root, "labelTxt"));
    const image = sharp({ create: { width: 200, height: 100, channels: 3, background: "#345" } });
    await image.png().toFile(join(root, "images", "P0001.png"));
    const line = "10 20 50 30 48 38 8 28 large-vehicle 1";
    await writeFile(
      join(root, "labelTxt", "P0001.txt"),
      `imagesource:GoogleEarth\ngsd:0.25\n${line}\n`,
    );

    await convertLabels("dota", root, "coco", join(root, "gt.json"));
    const coco = await readLabels("coco", join(root, "gt.json"));
    expect(coco.dataset.images).toMatchObject([{ file: "images/P0001.png", gsdM: 0.25 }]);
    await convertLabels("coco", join(root, "gt.json"), "yolo-obb", root);
    const { dataset } = await readLabels("yolo-obb", root);
    expect(dataset.classes).toEqual(["large-vehicle"]);
    const [label] = dataset.images[0]?.objects ?? [];
    [10, 20, 50, 30, 48, 38, 8, 28].forEach((value, i) => {
      expect(label?.corners?.[i]).toBeCloseTo(value, 6);
    });
  });
});

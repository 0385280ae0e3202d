import { existsSync } from "node:fs";
import { mkdtemp, mkdir, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import sharp from "sharp";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { LabelFormat, LabelledDataset } from "../../../datasets/index.ts";
import {
  LabelsError,
  boxLabel,
  checked,
  cornersLabel,
  withoutFaults,
} from "../../../datasets/index.ts";
import { readLabels, writeLabels } from "../../../datasets/node.ts";

let folder = "";
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "nadir-labels-"));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const facts = { id: undefined, gsdM: undefined, labelledClasses: undefined };

function setOf(format: LabelFormat): LabelledDataset {
  const prefix = format.startsWith("yolo") ? "images/" : "";
  const label = (classIndex: number, x: number) =>
    format === "dota" || format === "yolo-obb"
      ? cornersLabel(classIndex, [x, 10, x + 8, 14, x + 6, 18, x - 2, 14])
      : boxLabel(classIndex, [x, 10, x + 8, 18]);
  return {
    classes: ["plane", "ship"],
    images: [
      {
        ...facts,
        file: `${prefix}train/a.png`,
        width: 64,
        height: 32,
        objects: [label(0, 8), label(1, 32)],
      },
      { ...facts, file: `${prefix}train/b.png`, width: 64, height: 32, objects: [] },
      { ...facts, file: `${prefix}val/c.png`, width: 64, height: 32, objects: [label(1, 16)] },
    ],
  };
}

async function drawImages(root: string, set: LabelledDataset): Promise<void> {
  const image = sharp({ create: { width: 64, height: 32, channels: 3, background: "#345" } });
  for (const { file } of set.images) {
    await mkdir(dirname(join(root, file)), { recursive: true });
    await image.clone().png().toFile(join(root, file));
  }
}

describe.each(["yolo", "yolo-obb", "dota", "voc"] as const)("a folder of %s", (format) => {
  test("read after written is what was written, images without objects included", async () => {
    const root = join(folder, format);
    const set = setOf(format);
    await writeLabels(format, set, root);
    await drawImages(format === "dota" ? join(root, "images") : root, set);
    const { dataset } = await readLabels(format, root, { classes: set.classes });
    expect(dataset).toEqual(set);
    const names = await readdir(root, { recursive: true });
    expect(names.filter((name) => name.endsWith(".partial"))).toEqual([]);
  });
});

describe("a folder", () => {
  test("of DOTA labels without an image says which, and keeps the others", async () => {
    const root = join(folder, "lonely");
    await writeLabels("dota", setOf("dota"), root);
    const [first, ...others] = setOf("dota").images;
    await drawImages(join(root, "images"), { classes: [], images: others });
    const { dataset } = await readLabels("dota", root, { classes: ["plane", "ship"] });
    const { dataset: whole, faults } = withoutFaults(dataset, root);
    expect(first?.file).toBe("train/a.png");
    expect(whole.images).toEqual(others);
    expect(faults).toHaveLength(1);
    expect(faults[0]?.message).toMatch(
      /labelTxt\/train\/a\.txt: must have an image of its name in .*, received none/,
    );
    expect(() => checked(dataset, root)).toThrow(LabelsError);
  });

  test("with nothing in it, or that is none, says so", async () => {
    const root = join(folder, "empty");
    await mkdir(root);
    await writeFile(join(root, "data.yaml"), "names: [a]");
    await expect(readLabels("yolo", root)).rejects.toThrow(/received an empty set/);
    await expect(readLabels("voc", join(folder, "nowhere"))).rejects.toThrow(
      /nowhere: must be a folder that can be read/,
    );
    await expect(readLabels("coco", join(folder, "nowhere.json"))).rejects.toThrow(
      /nowhere\.json: must be a file that can be read/,
    );
  });

  test.each(["yolo", "dota"] as const)(
    "of %s labels whose image is broken says which, and keeps the others",
    async (format) => {
      const root = join(folder, `broken-${format}`);
      const set = setOf(format);
      await writeLabels(format, set, root);
      await drawImages(format === "dota" ? join(root, "images") : root, set);
      await writeFile(join(root, "images", "val", "c.png"), "not a picture");
      const { dataset } = await readLabels(format, root, { classes: set.classes });
      const { dataset: whole, faults } = withoutFaults(dataset, root);
      expect(whole.images).toEqual(set.images.slice(0, 2));
      expect(faults.map(({ message }) => message)).toEqual([
        expect.stringMatching(/c\.png: must be an image that can be read \(.+\)$/),
      ]);
    },
  );

  test("may hold scenes beyond what sharp decodes by default", async () => {
    const root = join(folder, "large");
    await mkdir(join(root, "images"), { recursive: true });
    await writeFile(join(root, "data.yaml"), "names: [a]");
    // A small picture whose head says that it is large: no more of it is read.
    const image = sharp({ create: { width: 8, height: 8, channels: 3, background: "#345" } });
    const picture = await image.jpeg().toBuffer();
    const frame = picture.indexOf(Buffer.of(0xff, 0xc0)); // SOF0: marker, length, bits, height, width
    picture.writeUInt16BE(15_000, frame + 5);
    picture.writeUInt16BE(20_000, frame + 7);
    await writeFile(join(root, "images", "scene.jpg"), picture);
    await expect(sharp(picture).metadata()).rejects.toThrow("pixel limit");
    const { dataset } = await readLabels("yolo", root);
    expect(checked(dataset, root).images).toMatchObject([{ width: 20_000, height: 15_000 }]);
  });

  test("is not written where two images would share a label file; tiles of a scene do not", async () => {
    const root = join(folder, "shared");
    const image = (file: string) => ({ ...facts, file, width: 9, height: 9, objects: [] });
    const set = (...files: readonly string[]) => ({ classes: ["a"], images: files.map(image) });
    await expect(writeLabels("voc", set("x/a.png", "x/a.jpg"), root)).rejects.toThrow(
      "writeLabels: each image must have a label file of its own, received x/a.png and x/a.jpg, both x/a.xml",
    );
    await writeLabels("yolo", set("scene.tif@0,0", "scene.tif@512,0", "b.v2.tif"), root);
    expect((await readdir(join(root, "labels"))).toSorted()).toEqual([
      "b.v2.txt",
      "scene.tif@0,0.txt",
      "scene.tif@512,0.txt",
    ]);
  });
});

const data = process.env["NADIR_DATA"] ?? "../shared/data";
const SETS = [
  ["planes-airport", "plane", 236, 3540],
  ["ships-google-earth", "ship", 556, 1555],
  ["vehicles-aerial", "vehicle", 89, 2571],
  ["buildings-banepa", "building", 40, 1499],
  ["ships-sentinel2", "ship", 2, 72],
] as const;
const hasData = existsSync(join(data, "planes-airport", "train.json"));
if (!hasData) console.log(`skipped: label counts of the real sets (no data in ${data})`);

describe.skipIf(!hasData).each(SETS)("%s", (name, className, images, objects) => {
  test("has the counts of its card, one labelled class, and nothing at fault", async () => {
    const { dataset } = await readLabels("coco", join(data, name, "train.json"));
    expect(checked(dataset, name).images).toHaveLength(images);
    expect(dataset.images.flatMap((image) => image.objects)).toHaveLength(objects);
    for (const { labelledClasses } of dataset.images) {
      expect(labelledClasses?.map((index) => dataset.classes[index])).toEqual([className]);
    }
  });
});

import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import sharp from "sharp";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { withoutFaults } from "../../../datasets/index.ts";
import { type LabelSplit, readLabels, recogniseYolo } from "../../../datasets/node.ts";

let folder = "";
let sets = 0;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "nadir-yolo-"));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** A set whose images and other files lie as named. */
async function setOf(yaml: string, images: readonly string[], files: object = {}): Promise<string> {
  const root = join(folder, `set-${sets++}`);
  const image = sharp({ create: { width: 8, height: 8, channels: 3, background: "#345" } });
  const picture = await image.png().toBuffer();
  const pictures = images.map((name) => [name, picture] as const);
  for (const [name, content] of [...pictures, ["data.yaml", yaml], ...Object.entries(files)]) {
    await mkdir(dirname(join(root, name)), { recursive: true });
    await writeFile(join(root, name), content as string);
  }
  return root;
}

async function namesOf(place: string, split?: LabelSplit): Promise<readonly string[]> {
  const { dataset } = await readLabels("yolo", place, { split });
  return dataset.images.map(({ file }) => file);
}

const THREE = ["images/train/a.png", "images/val/b.png", "images/test/c.png"] as const;
const [A, B, C] = THREE;
const KEYS = "train: images/train\nval: images/val\ntest: images/test\nnames: [ship]\n";

describe("data.yaml", () => {
  test("keeps train, val and test apart: train by default, another on request", async () => {
    const root = await setOf(KEYS, THREE);
    const yaml = join(root, "data.yaml");
    expect(await namesOf(yaml)).toEqual([A]);
    expect(await namesOf(root)).toEqual([A]);
    expect(await namesOf(yaml, "val")).toEqual([B]);
    expect(await namesOf(yaml, "all")).toEqual([A, B, C]);
    expect(await namesOf(`${yaml}#test`, "val")).toEqual([C]);
    expect(await namesOf(`${root}#all`)).toEqual([A, B, C]);
  });

  test("takes every image where it names no part, as where there is none", async () => {
    const root = await setOf("names: [ship]", THREE);
    expect(await namesOf(root)).toEqual([C, A, B]);
  });

  test("names lists of folders, and lists of images that start beside them or at the set's root", async () => {
    const yaml =
      "path: .\ntrain: [images/train, images/val]\nval: lists/val.txt\nnames: {0: ship}\n";
    const root = await setOf(yaml, THREE, {
      "lists/val.txt": "../images/test/c.png\n\nimages/val/b.png\nimages/none.png\n",
    });
    expect(await namesOf(root)).toEqual([A, B]);
    const { dataset } = await readLabels("yolo", root, { split: "val" });
    const { dataset: whole, faults } = withoutFaults(dataset, root);
    expect(whole.images.map(({ file }) => file)).toEqual([C, B]);
    expect(faults.map(({ message }) => message)).toEqual([
      expect.stringMatching(/none\.png: must be an image that can be read/),
    ]);
  });

  test("may lie elsewhere than its images", async () => {
    const root = await setOf("", THREE, {
      "labels/val/b.txt": "0 0.5 0.5 0.5 0.25\n",
      "config/ships.yaml": `path: ..\n${KEYS}`,
    });
    const { dataset, folder: start } = await readLabels("yolo", `${root}/config/ships.yaml#val`);
    expect(start).toBe(root);
    expect(dataset.images).toMatchObject([{ file: B, objects: [{ box: [2, 3, 6, 5] }] }]);
  });

  test("of Roboflow points out of its folder, and means inside", async () => {
    const yaml = "train: ../train/images\nval: ../valid/images\ntest:\nnames: [ship]\n";
    const root = await setOf(yaml, ["train/images/a.png", "valid/images/b.png"], {
      "valid/labels/b.txt": "0 0.5 0.5 0.5 0.25 0.1 0.2 0.3 0.4\n",
    });
    expect(await namesOf(root)).toEqual(["train/images/a.png"]);
    const split = { split: "val" } as const;
    expect(await recogniseYolo(root, split)).toBe("yolo-obb");
    const { dataset } = await readLabels("yolo-obb", root, split);
    expect(dataset.images[0]).toMatchObject({ file: "valid/images/b.png", objects: [{}] });
  });

  test("without the part that is asked for says which it has", async () => {
    const root = await setOf("train: images/train\nnames: [ship]\n", THREE);
    await expect(readLabels("yolo", root, { split: "val" })).rejects.toThrow(
      /data\.yaml: must name the images of val, received those of train only \(.*data\.yaml#train\)/,
    );
  });

  test("that names a folder which is not there, or no list, says so", async () => {
    const root = await setOf("train: nowhere\nval: data.yaml\nnames: [ship]\n", THREE);
    await expect(readLabels("yolo", root)).rejects.toThrow(
      "data.yaml: train must be a folder or a list of images, received nowhere, which is not there",
    );
    await expect(readLabels("yolo", root, { split: "val" })).rejects.toThrow(
      "data.yaml: val must be a folder or a .txt list, received data.yaml",
    );
  });

  test.each([
    ["{1: plane, 0: ship}", ["ship", "plane"]],
    ["[ship, 7]", ["ship", "7"]],
  ])("names classes by their number: %s", async (names, classes) => {
    const root = await setOf(`names: ${names}`, THREE);
    expect((await readLabels("yolo", root)).dataset.classes).toEqual(classes);
  });

  test.each([
    ["{1: ship, 2: plane}", "names must be numbered from 0 on without a gap, received 1, 2"],
    ["{ship: 0}", "names must be numbered from 0 on without a gap, received ship"],
    ["ship", "must have names, a list or numbers with names, received none"],
    ["[ship", "must be YAML"],
  ])("with names %s is refused", async (names, sentence) => {
    const root = await setOf(`names: ${names}`, THREE);
    await expect(readLabels("yolo", root)).rejects.toThrow(`data.yaml: ${sentence}`);
  });
});

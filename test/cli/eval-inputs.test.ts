import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import sharp from "sharp";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { readTruth } from "../../cli/eval-inputs.ts";

let cwd = "";
beforeAll(async () => {
  cwd = await mkdtemp(join(tmpdir(), "nadir-truth-"));
  const image = sharp({ create: { width: 8, height: 8, channels: 3, background: "#345" } });
  for (const [part, place] of [
    ["train", "0.5 0.5 0.5 0.25"],
    ["val", "0.2 0.2 0.8 0.2 0.8 0.8 0.2 0.8"],
  ] as const) {
    for (const kind of ["images", "labels"])
      await mkdir(join(cwd, kind, part), { recursive: true });
    await image.png().toFile(join(cwd, "images", part, "a.png"));
    await writeFile(join(cwd, "labels", part, "a.txt"), `0 ${place}\n`);
  }
  await writeFile(join(cwd, "data.yaml"), "train: images/train\nval: images/val\nnames: [ship]\n");
});
afterAll(() => rm(cwd, { recursive: true, force: true }));

describe("labels of a data.yaml", () => {
  test.each([
    ["data.yaml", {}, "images/val/a.png"],
    [".", {}, "images/val/a.png"],
    ["data.yaml", { split: "train" }, "images/train/a.png"],
    ["data.yaml#val", { split: "train" }, "images/val/a.png"],
    [".#train", {}, "images/train/a.png"],
  ] as const)("at %s, asked as %j, are those of %s", async (path, flags, file) => {
    const { dataset } = await readTruth({ cwd }, path, flags);
    expect(dataset.images.map((image) => image.file)).toEqual([file]);
    // The kind, too, is that of the part: only the one of val is oriented.
    const [object] = dataset.images[0]!.objects;
    expect(object?.corners === undefined).toBe(file === "images/train/a.png");
  });
});

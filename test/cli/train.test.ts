import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { FeatureCollection, Polygon } from "geojson";
import sharp from "sharp";
import { describe, expect, test } from "vitest";
import { EXIT } from "../../pipeline/index.ts";
import { run, scratch } from "./surroundings.ts";

const coco = (boxes: readonly (readonly number[])[]) =>
  JSON.stringify({
    images: [0, 1].map((id) => ({ id, file_name: `${id}.png`, width: 64, height: 64 })),
    annotations: boxes.map((bbox, id) => ({
      id,
      image_id: id % 2,
      category_id: 1,
      bbox,
      area: 400,
      iscrowd: 0,
    })),
    categories: [{ id: 1, name: "tank" }],
  });

describe("nadir train", () => {
  test.each([
    [
      ["--data", "t.json", "--model", "yolo"],
      "--model must be one of yolo-caa, vit, swin and -pico, -nano or -small, received yolo",
    ],
    [
      ["--data", "t.json", "--mixer", "magic"],
      "--mixer must be one of softmax, cosine, linear, caa, padre, received magic",
    ],
    [
      ["--data", "t.json", "--head", "round"],
      "--head must be one of axis-aligned, oriented, received round",
    ],
    [["--data", "t.json", "--tile-px", "50"], "--tile-px must be a multiple of 32, received 50"],
    [["--data", "none.json", "--rate=abc"], "--rate must be a number above 0, received abc"],
    [["--data", "none.json", "--rate=0"], "--rate must be a number above 0, received 0"],
    [["--data", "none.json", "--rate=-1"], "--rate must be a number above 0, received -1"],
    [
      ["--data", "none.json", "--rate=Infinity"],
      "--rate must be a number above 0, received Infinity",
    ],
    [
      ["--data", "none.json", "--epochs", "1.5"],
      "--epochs must be a whole number from 1, received 1.5",
    ],
    [
      ["--data", "t.json", "-o", "."],
      "checkpoint.safetensors is there already: go on with --resume, or choose another folder with -o",
    ],
  ])("%j is a usage error in one sentence", async (flags, sentence) => {
    using folder = scratch();
    writeFileSync(join(folder.path, "t.json"), coco([[4, 4, 20, 20]]));
    writeFileSync(join(folder.path, "checkpoint.safetensors"), "");
    const { status, err } = await run(["train", ...flags], { cwd: folder.path });
    expect(status).toBe(EXIT.usage);
    expect(err).toContain(sentence);
    expect(err.trim().split("\n")).toHaveLength(1);
  });

  test("a set without an object is refused", async () => {
    using folder = scratch();
    writeFileSync(join(folder.path, "t.json"), coco([]));
    const { status, err } = await run(["train", "--data", "t.json"], { cwd: folder.path });
    expect(status).toBe(EXIT.someFailed);
    expect(err).toContain("the training set must hold an object, received 2 images without");
  });

  test("trains, logs, and leaves a model that exports", async () => {
    using folder = scratch();
    writeFileSync(
      join(folder.path, "t.json"),
      coco([
        [4, 4, 20, 20],
        [30, 12, 20, 20],
      ]),
    );
    for (const i of [0, 1]) {
      const image = sharp({ create: { width: 64, height: 64, channels: 3, background: "#357" } });
      await image.png().toFile(join(folder.path, `${i}.png`));
    }
    const small = ["--model", "yolo-caa-pico", "--tile-px", "64", "--batch", "2", "--epochs", "1"];
    const from = ["--from", "yolo-caa-pico", "--resume"];
    const trained = await run(["train", "--data", "t.json", ...small, ...from], {
      cwd: folder.path,
    });
    expect(trained).toMatchObject({ status: EXIT.done });
    expect(trained.err).toContain("is not there yet: starting with the first epoch");
    expect(trained.err).toMatch(/took \d+ of \d+ tensors from yolo-caa-pico/);
    expect(trained.err).toContain("epoch 1 of 1 done");
    expect(existsSync(join(folder.path, "trained/log.ndjson"))).toBe(true);

    const card = "trained/yolo-caa-pico.json";
    const { status, err } = await run(["export", card, "-o", "m.onnx"], { cwd: folder.path });
    expect({ status, wrote: err.includes("m.onnx") }).toEqual({ status: EXIT.done, wrote: true });
    const inspected = await run(["model", "inspect", "m.onnx"], { cwd: folder.path });
    expect(inspected.out).toMatch(/head +nadir/);
    expect(inspected.out).toMatch(/classes +1: tank/);
  }, 120_000);

  test("an oriented run is judged by oriented boxes and leaves a model that finds such", async () => {
    using folder = scratch();
    mkdirSync(join(folder.path, "labelTxt"));
    mkdirSync(join(folder.path, "images"));
    for (const i of [0, 1]) {
      const svg = `<svg width="64" height="64"><rect width="64" height="64" fill="#357"/><polygon points="10,20 40,30 37,39 7,29" fill="#eee"/></svg>`;
      await sharp(Buffer.from(svg))
        .png()
        .toFile(join(folder.path, `images/${i}.png`));
      writeFileSync(join(folder.path, `labelTxt/${i}.txt`), "10 20 40 30 37 39 7 29 ship 0\n");
    }
    const small = ["--model", "yolo-caa-pico", "--tile-px", "64", "--batch", "2", "--epochs", "1"];
    const judged = ["--head", "oriented", "--val", ".", "--val-every", "1", "--detect-px", "64"];
    const trained = await run(["train", "--data", ".", ...small, ...judged], { cwd: folder.path });
    expect(trained).toMatchObject({ status: EXIT.done });
    expect(trained.err).toContain("AP50 after epoch 1: ship 0.");

    const card = "trained/yolo-caa-pico-oriented.json";
    await run(["export", card, "-o", "m.onnx"], { cwd: folder.path });
    const inspected = await run(["model", "inspect", "m.onnx"], { cwd: folder.path });
    expect(inspected.out).toMatch(/head +nadir \(oriented\)/);
    const detect = [
      "detect",
      "images/0.png",
      "-m",
      "m.onnx",
      "--score-at-least",
      "0.0001",
      "-o",
      "-",
    ];
    const { out } = await run(detect, { cwd: folder.path });
    const { features } = JSON.parse(out) as FeatureCollection<Polygon>;
    const slanted = features.filter(({ geometry: { coordinates } }) => {
      const [[a, b] = []] = coordinates;
      return a?.[0] !== b?.[0] && a?.[1] !== b?.[1];
    });
    expect(slanted.length).toBeGreaterThan(0);
  }, 120_000);
});

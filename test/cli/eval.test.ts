import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  cornersLabel,
  type Evaluation,
  formatCoco,
  type LabelledDataset,
} from "../../datasets/index.ts";
import { writeLabels } from "../../datasets/node.ts";
import { EXIT } from "../../pipeline/index.ts";
import { type Sample, sampleFolder } from "./sample.ts";
import { run } from "./surroundings.ts";

let sample: Sample;
let truth: LabelledDataset;
const nadir = (...argv: string[]) => run(argv, { cwd: sample.path });
const put = (name: string, value: unknown): void =>
  writeFileSync(join(sample.path, name), typeof value === "string" ? value : JSON.stringify(value));

beforeAll(async () => {
  sample = await sampleFolder();
  const { objects, boxes, classes } = sample.truth;
  const facts = { id: undefined, gsdM: undefined, labelledClasses: undefined };
  truth = {
    classes,
    images: [
      {
        ...facts,
        ...{ file: "scene.tif", width: 400, height: 400 },
        objects: objects.map(({ classIndex }, i) =>
          cornersLabel(classIndex, [...boxes.corners.subarray(8 * i, 8 * i + 8)]),
        ),
      },
    ],
  };
  put("val.json", formatCoco(truth));
  await nadir("detect", "scene.tif", "-m", "detector.onnx", "-o", "result.geojson");
});
afterAll(() => sample[Symbol.dispose]());

interface Scores {
  readonly scenes: Evaluation;
  readonly tiles?: Evaluation;
  readonly failures: readonly string[];
}

describe("nadir eval --pred", () => {
  test("scores a result on the map against labels in pixels", async () => {
    const { status, out } = await nadir("eval", "--pred", "result.geojson", "--truth", "val.json");
    expect(status).toBe(EXIT.done);
    expect(out).toMatch(/^DOTA, oriented boxes · overlap 0.50 · 1 image · \d+ objects? · \d+ det/);
    expect(out).toMatch(
      /^class +objects +found +AP50 +AP50-95 +AP50 11-point +P +R +F1 +at score$/m,
    );
    expect(out).toMatch(/^mistakes at score \S+ +right +background +duplicate/m);
  });

  test("the labels themselves score 1, by every protocol and in every format", async () => {
    const scored = truth.images.map((image) => ({
      ...image,
      objects: image.objects.map((object) => ({ ...object, score: 0.9 })),
    }));
    put("perfect.json", formatCoco({ ...truth, images: scored }));
    await writeLabels("dota", truth, join(sample.path, "dota"));
    await writeLabels("voc", truth, join(sample.path, "voc"));
    await writeLabels("geojson", truth, join(sample.path, "labels.geojson"));
    await writeLabels("yolo-obb", truth, join(sample.path, "yolo"));
    mkdirSync(join(sample.path, "yolo/images"));
    copyFileSync(join(sample.path, "scene.tif"), join(sample.path, "yolo/images/scene.tif"));
    const labels = [
      ["val.json"],
      ["labels.geojson"],
      ["dota", "--images", "."],
      ["voc"],
      ["yolo"],
    ] as const;
    for (const [path, ...more] of labels) {
      for (const protocol of ["coco", "dota", "voc"]) {
        const argv = ["--pred", "perfect.json", "--truth", path, ...more, "--protocol", protocol];
        const { status, out, err } = await nadir("eval", ...argv, "--json");
        expect({ status, err }).toEqual({ status: EXIT.done, err: "" });
        const { scenes } = JSON.parse(out) as Scores;
        expect(scenes).toMatchObject({ protocol, best: { precision: 1, recall: 1, f1: 1 } });
        expect(scenes.ap50).toBeCloseTo(1, 9);
      }
    }
  });

  test("says what it could not score", async () => {
    put("cars.json", {
      images: [{ id: 1, file_name: "scene.tif", width: 400, height: 400 }],
      categories: [
        { id: 1, name: "car" },
        { id: 2, name: "Ship" },
      ],
      annotations: [{ id: 1, image_id: 1, category_id: 1, bbox: [1, 1, 5, 5], score: 0.3 }],
    });
    const argv = ["eval", "--pred", "cars.json", "--truth", "val.json"];
    const { err } = await nadir(...argv);
    expect(err).toContain("nadir: not scored, of classes that the labels do not have: car 1\n");
    const mapped = await nadir(...argv, "--class-map", "car=vehicle");
    expect(mapped.err).not.toContain("not scored");
  });

  test("faulty labels are named and left out", async () => {
    const set = JSON.parse(readFileSync(join(sample.path, "val.json"), "utf8")) as {
      annotations: object[];
    };
    const flat = { id: 999, image_id: 1, category_id: 1, bbox: [5, 5, 0, 4] };
    put("faulty.json", { ...set, annotations: [...set.annotations, flat] });
    const { status, err } = await nadir(
      "eval",
      "--pred",
      "result.geojson",
      "--truth",
      "faulty.json",
    );
    expect(status).toBe(EXIT.done);
    expect(err).toMatch(
      /^nadir: left out: .*faulty\.json: image scene\.tif, object \d+: the box must have an area, received 5 5 5 9$/m,
    );
  });
});

describe("nadir eval --model", () => {
  test("runs the model on every image of several sets, tiled as in real use", async () => {
    put("gone.json", formatCoco({ ...truth, images: [{ ...truth.images[0]!, file: "gone.tif" }] }));
    const argv = ["eval", "-m", "detector.onnx", "--data", "val.json", "gone.json"];
    const { status, out, err } = await nadir(...argv, "--json", "--save", "found.json");
    expect(status).toBe(EXIT.someFailed);
    expect(err).toMatch(/^nadir: .*gone\.tif: there is no such file$/m);
    const { scenes, tiles, failures } = JSON.parse(out) as Scores;
    expect(failures).toHaveLength(1);
    expect(scenes.images).toBe(1);
    expect(scenes.ap50).toBeGreaterThan(0.9);
    expect(tiles!.images).toBeGreaterThan(4);
    expect(tiles!.truth).toBeGreaterThanOrEqual(scenes.truth);
    const saved = await nadir("eval", "--pred", "found.json", "--truth", "val.json", "--json");
    expect((JSON.parse(saved.out) as Scores).scenes.ap50).toBeCloseTo(scenes.ap50, 9);
  });

  test("classes that a set does not label are no mistakes there", async () => {
    const ships = { ...truth.images[0]!, labelledClasses: [0] };
    put("ships.json", formatCoco({ ...truth, images: [ships] }));
    const { out } = await nadir("eval", "-m", "detector.onnx", "--data", "ships.json", "--json");
    const [, ...others] = (JSON.parse(out) as Scores).scenes.classes;
    expect(others.map(({ found }) => found)).toEqual([0, 0]);
  });
});

test.each([
  [[], EXIT.usage, /--pred with --truth, or --model with --data, must be given/],
  [["--pred", "result.geojson"], EXIT.usage, /--pred goes with --truth/],
  [["--pred", "a", "--truth", "val.json", "-m", "x"], EXIT.usage, /--pred goes with --truth/],
  [["--pred", "no.geojson", "--truth", "val.json"], EXIT.nothingReadable, /no such file/],
  [["--pred", "result.geojson", "--truth", "no"], EXIT.nothingReadable, /must be labels, received/],
  [["--pred", "result.geojson", "--truth", "scene.tif"], EXIT.nothingReadable, /must be JSON/],
  [["--pred", "result.geojson", "--truth", "."], EXIT.nothingReadable, /must hold labelTxt/],
  [["--pred", "a", "--truth", "b", "--iou", "2"], EXIT.usage, /number from 0 to below 1/],
  [["--pred", "a", "--truth", "b", "--protocol", "kitti"], EXIT.usage, /coco, dota, voc/],
  [["--pred", "a", "--truth", "b", "--class-map", "x"], EXIT.usage, /airplane=plane/],
])("nadir eval %j", async (argv, status, says) => {
  const ended = await nadir("eval", ...argv);
  expect(ended.err).toMatch(says);
  expect(ended.status).toBe(status);
  expect(ended.err.trimEnd().split("\n")).toHaveLength(1);
});

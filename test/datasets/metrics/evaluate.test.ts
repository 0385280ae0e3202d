import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import type { LabelledDataset, LabelledObject } from "../../../datasets/index.ts";
import {
  alignDetections,
  boxLabel,
  cornersLabel,
  evaluate,
  parseCoco,
  parseCocoResults,
  tileDataset,
} from "../../../datasets/index.ts";

function fixture<T>(name: string): T {
  return JSON.parse(readFileSync(join(import.meta.dirname, "../../fixtures", name), "utf8")) as T; // made by the script of the same name
}

function set(
  images: Readonly<Record<string, readonly LabelledObject[]>>,
  classes: readonly string[] = ["plane", "ship"],
): LabelledDataset {
  const facts = { id: undefined, gsdM: undefined, labelledClasses: undefined };
  return {
    classes,
    images: Object.entries(images).map(([file, objects]) => ({
      ...facts,
      ...{ file, width: 400, height: 400, objects },
    })),
  };
}

const turned = [100, 60, 140, 100, 130, 110, 90, 70];

describe("evaluate", () => {
  test("coco gives pycocotools' numbers", () => {
    const [{ truth, results, stats }] =
      fixture<[{ truth: unknown; results: unknown; stats: number[] }]>("coco-metrics.json");
    const labels = parseCoco(JSON.stringify(truth), "truth.json");
    const found = parseCocoResults(JSON.stringify(results), "results.json", labels);
    const { ap, ap50, coco, protocol } = evaluate(labels, found, { protocol: "coco" });
    expect(protocol).toBe("coco");
    expect([ap, ap50, coco?.["ap75"]]).toEqual(
      stats.slice(0, 3).map((v) => expect.closeTo(v, 6) as number),
    );
  });

  test("dota gives the kit's numbers where labels are oriented, by default", () => {
    type Row = { class: string; corners: number[]; difficult?: boolean; score?: number };
    const [{ images, metrics }] = fixture<
      [
        {
          images: { truth: Row[]; found: Row[] }[];
          metrics: Record<string, Record<string, { ap11: number; apArea: number }>>;
        },
      ]
    >("voc-metrics.json");
    const classes = ["ship", "plane"];
    const read = (rows: readonly Row[]) =>
      rows.map(({ class: name, corners, difficult = false, score }) =>
        cornersLabel(classes.indexOf(name), corners, { difficult, score }),
      );
    const both = (side: "truth" | "found") =>
      set(Object.fromEntries(images.map((image, i) => [`${i}.png`, read(image[side])])), classes);
    const report = evaluate(both("truth"), both("found"));
    expect(report).toMatchObject({ protocol: "dota", oriented: true, coco: undefined });
    for (const { class: name, ap50, ap11 } of report.classes) {
      expect(ap50).toBeCloseTo(metrics["0.5"]![name]!.apArea, 6);
      expect(ap11).toBeCloseTo(metrics["0.5"]![name]!.ap11, 6);
    }
  });

  test("a turned box is right for voc, which looks at upright ones, and wrong by its angle for dota", () => {
    const truth = set({ a: [cornersLabel(0, turned)] });
    const [x1, y1, x2, y2] = truth.images[0]!.objects[0]!.box;
    const mirrored = turned.map((v, k) => (k % 2 === 0 ? x1 + x2 - v : v));
    const found = set({ a: [cornersLabel(0, mirrored, { score: 0.9 })] });
    expect(y2).toBeGreaterThan(y1);
    expect(evaluate(truth, found, { protocol: "voc" }).ap50).toBe(1);
    const dota = evaluate(truth, found, { protocol: "dota" });
    expect(dota.ap50).toBe(0);
    expect(dota.mistakes.mistakes).toMatchObject({ angle: 1, background: 0, missed: 0 });
  });

  test("what an image does not label counts nowhere", () => {
    const all = set({ a: [boxLabel(0, [10, 10, 50, 50])] });
    const truth = { ...all, images: all.images.map((i) => ({ ...i, labelledClasses: [0] })) };
    const found = set({
      a: [
        boxLabel(0, [10, 10, 50, 50], { score: 0.5 }),
        boxLabel(1, [90, 90, 150, 150], { score: 0.9 }),
      ],
    });
    const report = evaluate(truth, found);
    expect(report).toMatchObject({ ap50: 1, ap: 1, truth: 1, found: 1 });
    expect(report.best).toMatchObject({ precision: 1, recall: 1, f1: 1, scoreAtLeast: 0.5 });
    expect(report.mistakes.mistakes.background).toBe(0);
  });

  test.each(["coco", "voc"] as const)(
    "a crowd is nothing to find for %s, and excuses only what no object explains",
    (protocol) => {
      const crowd = boxLabel(0, [0, 0, 200, 200], { crowd: true });
      const real = boxLabel(0, [10, 10, 50, 50]);
      const truth = set({ a: [crowd, real] });
      // Nearly on the object, again on it, elsewhere in the crowd, and on neither.
      const found = set({
        a: [
          boxLabel(0, [10, 10, 50, 46], { score: 0.9 }),
          boxLabel(0, [10, 10, 50, 48], { score: 0.8 }),
          boxLabel(0, [100, 100, 140, 140], { score: 0.7 }),
          boxLabel(0, [300, 300, 340, 340], { score: 0.95 }),
        ],
      });
      const report = evaluate(truth, found, { protocol });
      expect(report).toMatchObject({ truth: 1, best: { precision: 0.5, recall: 1 } });
      expect(report.best?.scoreAtLeast).toBe(0.9);
      expect(report.ap50).toBeCloseTo(0.5, 12);
      expect(evaluate(truth, set({ a: [] }), { protocol }).mistakes.mistakes.missed).toBe(1);
      const all = { a: found.images[0]!.objects.map((each) => ({ ...each, score: 0.5 })) };
      const { right, mistakes } = evaluate(truth, set(all), { protocol }).mistakes;
      expect({ right, ...mistakes }).toMatchObject({ right: 1, duplicate: 0, background: 1 });
      expect({ right, ...mistakes }).toMatchObject({ localisation: 0, missed: 0 });
    },
  );

  test("a crowd does not hide what is wrong with a detection half outside it", () => {
    const crowd = boxLabel(0, [30, 0, 200, 200], { crowd: true });
    const truth = set({ a: [crowd, boxLabel(0, [10, 10, 50, 50])] });
    // Overlaps the object by a seventh of both, the crowd by 0.3 of itself.
    const found = set({ a: [boxLabel(0, [2, 2, 42, 30], { score: 0.9 })] });
    expect(evaluate(truth, found, { protocol: "coco" }).mistakes.mistakes).toMatchObject({
      localisation: 1,
      missed: 0,
    });
  });

  test("an object is small by the area that its label gives, as for pycocotools", () => {
    const box = [10, 10, 50, 50] as const;
    const found = set({ a: [boxLabel(0, box, { score: 0.9 })] });
    const sizes = (areaPx2?: number) => {
      const { coco } = evaluate(set({ a: [boxLabel(0, box, { areaPx2 })] }), found);
      return [coco?.["apSmall"], coco?.["apMedium"]];
    };
    expect(sizes()).toEqual([Number.NaN, 1]);
    expect(sizes(900)).toEqual([1, Number.NaN]);
  });

  test("two results of one image are refused, not one of them forgotten", () => {
    const truth = set({ "x/a.png": [boxLabel(0, [1, 1, 9, 9])], "x/b.png": [] });
    const found = set({ "y/a.png": [], "z/a.png": [boxLabel(0, [1, 1, 9, 9], { score: 1 })] });
    expect(() => evaluate(truth, alignDetections(truth, found).found)).toThrow(
      "metrics: the detections of an image must come together, received those of x/a.png twice",
    );
  });

  test("images beyond COCO's hundred detections are counted, and can be allowed", () => {
    const many = Array.from({ length: 120 }, (_, i): LabelledObject["box"] => {
      const [x, y] = [(i % 12) * 30, Math.floor(i / 12) * 30];
      return [x, y, x + 20, y + 20];
    });
    const truth = set({ a: many.map((box) => boxLabel(0, box)) });
    const found = set({ a: many.map((box) => boxLabel(0, box, { score: 0.8 })) });
    const strict = evaluate(truth, found);
    expect(strict.crowdedImages).toBe(1);
    expect(strict.ap50).toBeCloseTo(84 / 101, 6); // recall 100/120 reaches the recalls 0 … 0.83
    expect(evaluate(truth, found, { detectionsAtMost: 500 })).toMatchObject({
      ap50: 1,
      crowdedImages: 0,
    });
  });

  test("labels cut into tiles score 1 against themselves cut alike; what hardly shows is no must", () => {
    const scene = set({
      s: [boxLabel(0, [180, 20, 220, 60]), boxLabel(1, [195, 100, 245, 140])],
    });
    const tiles = tileDataset(scene, { sizePx: 200 });
    expect(tiles.images.map(({ file }) => file)).toEqual([
      "s@0,0",
      "s@200,0",
      "s@0,200",
      "s@200,200",
    ]);
    const counted = evaluate(tiles, tiles);
    // The plane shows by halves in two tiles; of the ship a tenth shows in one: difficult there.
    expect(counted).toMatchObject({ ap50: 1, truth: 3 });
    const without = {
      ...tiles,
      images: tiles.images.map((image) => ({
        ...image,
        objects: image.objects.filter(({ difficult }) => !difficult),
      })),
    };
    expect(evaluate(tiles, without).mistakes.mistakes.missed).toBe(0);
  });

  test("ten thousand objects in one scene take a moment, not every pair", () => {
    const boxes = Array.from({ length: 10_000 }, (_, i): LabelledObject["box"] => {
      const [x, y] = [(i % 100) * 20, Math.floor(i / 100) * 20];
      return [x, y, x + 10, y + 10];
    });
    const truth = set({ s: boxes.map((box) => boxLabel(0, box)) });
    const found = set({ s: boxes.map((box) => boxLabel(0, box, { score: 0.7 })) });
    expect(evaluate(truth, found, { detectionsAtMost: 20_000 }).ap).toBe(1);
  });
});

describe("alignDetections", () => {
  const truth = set({ "val/a.png": [boxLabel(0, [1, 1, 9, 9])], "val/b.png": [] }, [
    "plane",
    "storage-tank",
  ]);

  test("finds images by the end of their path and classes by their name in any spelling", () => {
    const objects = [0, 1, 2].map((k) => boxLabel(k, [1, 1, 9, 9], { score: 0.5 }));
    const found = set({ "/data/a.png": objects }, ["Storage Tank", "airplane", "boat"]);
    const aligned = alignDetections(truth, found, { classMap: { airplane: "plane" } });
    expect(aligned.found.images).toMatchObject([
      { file: "val/a.png", objects: [{ classIndex: 1 }, { classIndex: 0 }] },
    ]);
    expect(aligned).toMatchObject({ otherClasses: { boat: 1 }, unknownClasses: [] });
  });

  test("one scene and one image are each other's, whatever they are called", () => {
    const one = set({ "scene.tif": [] });
    expect(alignDetections(one, set({ "x.geojson": [] })).found.images[0]?.file).toBe("scene.tif");
  });

  test("names what cannot be paired", () => {
    const stray = set({ "c.png": [boxLabel(0, [1, 1, 9, 9])], "a.png": [] }, ["plane"]);
    expect(() => alignDetections(truth, stray)).toThrow(
      "metrics: detections must be in images of the truth, received c.png",
    );
    expect(() => alignDetections(truth, stray, { classMap: { boat: "ship" } })).toThrow(
      "boat must be mapped to a class of the truth, plane, storage-tank, received ship",
    );
    expect(alignDetections(truth, set({ "a.png": [] }, ["car"])).unknownClasses).toEqual(["plane"]);
  });
});

import { fc, test as property } from "@fast-check/vitest";
import { describe, expect, test } from "vitest";
import { countFound, overlap, synthesise } from "../../datasets/index.ts";

const options = { seed: 3, width: 700, height: 500 };
const whole = { x: 0, y: 0, width: 700, height: 500 };

describe("synthesise", () => {
  property.prop(
    [
      fc.tuple(fc.nat(690), fc.nat(490)),
      fc.tuple(fc.integer({ min: 1, max: 200 }), fc.integer({ min: 1, max: 200 })),
    ],
    { numRuns: 20 },
  )("a window shows what the whole shows there", async ([x, y], [w, h]) => {
    const { scene } = synthesise(options);
    const window = { x, y, width: Math.min(w, 700 - x), height: Math.min(h, 500 - y) };
    const [part, all] = [await scene.read(window), await scene.read(whole)];
    const expected = all.bands.map((band) =>
      Array.from({ length: window.width * window.height }, (_, i) => {
        return band[(y + Math.floor(i / window.width)) * 700 + x + (i % window.width)];
      }),
    );
    expect(part.bands.map((band) => [...band])).toEqual(expected);
  });

  test("the same seed gives the same scene, another seed another", async () => {
    const read = async (seed: number) =>
      (await synthesise({ ...options, seed }).scene.read(whole)).bands[0];
    expect(await read(3)).toEqual(await read(3));
    expect(await read(3)).not.toEqual(await read(4));
  });

  test("objects lie inside the scene and do not touch", () => {
    const { labels } = synthesise({ seed: 1, width: 1500, height: 1500 });
    expect(labels.objects.length).toBeGreaterThan(50);
    expect(labels.boxes.corners.every((v) => v >= 0 && v <= 1500)).toBe(true);
    for (let i = 0; i < labels.objects.length; i++) {
      for (let j = 0; j < i; j++) expect(overlap(labels.boxes, i, labels.boxes, j, "iou")).toBe(0);
    }
  });

  test("labels lie on what was drawn: the middle of each has its object's brightness", async () => {
    const { scene, labels } = synthesise({ ...options, noise: 0 });
    const { bands } = await scene.read(whole);
    for (const { x, y, brightness } of labels.objects) {
      expect(bands[1]?.[Math.floor(y) * 700 + Math.floor(x)]).toBeCloseTo(brightness, -0.5);
    }
  });

  test("every class comes, with sizes in its range at the wanted resolution", () => {
    const { labels } = synthesise({ seed: 2, width: 4000, height: 4000, gsdM: 1 });
    expect(new Set(labels.objects.map(({ classIndex }) => classIndex))).toEqual(new Set([0, 1, 2]));
    for (const { classIndex, lengthPx } of labels.objects) {
      if (classIndex === 0) expect(lengthPx >= 21 && lengthPx <= 36).toBe(true);
    }
  });

  test("a region of a huge scene costs no more than the region", async () => {
    // Its labels would be a hundred thousand objects; its pixels 1.2 GB.
    const { scene } = synthesise({ seed: 1, width: 20_000, height: 20_000 });
    const pixels = await scene.read({ x: 19_900, y: 19_900, width: 100, height: 100 });
    expect(pixels.bands).toHaveLength(3);
  });
});

describe("countFound", () => {
  const { labels } = synthesise({ seed: 1, width: 800, height: 800 });
  const classes = labels.objects.map(({ classIndex }) => classIndex);
  const known = classes.length;

  test("the labels themselves are all found", () => {
    expect(countFound(labels, { boxes: labels.boxes, classes })).toEqual({
      found: known,
      known,
      extra: 0,
    });
  });

  test("a box that comes twice, is of another class or lies elsewhere is extra", () => {
    const twice = {
      ...labels.boxes,
      corners: Float64Array.of(...labels.boxes.corners, ...labels.boxes.corners),
    };
    expect(countFound(labels, { boxes: twice, classes: [...classes, ...classes] })).toEqual({
      found: known,
      known,
      extra: known,
    });
    expect(
      countFound(labels, { boxes: labels.boxes, classes: classes.map((c) => c + 1) }).found,
    ).toBe(0);
    const moved = { ...labels.boxes, corners: labels.boxes.corners.map((v) => v + 500) };
    expect(countFound(labels, { boxes: moved, classes }).found).toBe(0);
  });
});

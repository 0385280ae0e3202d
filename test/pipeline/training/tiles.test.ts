import { fc, test } from "@fast-check/vitest";
import { describe, expect } from "vitest";
import { boundsOf, rotatedToCorners, SYNTHETIC_CLASSES } from "../../../datasets/index.ts";
import { augment, joinTiles, turn } from "../../../pipeline/training/augmentation.ts";
import { cutTile } from "../../../pipeline/training/cut.ts";
import { boxRows, toLabels } from "../../../pipeline/training/labels.ts";
import { epochOrder, makeTile } from "../../../pipeline/training/loader.ts";
import type { TrainingRecord } from "../../../pipeline/training/loader.ts";
import { randomOf, shuffled } from "../../../pipeline/training/random.ts";
import { packBatch } from "../../../pipeline/training/sample.ts";
import type { TrainingImage, TrainingTile } from "../../../pipeline/training/sample.ts";
import { learningRate } from "../../../pipeline/training/schedule.ts";
import { synthesiseRecord, syntheticRecords } from "../../../pipeline/training/synthetic.ts";

/** A dark image with one bright box, so that label and pixels can be held against each other. */
function imageWithBox(
  width: number,
  height: number,
  box: readonly [number, number, number, number],
): TrainingImage {
  const [x1, y1, x2, y2] = box;
  const band = new Uint8Array(width * height).fill(20);
  for (let y = y1; y < y2; y++) band.fill(250, y * width + x1, y * width + x2);
  return {
    source: "drawn",
    pixels: { width, height, bands: [band, band.slice(), band.slice()], valid: undefined },
    labels: { xyxy: Float64Array.from(box), classes: Uint16Array.of(1) },
    labelled: Uint8Array.of(0, 1),
    gsdM: 0.5,
  };
}

/** Smallest box around the bright pixels. */
function brightBox({ pixels, sizePx: n }: TrainingTile): readonly number[] | undefined {
  let [x1, y1, x2, y2] = [n, n, 0, 0];
  for (let i = 0; i < n * n; i++) {
    if ((pixels[i] ?? 0) < 0.7) continue;
    const [x, y] = [i % n, Math.floor(i / n)];
    [x1, y1, x2, y2] = [Math.min(x1, x), Math.min(y1, y), Math.max(x2, x + 1), Math.max(y2, y + 1)];
  }
  return x2 > x1 ? [x1, y1, x2, y2] : undefined;
}

const IMAGE = imageWithBox(90, 70, [30, 20, 54, 44]);

describe("cutting", () => {
  test.prop([
    fc.integer({ min: -40, max: 60 }),
    fc.integer({ min: -40, max: 60 }),
    fc.double({ min: 0.6, max: 1.8, noNaN: true }),
  ])("labels lie on their objects at any place and scale", (x, y, scale) => {
    const tile = cutTile(IMAGE, { x, y, scale, sizePx: 64 });
    const bright = brightBox(tile);
    if (tile.labels.classes.length === 0) return;
    expect(bright).toBeDefined();
    [...tile.labels.xyxy].forEach((side, i) =>
      expect(Math.abs(side - (bright?.[i] ?? -99))).toBeLessThanOrEqual(1.2),
    );
  });

  test("an object of which less than 40 % is on the tile loses its label", () => {
    const at = (x: number) =>
      cutTile(IMAGE, { x, y: 0, scale: 1, sizePx: 64 }).labels.classes.length;
    expect([at(30), at(44), at(45)]).toEqual([1, 1, 0]); // 24, 10 and 9 of its 24 columns
  });

  test("the ground resolution scales with the tile", () => {
    expect(cutTile(IMAGE, { x: 0, y: 0, scale: 2, sizePx: 64 }).gsdM).toBe(0.25);
  });
});

describe("augmentation", () => {
  test.prop([fc.integer({ min: 0, max: 3 }), fc.boolean()])(
    "turned and mirrored labels stay on their objects",
    (quarters, mirror) => {
      const tile = turn(cutTile(IMAGE, { x: 10, y: 5, scale: 1, sizePx: 64 }), quarters, mirror);
      expect([...tile.labels.xyxy]).toEqual(brightBox(tile));
    },
  );

  test("four right angles, and two mirrors, change nothing", () => {
    const tile = cutTile(IMAGE, { x: 3, y: 2, scale: 1, sizePx: 64 });
    const round = [1, 1, 1, 1].reduce((t, q) => turn(t, q, false), tile);
    expect(round).toEqual(tile);
    expect(turn(turn(tile, 0, true), 0, true)).toEqual(tile);
  });

  test("a mosaic labels what all its parts label", () => {
    const part = cutTile(IMAGE, { x: 20, y: 10, scale: 1, sizePx: 32 });
    const other = { ...part, labelled: Uint8Array.of(1, 0) };
    const joined = joinTiles([part, part, part, other], 64);
    expect([...joined.labelled]).toEqual([0, 0]);
    expect(joined.labels.classes.length).toBe(4 * part.labels.classes.length);
    expect(joinTiles([part, part, part, part], 64).labels.xyxy[14]).toBe(
      (part.labels.xyxy[2] ?? 0) + 32,
    );
  });

  test("values stay in 0…1", async () => {
    const tile = await augment(IMAGE, async () => IMAGE, randomOf(5), {
      sizePx: 64,
      colour: 0.9,
      mosaic: 1,
    });
    expect(tile.pixels.every((v) => v >= 0 && v <= 1)).toBe(true);
  });
});

describe("oriented labels", () => {
  const [width, height] = [90, 70];
  const image = (box: readonly number[]): TrainingImage => {
    const [cx = 0, cy = 0, w = 0, h = 0, angle = 0] = box;
    const band = Uint8Array.from({ length: width * height }, (_, i) => {
      const [dx, dy] = [(i % width) + 0.5 - cx, Math.floor(i / width) + 0.5 - cy];
      const along = dx * Math.cos(angle) + dy * Math.sin(angle);
      const across = dy * Math.cos(angle) - dx * Math.sin(angle);
      return Math.abs(along) < w / 2 && Math.abs(across) < h / 2 ? 250 : 20;
    });
    const { corners } = rotatedToCorners("tile", Float64Array.from(box));
    const pixels = { width, height, bands: [band, band, band], valid: undefined };
    const object = { box: boundsOf([...corners]), corners: [...corners] };
    return { ...IMAGE, pixels, labels: toLabels([object], [1], true) };
  };

  test.prop([
    fc.tuple(
      fc.double({ min: 14, max: 40, noNaN: true }),
      fc.double({ min: 8, max: 13, noNaN: true }),
    ),
    fc.double({ min: -1.5, max: 1.5, noNaN: true }),
    fc.integer({ min: -30, max: 50 }),
    fc.integer({ min: -30, max: 40 }),
    fc.integer({ min: 0, max: 3 }),
    fc.boolean(),
  ])(
    "lie on their objects, cut and turned and mirrored",
    ([w, h], angle, x, y, quarters, mirror) => {
      const cut = cutTile(image([45, 35, w, h, angle]), { x, y, scale: 1, sizePx: 64 });
      const tile = turn(cut, quarters, mirror);
      const bright = (px: number, py: number): number | undefined =>
        px > 0 && py > 0 && px < 64 && py < 64
          ? tile.pixels[Math.floor(py) * 64 + Math.floor(px)]
          : undefined; // off the tile
      const rows = boxRows(tile.labels);
      for (let i = 0; i < rows.length; i += 5) {
        const [cx = 0, cy = 0, l = 0, s = 0, turned = 0] = rows.subarray(i, i + 5);
        expect(l).toBeGreaterThanOrEqual(s);
        expect(l).toBeLessThanOrEqual(w + 1e-6);
        const at = (u: number, v: number): number | undefined =>
          bright(
            cx + u * Math.cos(turned) - v * Math.sin(turned),
            cy + u * Math.sin(turned) + v * Math.cos(turned),
          );
        expect(at(0, 0)).toBeGreaterThan(0.7);
        // Beyond each side there is no more of the object.
        for (const u of [-1, 1]) {
          expect(at(u * (l / 2 + 2), 0) ?? 0).toBeLessThan(0.7);
          expect(at(0, u * (s / 2 + 2)) ?? 0).toBeLessThan(0.7);
        }
      }
    },
  );

  test("an object of which less than 40 % is on the tile loses its label", () => {
    const diagonal = image([45, 35, 30, 10, Math.PI / 4]);
    const left = (x: number) => cutTile(diagonal, { x, y: 0, scale: 1, sizePx: 64 }).labels;
    expect([0, 45, 50].map((x) => left(x).classes.length)).toEqual([1, 1, 0]);
    const [, , whole = 0, , angle] = boxRows(left(0));
    expect([whole, angle]).toEqual([expect.closeTo(30, 6), expect.closeTo(Math.PI / 4, 6)]);
    expect(boxRows(left(45))[2]).toBeLessThan(25);
  });

  test("a mosaic and a batch hold them as centre, sides and angle", () => {
    const part = cutTile(image([45, 35, 20, 10, 0.5]), { x: 30, y: 20, scale: 1, sizePx: 32 });
    const joined = joinTiles([part, part, part, part], 64);
    const batch = packBatch([joined], 2);
    expect(batch.boxes.length).toBe(batch.rows * 5);
    const row = (i: number): readonly number[] => [...batch.boxes.subarray(5 * i, 5 * i + 5)];
    [15, 15, 20, 10, 0.5].forEach((v, k) => expect(row(0)[k]).toBeCloseTo(v, 5));
    [47, 47, 20, 10, 0.5].forEach((v, k) => expect(row(3)[k]).toBeCloseTo(v, 5));
    expect(row(4)).toEqual([0, 0, 0, 0, 0]);
  });

  test("an upright label lies along the axes, its long side first", () => {
    const labels = toLabels([{ box: [10, 20, 14, 50], corners: undefined }], [0], true);
    const [x, y, w, h, angle = 0] = boxRows(labels);
    expect([x, y, w, h]).toEqual([12, 35, 30, 4]);
    expect(Math.abs(angle)).toBeCloseTo(Math.PI / 2, 10);
  });

  test("an outline has the smallest rectangle round it", () => {
    const polygon = [[10, 10, 20, 20, 16, 24, 15, 15, 6, 14]];
    const labels = toLabels([{ box: [6, 10, 20, 24], corners: undefined, polygon }], [0], true);
    const [x, y, w = 0, h = 0, angle] = boxRows(labels);
    expect([x, y, w, h, angle]).toEqual(
      [13, 17, Math.hypot(10, 10), Math.hypot(4, 4), Math.PI / 4].map((v) => expect.closeTo(v, 6)),
    );
  });

  test("a synthetic image has those of its objects", async () => {
    const [record] = syntheticRecords(1, SYNTHETIC_CLASSES, { seed: 4, oriented: true });
    const { labels } = await synthesiseRecord(record!, record!.synthetic!);
    expect(labels.classes.length).toBeGreaterThan(0);
    const rows = boxRows(labels);
    expect(rows.length).toBe(5 * labels.classes.length);
    const slanted = rows.filter((v, i) => i % 5 === 4 && Math.abs(Math.sin(2 * v)) > 0.1);
    expect(slanted.length).toBeGreaterThan(0);
  });
});

describe("order", () => {
  const records: TrainingRecord[] = [0, 1, 2, 3, 4].map((i) => ({
    ...IMAGE,
    path: `${i}`,
    repeat: i === 0 ? 3 : 1,
  }));
  const decode = async (record: TrainingRecord): Promise<TrainingImage> => ({
    source: record.path,
    ...record,
    pixels: IMAGE.pixels,
  });

  test("an epoch sees every record as often as it is to be seen, in another order each time", () => {
    const [first, second] = [epochOrder(records, 7, 0), epochOrder(records, 7, 1)];
    expect([...first].toSorted((a, b) => a - b)).toEqual([0, 0, 0, 1, 2, 3, 4]);
    expect([...first]).not.toEqual([...second]);
    expect(epochOrder(records, 7, 0)).toEqual(first);
  });

  test("a tile depends on seed, epoch and index alone", async () => {
    const order = epochOrder(records, 7, 0);
    const tile = (seed: number, index: number) =>
      makeTile(records, order, [0, index], decode, { seed, sizePx: 32 });
    const [late, early] = [await tile(7, 5), await tile(7, 2)];
    expect(await tile(7, 2)).toEqual(early);
    expect(await tile(7, 5)).toEqual(late);
    expect((await tile(8, 5)).pixels).not.toEqual(late.pixels);
  });

  test("a broken image is skipped and named, the next takes its place", async () => {
    const bad: string[] = [];
    const breaks = async (record: TrainingRecord): Promise<TrainingImage> => {
      if (record.path === "1") throw new Error("broken");
      return decode(record);
    };
    const order = Uint32Array.of(1, 2);
    const tile = await makeTile(
      records,
      order,
      [0, 0],
      breaks,
      { seed: 1, sizePx: 32, mosaic: 0 },
      (path) => bad.push(path),
    );
    expect(bad).toEqual(["1"]);
    expect(tile.sizePx).toBe(32);
  });

  test("one whole image among many broken ones makes every tile; without it there is a sentence", async () => {
    const many = Array.from({ length: 30 }, (_, i) => ({ ...IMAGE, path: `${i}` }));
    const broken = async (record: TrainingRecord): Promise<TrainingImage> => {
      if (record.path !== "17") throw new Error("broken");
      return decode(record);
    };
    const order = epochOrder(many, 7, 0);
    const made = (records: readonly TrainingRecord[], index: number) =>
      makeTile(records, order, [0, index], broken, { seed: 7, sizePx: 32 });
    for (const index of order.keys()) expect((await made(many, index)).sizePx).toBe(32);
    await expect(made(many.with(17, { ...IMAGE, path: "-" }), 0)).rejects.toThrow(
      "makeTile: the training set must hold an image that can be used, received 30 of which none can, the first because broken",
    );
  });

  test.prop([fc.nat(50), fc.integer()])("shuffling keeps every number once", (length, seed) => {
    const order = [...shuffled(length, randomOf(seed))].toSorted((a, b) => a - b);
    expect(order).toEqual(Array.from({ length }, (_, i) => i));
  });
});

test("a batch has rows for its most crowded tile and says where labels are", () => {
  const tile = cutTile(IMAGE, { x: 10, y: 5, scale: 1, sizePx: 64 });
  const batch = packBatch([tile, { ...tile, gsdM: undefined }], 2);
  expect(batch.rows).toBe(16);
  expect([...batch.classes.subarray(0, 4)]).toEqual([0, 1, 0, 0]);
  expect([...batch.boxes.subarray(0, 4)]).toEqual([...tile.labels.xyxy]);
  expect([...batch.gsdM]).toEqual([0.5, 0]);
  expect([...batch.labelled]).toEqual([0, 1, 0, 1]);
});

test("of a tile with more objects than rows the largest are kept, and the others are no negatives", () => {
  const [size, count] = [64, 230];
  const sides = Array.from({ length: count }, (_, i) => 3 + ((i * 7) % count) / 10);
  const labels = {
    xyxy: Float64Array.from(sides.flatMap((side) => [1, 1, 1 + side, 1 + side])),
    classes: Uint16Array.from(sides, (side) => Number(side > 20)),
  };
  const tile = cutTile(IMAGE, { x: 10, y: 5, scale: 1, sizePx: size });
  const both = Uint8Array.of(1, 1);
  const batch = packBatch(
    [
      { ...tile, labelled: both },
      { ...tile, labels, labelled: both },
    ],
    2,
  );
  expect([batch.rows, batch.leftOut]).toEqual([224, [0, 6]]);
  const kept = batch.boxes.subarray(224 * 4).filter((_, i) => i % 4 === 2);
  expect(Math.min(...kept)).toBeCloseTo(1 + 3 + 0.6, 5);
  expect([...batch.labelled]).toEqual([1, 1, 0, 1]);
});

test("the rate rises in a line, falls in half a cosine and ends at its floor", () => {
  const at = (step: number) =>
    learningRate(step, { peak: 1, warmupSteps: 10, steps: 110, floor: 0.1 });
  expect([at(0), at(4), at(9), at(10)]).toEqual([0.1, 0.5, 1, 1]);
  expect(at(60)).toBeCloseTo(0.55, 10);
  expect(at(110)).toBeCloseTo(0.1, 10);
});

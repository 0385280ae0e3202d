import { fc, test } from "@fast-check/vitest";
import { describe, expect } from "vitest";
import { augment, joinTiles, turn } from "../../../pipeline/training/augmentation.ts";
import { cutTile } from "../../../pipeline/training/cut.ts";
import { epochOrder, makeTile } from "../../../pipeline/training/loader.ts";
import type { TrainingRecord } from "../../../pipeline/training/loader.ts";
import { randomOf, shuffled } from "../../../pipeline/training/random.ts";
import { packBatch } from "../../../pipeline/training/sample.ts";
import type { TrainingImage, TrainingTile } from "../../../pipeline/training/sample.ts";
import { learningRate } from "../../../pipeline/training/schedule.ts";

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

test("the rate rises in a line, falls in half a cosine and ends at its floor", () => {
  const at = (step: number) =>
    learningRate(step, { peak: 1, warmupSteps: 10, steps: 110, floor: 0.1 });
  expect([at(0), at(4), at(9), at(10)]).toEqual([0.1, 0.5, 1, 1]);
  expect(at(60)).toBeCloseTo(0.55, 10);
  expect(at(110)).toBeCloseTo(0.1, 10);
});

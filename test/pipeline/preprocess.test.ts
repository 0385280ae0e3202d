import { fc, test } from "@fast-check/vitest";
import { describe, expect } from "vitest";
import type { Detections, Pixels } from "../../datasets/index.ts";
import type { ModelInput } from "../../models/index.ts";
import { fitInput, onData, placement, toTile, writeInput } from "../../pipeline/preprocess.ts";

const input: ModelInput = {
  name: "images",
  width: 4,
  height: 3,
  batch: 1,
  channels: 3,
  layout: "B C Y X",
  order: "rgb",
  mean: [10, 20, 30],
  std: [2, 4, 5],
  fit: "pad",
  padValue: 114,
  type: "float32",
};
const bands = {
  read: [0, 1, 2],
  channels: [0, 1, 2],
  how: "direct",
  palette: undefined,
  text: "",
  warning: undefined,
} as const;
const none = { text: "none", low: [0, 0, 0], high: [255, 255, 255] };
const fit = { width: 4, height: 3, tile: { width: 4, height: 3 }, zoom: 1 };
const tile: Pixels = {
  width: 2,
  height: 2,
  bands: [Uint8Array.of(1, 2, 3, 4), Uint8Array.of(5, 6, 7, 8), Uint8Array.of(9, 10, 11, 12)],
  valid: undefined,
};
const written = (pixels: Pixels, change: Partial<ModelInput> = {}, stretch = none): number[][] => {
  const out = new Float32Array(36).fill(Number.NaN);
  writeInput(pixels, { input: { ...input, ...change }, fit, bands, stretch }, out);
  return [out.slice(0, 12), out.slice(12, 24), out.slice(24)].map((plane) => [...plane]);
};
const plain = { mean: [0, 0, 0], std: [1, 1, 1] };

describe("writeInput", () => {
  test("normalises each channel and pads at right and bottom", () => {
    const [red, green] = written(tile);
    const [p, q] = [(114 - 10) / 2, (114 - 20) / 4];
    // oxfmt-ignore
    expect(red).toEqual([-4.5, -4, p, p,  -3.5, -3, p, p,  p, p, p, p]);
    expect(green?.slice(0, 4)).toEqual([-3.75, -3.5, q, q]);
  });

  test("letterbox puts the tile in the middle", () => {
    // oxfmt-ignore
    expect(written(tile, { ...plain, fit: "letterbox", padValue: 0 })[0]).toEqual([
      0, 1, 2, 0,
      0, 3, 4, 0,
      0, 0, 0, 0,
    ]);
  });

  test("bgr hands the channels over in reverse, each with its own mean", () => {
    const [first, , last] = written(tile, { order: "bgr" });
    expect(first?.[0]).toBe((9 - 10) / 2);
    expect(last?.[0]).toBeCloseTo((1 - 30) / 5, 6);
  });

  test("stretches each band by its own ends and cuts off outside", () => {
    const stretch = { text: "", low: [2, 0, 0], high: [3, 255, 255] };
    expect(written(tile, plain, stretch)[0]?.slice(0, 6)).toEqual([0, 0, 114, 114, 255, 255]);
  });

  test("nodata gets the pad value, whatever lies there", () => {
    const holes: Pixels = {
      ...tile,
      bands: tile.bands.map(() => Float32Array.of(Number.NaN, Infinity, -Infinity, 4)),
      valid: Uint8Array.of(0, 0, 0, 1),
    };
    const [red] = written(holes, plain);
    expect(red).toEqual([114, 114, 114, 114, 114, 4, 114, 114, 114, 114, 114, 114]);
  });

  test("an input of bytes gets whole numbers", () => {
    const half: Pixels = {
      ...tile,
      bands: tile.bands.map(() => Float32Array.of(1.4, 1.6, 2.5, 3)),
    };
    expect(written(half, { ...plain, type: "uint8" })[0]?.slice(0, 2)).toEqual([1, 2]);
  });
});

describe("fitInput", () => {
  test("a tile of the input's size is not zoomed", () => {
    expect(fitInput({ width: 416, height: 416 }, 416)).toEqual({
      width: 416,
      height: 416,
      tile: { width: 416, height: 416 },
      zoom: 1,
    });
  });

  test("a tile a little smaller than the input is padded, not resampled", () => {
    const fitted = fitInput({ width: 512, height: 512 }, 500);
    expect(fitted).toMatchObject({ tile: { width: 500, height: 500 }, zoom: 1 });
  });

  test("a larger tile shrinks the whole grid, and the tile keeps the input's shape", () => {
    const fitted = fitInput({ width: 640, height: 384 }, 1280);
    expect(fitted).toMatchObject({ tile: { width: 640, height: 384 }, zoom: 0.5 });
  });

  test("an open input is the tile's size, rounded up to a multiple of 32", () => {
    expect(fitInput({ width: undefined, height: undefined }, 1000)).toMatchObject({
      width: 1024,
      height: 1024,
      tile: { width: 1000, height: 1000 },
    });
  });
});

const one = (xyxy: number[], score = 0.5): Detections<"tile"> => ({
  count: 1,
  boxes: { kind: "axis-aligned", frame: "tile", xyxy: Float64Array.from(xyxy) },
  scores: Float32Array.of(score),
  classes: Uint16Array.of(0),
});

describe("toTile", () => {
  test.prop([
    fc.record({ width: fc.integer({ min: 1, max: 64 }), height: fc.integer({ min: 1, max: 64 }) }),
    fc.constantFrom("pad", "letterbox", "stretch"),
  ])("undoes the placement", (size, how) => {
    const at = placement(size, { width: 64, height: 64 }, how);
    const { boxes } = toTile(one([at.x, at.y, at.x + size.width, at.y + size.height]), at);
    expect(boxes.kind === "axis-aligned" && [...boxes.xyxy]).toEqual([
      0,
      0,
      size.width,
      size.height,
    ]);
  });
});

describe("onData", () => {
  const pixels: Pixels = {
    width: 4,
    height: 4,
    bands: [new Uint8Array(16)],
    valid: new Uint8Array(16).fill(1, 8),
  };

  test("boxes whose middle is nodata are left out", () => {
    expect(onData(one([0, 0, 2, 2]), pixels).count).toBe(0);
    expect(onData(one([0, 2, 2, 4]), pixels).count).toBe(1);
  });

  test("so are boxes in the padding and boxes of no number", () => {
    expect(onData(one([10, 10, 12, 12]), pixels).count).toBe(0);
    expect(onData(one([0, 2, Number.NaN, 4]), pixels).count).toBe(0);
    expect(onData(one([0, 2, 2, 4], Number.NaN), pixels).count).toBe(0);
  });

  test("oriented boxes are judged by the middle of their corners", () => {
    const oriented: Detections<"tile"> = {
      ...one([]),
      boxes: { kind: "oriented", frame: "tile", corners: Float64Array.of(2, 1, 4, 3, 3, 4, 1, 2) },
    };
    expect(onData(oriented, pixels).count).toBe(1);
    expect(onData(oriented, { ...pixels, valid: new Uint8Array(16) }).count).toBe(0);
  });
});

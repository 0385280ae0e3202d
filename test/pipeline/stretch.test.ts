import { fc, test } from "@fast-check/vitest";
import { describe, expect } from "vitest";
import { memoryScene, type Samples, type Scene, type Window } from "../../datasets/index.ts";
import { chooseBands } from "../../pipeline/bands.ts";
import { decideStretch } from "../../pipeline/stretch.ts";

const sceneOf = (
  bands: Samples[],
  width: number,
  more: { nodata?: number; valid?: Uint8Array } = {},
): Scene => memoryScene({ width, height: bands[0]!.length / width, bands, ...more });
const decide = (scene: Scene, setting: string, nodata?: number | "none") =>
  decideStretch(scene, chooseBands(scene, scene.bands.length === 1 ? 1 : 3), setting, { nodata });
const ramp = (length: number): Uint16Array => Uint16Array.from({ length }, (_, i) => i);

describe("decideStretch", () => {
  test("auto leaves bytes as they are and takes percentiles 2 to 98 of everything else", async () => {
    expect(await decide(sceneOf([new Uint8Array(100)], 10), "auto")).toEqual({
      text: "auto → none",
      low: [0],
      high: [255],
    });
    // numpy.percentile(numpy.arange(1001), [2, 98])
    expect(await decide(sceneOf([ramp(1001)], 1001), "auto")).toEqual({
      text: "auto → p2-98",
      low: [20],
      high: [980],
    });
  });

  test("percentiles lie between samples as NumPy's do", async () => {
    // numpy.percentile([0 … 9], [25, 90])
    expect(await decide(sceneOf([ramp(10)], 10), "p25-90")).toMatchObject({
      low: [2.25],
      high: [8.1],
    });
  });

  test("each band has its own ends", async () => {
    const bands = [1, 2, 5].map((by) => ramp(100).map((v) => v * by));
    expect(await decide(sceneOf(bands, 10), "minmax")).toMatchObject({
      low: [0, 0, 0],
      high: [99, 198, 495],
    });
  });

  test.prop([fc.integer({ min: 0, max: 900 })])(
    "nodata has no say, however much of it there is",
    async (holes) => {
      const valid = new Uint8Array(1000).fill(1, 0, 1000 - holes);
      const band = ramp(1000).map((v, i) => (valid[i] === 1 ? 100 + (v % 50) : 60_000));
      expect(await decide(sceneOf([band], 100, { valid }), "minmax")).toMatchObject({
        low: [100],
        high: [149],
      });
    },
  );

  test("a declared or a stated nodata value counts as such, `none` takes it for data", async () => {
    const band = Uint16Array.of(0, 0, 7, 9);
    expect(await decide(sceneOf([band], 2, { nodata: 0 }), "minmax")).toMatchObject({
      low: [7],
      high: [9],
    });
    expect(await decide(sceneOf([band], 2), "minmax", 0)).toMatchObject({ low: [7], high: [9] });
    expect(await decide(sceneOf([band], 2, { nodata: 0 }), "minmax", "none")).toMatchObject({
      low: [0],
    });
  });

  test("NaN and infinities are left out", async () => {
    const band = Float32Array.of(Number.NaN, -Infinity, 0.25, 0.5, Infinity, 0.75);
    expect(await decide(sceneOf([band], 6), "minmax")).toMatchObject({ low: [0.25], high: [0.75] });
  });

  test("a band without contrast, or without data, has ends that differ", async () => {
    expect(await decide(sceneOf([new Uint16Array(50).fill(7)], 10), "auto")).toMatchObject({
      low: [7],
      high: [8],
    });
    const nothing = sceneOf([new Uint16Array(50)], 10, { valid: new Uint8Array(50) });
    expect(await decide(nothing, "auto")).toMatchObject({ low: [0], high: [1] });
  });

  test.each([
    ["dtype", [0, 65_535]],
    ["none", [0, 255]],
    ["300,3000", [300, 3000]],
  ])("%s needs no look at the pixels", async (setting, [low, high]) => {
    const scene = sceneOf([ramp(100)], 10);
    const unread: Scene = { ...scene, read: () => Promise.reject(new Error("must not be read")) };
    expect(await decide(unread, setting)).toEqual({ text: setting, low: [low], high: [high] });
  });

  test("looks at the coarsest overview of at least 1024 px", async () => {
    const read: (number | undefined)[] = [];
    const level = (side: number) => ({
      width: side,
      height: side,
      blockWidth: 256,
      blockHeight: 256,
    });
    const scene: Scene = {
      ...sceneOf([ramp(4)], 2),
      ...{ width: 4096, height: 4096, levels: [4096, 2048, 1024, 512].map(level) },
      read: async ({ width, height }: Window, options) => {
        read.push(options?.level);
        return { width, height, bands: [new Uint16Array(width * height)], valid: undefined };
      },
    };
    await decide(scene, "auto");
    expect(read).toEqual([2]);
  });

  test("a large scene without overviews is sampled all over, at a bounded cost", async () => {
    const side = 20_000;
    let [pixels, right, bottom] = [0, 0, 0];
    const scene: Scene = {
      ...sceneOf([ramp(4)], 2),
      ...{
        width: side,
        height: side,
        levels: [{ width: side, height: side, blockWidth: side, blockHeight: 1 }],
      },
      read: async ({ x, y, width, height }: Window) => {
        pixels += width * height;
        [right, bottom] = [Math.max(right, x + width), Math.max(bottom, y + height)];
        return {
          width,
          height,
          bands: [new Uint16Array(width * height).fill(x)],
          valid: undefined,
        };
      },
    };
    const { low, high } = await decide(scene, "minmax");
    expect([right, bottom]).toEqual([side, side]);
    expect(low[0]).toBe(0);
    expect(high[0]).toBeGreaterThan(0.99 * side);
    expect(pixels).toBeLessThanOrEqual(1 << 20);
  });
});

import { describe, expect, test } from "vitest";
import { memoryScene, SceneError } from "../../datasets/index.ts";

const plane = (width: number, height: number): Uint8Array =>
  Uint8Array.from({ length: width * height }, (_, i) => i % 251);

describe("memoryScene", () => {
  test("a window holds the pixels of its place", async () => {
    await using scene = memoryScene({ width: 40, height: 30, bands: [plane(40, 30)] });
    const { bands } = await scene.read({ x: 7, y: 5, width: 3, height: 2 });
    expect([...(bands[0] ?? [])]).toEqual([207, 208, 209, 247, 248, 249]);
  });

  test("bands come in the order asked for", async () => {
    const bands = [1, 2, 3].map((value) => new Uint16Array(4).fill(value));
    await using scene = memoryScene({ width: 2, height: 2, bands });
    const window = { x: 0, y: 0, width: 1, height: 1 };
    const read = await scene.read(window, { bands: [2, 0] });
    expect(read.bands.map((band) => band[0])).toEqual([3, 1]);
  });

  test("a pixel is no data where every band read is nodata, or alpha or the mask is 0", async () => {
    const bands = [
      Uint8Array.of(0, 0, 9, 9),
      Uint8Array.of(0, 9, 9, 9),
      Uint8Array.of(0, 9, 9, 9),
      Uint8Array.of(255, 255, 0, 255),
    ];
    const options = { width: 4, height: 1, bands, nodata: 0, valid: Uint8Array.of(1, 1, 1, 0) };
    await using scene = memoryScene(options);
    const { valid } = await scene.read({ x: 0, y: 0, width: 4, height: 1 }, { bands: [0, 1, 2] });
    expect([...(valid ?? [])]).toEqual([0, 1, 0, 0]);
  });

  test("NaN and infinite pixels are no data", async () => {
    const bands = [Float32Array.of(1, Number.NaN, Number.POSITIVE_INFINITY, -Infinity)];
    await using scene = memoryScene({ width: 4, height: 1, bands });
    const { valid } = await scene.read({ x: 0, y: 0, width: 4, height: 1 });
    expect([...(valid ?? [])]).toEqual([1, 0, 0, 0]);
  });

  test("a nodata value that the type cannot hold matches nothing", async () => {
    const bands = [Uint8Array.of(0, 240, 255)];
    await using scene = memoryScene({ width: 3, height: 1, bands, nodata: -10000 });
    expect(scene.nodata).toBe(-10000);
    expect((await scene.read({ x: 0, y: 0, width: 3, height: 1 })).valid).toBeUndefined();
  });

  test("a float nodata value matches as float32 has it", async () => {
    const bands = [Float32Array.of(-3.4028234663852886e38, 0)];
    await using scene = memoryScene({ width: 2, height: 1, bands, nodata: -3.402823466e38 });
    const { valid } = await scene.read({ x: 0, y: 0, width: 2, height: 1 });
    expect([...(valid ?? [])]).toEqual([0, 1]);
  });

  test("a window outside, a level or a band that is not there is refused", async () => {
    await using scene = memoryScene({ width: 4, height: 4, bands: [plane(4, 4)] });
    const inside = { x: 0, y: 0, width: 4, height: 4 };
    for (const window of [
      { ...inside, x: 1 },
      { ...inside, y: -1 },
      { ...inside, width: 0 },
      { ...inside, height: 1.5 },
    ]) {
      await expect(scene.read(window)).rejects.toThrow(RangeError);
    }
    await expect(scene.read(inside, { level: 1 })).rejects.toThrow(/levels 0 to 0.*level 1/);
    await expect(scene.read(inside, { bands: [1] })).rejects.toThrow(/bands must be in 0 to 0/);
  });

  test("no bands, or bands that differ, are refused", () => {
    expect(() => memoryScene({ width: 1, height: 1, bands: [] })).toThrow(SceneError);
    expect(() => memoryScene({ width: 2, height: 2, bands: [plane(1, 1)] })).toThrow(
      /2 x 2 pixels/,
    );
    const mixed = [new Uint8Array(1), new Uint16Array(1)];
    expect(() => memoryScene({ width: 1, height: 1, bands: mixed })).toThrow(/must be uint8/);
  });
});

import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import sharp from "sharp";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Samples } from "../../datasets/index.ts";
import { openScene } from "../../datasets/node.ts";
import { bytesSource } from "../../datasets/readers/byte-source.ts";
import { openPhoto } from "../../datasets/readers/photo-node.ts";
import { expectSamePixels } from "./same-pixels.ts";

let folder = "";
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "nadir-photos-"));
});
afterAll(() => rm(folder, { recursive: true }));

const [width, height] = [50, 40];
const whole = { x: 0, y: 0, width, height };

function planes(count: number, is16: boolean): readonly Samples[] {
  return Array.from({ length: count }, (_, band) => {
    const plane = is16 ? new Uint16Array(width * height) : new Uint8Array(width * height);
    const step = is16 ? 1237 : 7;
    return plane.map((_value, i) => i * step + band * 37);
  });
}

/** A photo in a format without loss. */
async function photo(bands: readonly Samples[], format: "png" | "webp"): Promise<Buffer> {
  const is16 = bands[0] instanceof Uint16Array;
  const length = width * height * bands.length;
  const mixed = is16 ? new Uint16Array(length) : new Uint8Array(length);
  bands.forEach((band, b) => band.forEach((value, i) => (mixed[i * bands.length + b] = value)));
  const channels = bands.length as 1 | 2 | 3 | 4; // as the tests have it
  const image = sharp(mixed, { raw: { width, height, channels } });
  if (format === "webp") return image.webp({ lossless: true, exact: true }).toBuffer();
  const [grey, colour] = is16 ? (["grey16", "rgb16"] as const) : (["b-w", "srgb"] as const);
  return image
    .toColourspace(bands.length < 3 ? grey : colour)
    .png()
    .toBuffer();
}

async function put(name: string, bytes: Buffer): Promise<string> {
  const path = join(folder, name);
  await writeFile(path, bytes);
  return path;
}

describe("photos", () => {
  test.each([
    [1, false, ["grey"]],
    [3, false, ["red", "green", "blue"]],
    [4, false, ["red", "green", "blue", "alpha"]],
    [1, true, ["grey"]],
    [3, true, ["red", "green", "blue"]],
    [4, true, ["red", "green", "blue", "alpha"]],
  ] as const)("a PNG of %i bands keeps its values, 16 bits: %s", async (count, is16, roles) => {
    const bands = planes(count, is16);
    await using scene = await openScene(await put("photo.png", await photo(bands, "png")));
    expect(scene.format).toBe("PNG");
    expect(scene.sampleType).toBe(is16 ? "uint16" : "uint8");
    expect(scene.bands.map(({ role }) => role)).toEqual(roles);
    expectSamePixels((await scene.read(whole)).bands, bands);
    expect(scene.transform).toBeUndefined();
    expect(scene.warnings.join()).toMatch(/results are in pixels/);
  });

  test("grey with alpha becomes RGBA, and keeps its transparency", async () => {
    const bands = planes(2, false);
    await using scene = await openScene(await put("photo.png", await photo(bands, "png")));
    const [grey = new Uint8Array(), alpha = new Uint8Array()] = bands;
    expectSamePixels((await scene.read(whole)).bands, [grey, grey, grey, alpha]);
    const { valid } = await scene.read(whole, { bands: [0] });
    expect(valid?.[0]).toBe(alpha[0] === 0 ? 0 : 1);
    expect([...(valid ?? [])]).toEqual([...alpha].map((value) => (value === 0 ? 0 : 1)));
  });

  test("a WebP keeps its values, whatever its name says", async () => {
    const bands = planes(3, false);
    await using scene = await openScene(await put("photo.jpg", await photo(bands, "webp")));
    expect(scene.format).toBe("WebP");
    expectSamePixels((await scene.read(whole)).bands, bands);
  });

  test("a JPEG is turned upright as its camera says", async () => {
    const image = sharp({ create: { width: 60, height: 20, channels: 3, background: "navy" } });
    const bytes = await image.jpeg().withMetadata({ orientation: 6 }).toBuffer();
    await using scene = await openScene(await put("turned.jpg", bytes));
    expect([scene.width, scene.height]).toEqual([20, 60]);
  });

  test("a grey JPEG has one band", async () => {
    const image = sharp({ create: { width: 9, height: 9, channels: 3, background: "grey" } });
    const path = await put("grey.jpg", await image.toColourspace("b-w").jpeg().toBuffer());
    await using scene = await openScene(path);
    expect(scene.bands.map(({ role }) => role)).toEqual(["grey"]);
  });

  test.each([false, true])(
    "a photo too large for memory is served from a file that goes when it is closed, 16 bits: %s",
    async (is16) => {
      const bands = planes(4, is16);
      const temporary = async (): Promise<number> =>
        (await readdir(tmpdir())).filter((name) => name.startsWith("nadir-photo-")).length;
      const before = await temporary();
      const source = bytesSource(await photo(bands, "png"), "large.png");
      {
        await using scene = await openPhoto(source, "PNG", { memoryBytes: 0 });
        expect(await temporary()).toBe(before + 1);
        expect([scene.source, scene.format]).toEqual(["large.png", "PNG"]);
        expect(scene.sampleType).toBe(is16 ? "uint16" : "uint8");
        expect(scene.levels[0]?.blockWidth).toBe(512);
        expect(scene.bands.map(({ role }) => role)).toEqual(["red", "green", "blue", "alpha"]);
        expectSamePixels((await scene.read(whole)).bands, bands);
      }
      expect(await temporary()).toBe(before);
    },
  );
});

import { mkdtemp, readFile, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import sharp from "sharp";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { memoryScene } from "../../../datasets/index.ts";
import type { FoundObject } from "../../../pipeline/index.ts";
import { openOutput, renderPicture } from "../../../pipeline/node.ts";
import { context } from "./objects.ts";

const [WIDTH, HEIGHT] = [400, 300];

/** A 16-bit scene: a dim ramp from left to right, with one bright pixel and a nodata corner. */
function scene() {
  const ramp = Uint16Array.from({ length: WIDTH * HEIGHT }, (_, i) => 1000 + (i % WIDTH));
  ramp[5 * WIDTH + 390] = 65_535;
  const valid = Uint8Array.from(ramp, (_, i) => (i % WIDTH < 40 && i < 40 * WIDTH ? 0 : 1));
  return memoryScene({
    source: "ramp.tif",
    width: WIDTH,
    height: HEIGHT,
    bands: [ramp, ramp, ramp],
    valid,
  });
}

function box(x1: number, y1: number, x2: number, y2: number, classIndex = 0): FoundObject {
  return {
    class: ["ship", "plane"][classIndex] ?? "",
    classIndex,
    score: 0.9,
    oriented: false,
    corners: Float64Array.of(x1, y1, x2, y1, x2, y2, x1, y2),
    map: undefined,
    lonLat: undefined,
    ground: undefined,
  };
}

async function pixels(encoded: Uint8Array) {
  const { data, info } = await sharp(encoded)
    .removeAlpha()
    .raw()
    .toBuffer({ resolveWithObject: true });
  return {
    ...info,
    at: (x: number, y: number) => [
      ...data.subarray(3 * (y * info.width + x), 3 * (y * info.width + x) + 3),
    ],
  };
}

let folder = "";
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "nadir-picture-"));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

describe("renderPicture", () => {
  test("stretches 16 bits by percentiles, and shows nodata as no grey", async () => {
    const { at, width, height } = await pixels(await renderPicture(scene(), []));
    expect([width, height]).toEqual([WIDTH, HEIGHT]);
    expect(at(390, 250)[0]).toBeGreaterThan(240);
    expect(at(50, 250)[0]).toBeLessThan(40);
    expect(Math.abs((at(200, 250)[0] ?? 0) - 128)).toBeLessThan(10);
    expect(at(10, 10)).toEqual([22, 26, 33]);
  });

  test("draws each outline where its box is, in the colour of its class", async () => {
    const drawn = await pixels(
      await renderPicture(scene(), [box(100, 100, 180, 160), box(220, 100, 300, 160, 1)]),
    );
    const plain = await pixels(await renderPicture(scene(), []));
    for (const [x, y] of [
      [100, 130],
      [140, 160],
      [180, 130],
    ] as const) {
      const [red = 0, , blue = 0] = drawn.at(x, y);
      expect(red - blue).toBeGreaterThan(80); // orange
    }
    const [red = 0, , blue = 0] = drawn.at(260, 160);
    expect(blue - red).toBeGreaterThan(80); // sky blue
    expect(drawn.at(140, 130)).toEqual(plain.at(140, 130)); // inside nothing is hidden
    expect(drawn.at(200, 200)).toEqual(plain.at(200, 200));
  });

  test("of a larger scene than the picture keeps places in proportion", async () => {
    const small = await pixels(
      await renderPicture(scene(), [box(200, 100, 360, 260)], { maxSidePx: 200 }),
    );
    expect([small.width, small.height]).toEqual([200, 150]);
    const [red = 0, , blue = 0] = small.at(100, 90);
    expect(red - blue).toBeGreaterThan(80);
  });

  test("draws any number of objects, one SVG after another", async () => {
    function* many(): Generator<FoundObject> {
      for (let i = 0; i < 4500; i++)
        yield box(
          (i % 90) * 4,
          Math.floor(i / 90) * 5,
          (i % 90) * 4 + 3,
          Math.floor(i / 90) * 5 + 4,
        );
    }
    const drawn = await pixels(await renderPicture(scene(), many()));
    const plain = await pixels(await renderPicture(scene(), []));
    for (const i of [0, 1999, 2000, 4499]) {
      const [x, y] = [(i % 90) * 4 + 3, Math.floor(i / 90) * 5 + 2];
      expect(drawn.at(x, y)).not.toEqual(plain.at(x, y));
    }
  });
});

describe("openOutput of a picture", () => {
  test("writes a file that decodes, whole or not at all, the same twice", async () => {
    const read = async (name: string): Promise<Buffer> => {
      const path = join(folder, name);
      await using output = await openOutput("png", path, { ...context, scene: scene() });
      await output.write(box(100, 100, 180, 160));
      await output.finish();
      return readFile(path);
    };
    expect((await read("a.png")).equals(await read("b.png"))).toBe(true);
    await using aborted = await openOutput("jpeg", join(folder, "c.jpg"), {
      ...context,
      scene: scene(),
    });
    await aborted.write(box(100, 100, 180, 160));
    await aborted.abort();
    expect((await readdir(folder)).toSorted()).toEqual(["a.png", "b.png"]);
  });

  test("says that it needs pixels", async () => {
    await expect(openOutput("png", join(folder, "d.png"), context)).rejects.toThrow(
      /a picture needs the pixels of its scene/,
    );
  });
});

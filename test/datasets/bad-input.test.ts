import { chmod, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { memorySink, openSceneFromBlob, SceneError, writeGeoTiff } from "../../datasets/index.ts";
import { openScene } from "../../datasets/node.ts";
import { directoryBytes, type Field, header } from "../../datasets/writers/tiff-directory.ts";

let folder = "";
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "nadir-bad-"));
});
afterAll(() => rm(folder, { recursive: true }));

async function put(name: string, content: string | Uint8Array): Promise<string> {
  const path = join(folder, name);
  await writeFile(path, content);
  return path;
}

/** The message of the SceneError that opening gives. */
async function refusal(path: string): Promise<string> {
  const error: unknown = await openScene(path).then(
    () => "it opened",
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(SceneError);
  return error instanceof Error ? error.message : "";
}

async function deflated(width: number, height: number): Promise<Uint8Array<ArrayBuffer>> {
  const sink = memorySink();
  const bands = [{ role: "grey" }, { role: "undefined" }] as const;
  const image = { width, height, sampleType: "uint16", bands, tileSizePx: 32 } as const;
  await writeGeoTiff(sink, image, (window) =>
    bands.map((_, band) =>
      Uint16Array.from(
        { length: window.width * window.height },
        (_value, i) => (i * 37 * (band + 1)) % 5000,
      ),
    ),
  );
  return sink.bytes();
}

/** A TIFF of a directory and nothing else. */
function bare(fields: readonly Field[]): Uint8Array {
  const directory = directoryBytes([fields], 16, false);
  const file = new Uint8Array(16 + directory.length);
  file.set(header(16, false));
  file.set(directory, 16);
  return file;
}

const one = (tag: number, value: number): Field => ({ tag, type: "long", values: [value] });

describe("what is no scene", () => {
  test("a missing file, a directory, an empty file, a text", async () => {
    expect(await refusal(join(folder, "none.tif"))).toMatch(/none\.tif: there is no such file$/);
    await mkdir(join(folder, "folder.tif"));
    expect(await refusal(join(folder, "folder.tif"))).toMatch(
      /must be a file, this is a directory/,
    );
    expect(await refusal(await put("empty.tif", ""))).toMatch(
      /must have content, the file is empty/,
    );
    const text = await put("text.tif", "This is not a picture, it only says it is one.");
    expect(await refusal(text)).toMatch(/must be a TIFF, PNG, JPEG or WebP, the file holds text$/);
    const other = await put("zip.tif", Uint8Array.of(0x50, 0x4b, 3, 4, 0, 0, 200, 1));
    expect(await refusal(other)).toMatch(/the file begins with 50 4b 03 04/);
  });

  test.skipIf(process.getuid?.() === 0 || process.platform === "win32")(
    "a file that may not be read",
    async () => {
      const path = await put("secret.tif", "II");
      await chmod(path, 0);
      expect(await refusal(path)).toMatch(/permission denied/);
    },
  );

  test("a TIFF without bands, without pixels, without an image", async () => {
    const size = [one(256, 8), one(257, 8)];
    expect(await refusal(await put("bands.tif", bare([...size, one(277, 0)])))).toMatch(
      /must have whole numbers of pixels and bands, received 8 x 8 x 0$/,
    );
    expect(await refusal(await put("pixels.tif", bare([one(257, 8)])))).toMatch(
      /received 0 x 8 x 1/,
    );
    expect(await refusal(await put("image.tif", header(0, false)))).toMatch(/this one holds none/);
    const masks = bare([one(254, 4), ...size]);
    expect(await refusal(await put("mask.tif", masks))).toMatch(/received masks/);
  });

  test("sizes that no image has are refused before anything is allocated", async () => {
    const sized = (samples: number, ...size: readonly Field[]) =>
      bare([...size, one(258, 8), one(277, samples), one(278, 8)]);
    const half: Field = { tag: 256, type: "double", values: [7.5] };
    expect(await refusal(await put("half.tif", sized(1, half, one(257, 8))))).toMatch(
      /received 7\.5 x 8 x 1$/,
    );
    const many = sized(4_000_000_000, one(256, 8), one(257, 8));
    expect(await refusal(await put("many.tif", many))).toMatch(/received 8 x 8 x 4000000000$/);
  });

  test("samples and compressions that cannot be read are named", async () => {
    const size = [one(256, 8), one(257, 8)];
    const complex = bare([...size, one(258, 64), one(339, 6)]);
    expect(await refusal(await put("complex.tif", complex))).toMatch(
      /received 64-bit complex float$/,
    );
    const fields = [...size, one(258, 8), one(259, 34712), one(273, 16), one(278, 8), one(279, 1)];
    await using scene = await openScene(await put("jp2.tif", bare(fields)));
    await expect(scene.read({ x: 0, y: 0, width: 1, height: 1 })).rejects.toThrow(
      /compression 34712 \(JPEG 2000\) cannot be read/,
    );
  });

  test("a header of 100,000 × 100,000 px with no data allocates nothing", async () => {
    const size = 100_000;
    const strip = [one(256, size), one(257, size), one(258, 8), one(259, 1), one(262, 1)];
    const whole = await put(
      "huge.tif",
      bare([...strip, one(273, 4096), one(278, size), one(279, 1e9)]),
    );
    await using scene = await openScene(whole);
    expect(scene.width).toBe(size);
    const window = { x: 0, y: 50_000, width: 512, height: 512 };
    await expect(scene.read(window)).rejects.toThrow(/must hold bytes .* \(is it truncated\?\)/);

    const tiled = [...strip, one(322, size), one(323, size), one(324, 4096), one(325, 10)];
    await using other = await openScene(await put("tile.tif", bare(tiled)));
    expect(other.warnings.join()).toMatch(/decoded whole/);
    await expect(other.read(window)).rejects.toThrow(/at most 1 GiB.*store the scene in tiles/);

    const none = bare([...strip, one(278, 1)]);
    await using third = await openScene(await put("offsets.tif", none));
    await expect(third.read(window)).rejects.toThrow(/where block 50000 lies, it knows 0 blocks/);
  });

  test("a CRS without a definition names its key; a CRS of the caller's takes its place", async () => {
    const keys: Field = { tag: 34735, type: "short", values: [1, 1, 0, 1, 3072, 0, 1, 65000] };
    const fields = [one(256, 8), one(257, 8), one(258, 8), keys];
    const path = await put("crs.tif", bare(fields));
    expect(await refusal(path)).toMatch(
      /crs\.tif: ProjectedCRSGeoKey must be an EPSG code.*65000$/,
    );
    await using scene = await openScene(path, { crs: "EPSG:32633" });
    expect(scene.crs?.epsg).toBe(32633);
  });
});

describe("what is damaged", () => {
  test("a scene cut anywhere opens or is refused, and never reads wrong lengths", async () => {
    const file = await deflated(100, 70);
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 0, max: file.length - 1 }), async (length) => {
        const error: unknown = await readAll(new Blob([file.subarray(0, length)])).catch(
          (reason: unknown) => reason,
        );
        expect(error).toBeInstanceOf(SceneError);
      }),
      { numRuns: 100 },
    );
  });

  test("a scene with any bytes changed is read or refused with a SceneError, nothing else", async () => {
    const file = await deflated(100, 70);
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(fc.nat(file.length - 1), fc.nat(255)), { minLength: 1, maxLength: 6 }),
        async (changes) => {
          const damaged = file.slice();
          for (const [at, value] of changes) damaged[at] = value;
          expect(["read", "refused"]).toContain(await outcomeOf(damaged));
        },
      ),
      { numRuns: 200 },
    );
  });

  test("changed directories are read or refused with a SceneError, nothing else", async () => {
    const file = await deflated(100, 70);
    const first = new DataView(file.buffer).getUint32(4, true);
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(fc.integer({ min: first, max: file.length - 1 }), fc.nat(255)), {
          minLength: 1,
          maxLength: 3,
        }),
        async (changes) => {
          const damaged = file.slice();
          for (const [at, value] of changes) damaged[at] = value;
          expect(["read", "refused"]).toContain(await outcomeOf(damaged));
        },
      ),
      { numRuns: 300 },
    );
  });

  test("a corrupt block is named, and the others are still read", async () => {
    const file = await deflated(96, 32);
    file.fill(0xff, 40, 60); // within the first tile
    await using scene = await openSceneFromBlob(new Blob([file]), "corrupt.tif");
    await expect(scene.read({ x: 0, y: 0, width: 96, height: 32 })).rejects.toThrow(
      /corrupt\.tif: block 0,0 cannot be decoded \(Deflate: /,
    );
    const rest = await scene.read({ x: 32, y: 0, width: 64, height: 32 });
    expect(rest.bands).toHaveLength(2);
  });

  test("a truncated photo is refused", async () => {
    const { default: sharp } = await import("sharp");
    const noise = { type: "gaussian", mean: 128, sigma: 30 } as const;
    const image = sharp({
      create: { width: 64, height: 64, channels: 3, background: "red", noise },
    });
    for (const format of ["png", "jpeg", "webp"] as const) {
      const whole = await image.clone().toFormat(format).toBuffer();
      const path = await put(`cut.${format}`, whole.subarray(0, whole.length / 2));
      expect(await refusal(path)).toMatch(/cannot be decoded/);
    }
  });
});

/** What becomes of a damaged scene: the error itself, where it is none of ours. */
async function outcomeOf(damaged: Uint8Array<ArrayBuffer>): Promise<unknown> {
  try {
    await readAll(new Blob([damaged]));
    return "read";
  } catch (error) {
    return error instanceof SceneError ? "refused" : error;
  }
}

/** Opens a scene and reads a corner of every level. */
async function readAll(blob: Blob): Promise<void> {
  await using scene = await openSceneFromBlob(blob, "damaged.tif");
  for (const [level, { width, height }] of scene.levels.entries()) {
    const [right, bottom] = [Math.min(width, 110), Math.min(height, 80)];
    const { bands } = await scene.read({ x: 0, y: 0, width: right, height: bottom }, { level });
    for (const band of bands) expect(band).toHaveLength(right * bottom);
  }
}

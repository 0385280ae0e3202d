import { describe, expect, test } from "vitest";
import { memorySink, type ReadPixels, writeGeoTiff } from "../../datasets/index.ts";
import { blockCache } from "../../datasets/readers/block-cache.ts";
import { bytesSource } from "../../datasets/readers/byte-source.ts";
import { openGeoTiff } from "../../datasets/readers/geotiff.ts";
import { type Codec, CODECS, type Codecs } from "../../datasets/readers/tiff/codecs.ts";

describe("blockCache", () => {
  const sized = (bytes: number): Promise<Uint8Array> => Promise.resolve(new Uint8Array(bytes));

  test("what was unused for longest goes first, and the bytes stay within the capacity", async () => {
    const cache = blockCache<Uint8Array>(100, ({ length }) => length);
    for (const key of ["a", "b"]) cache.set(key, sized(40));
    await Promise.resolve();
    await cache.get("a");
    cache.set("c", sized(40));
    await cache.get("c");
    expect(cache.heldBytes()).toBe(80);
    expect(["a", "b", "c"].map((key) => cache.get(key) !== undefined)).toEqual([true, false, true]);
  });

  test("a block on its way is shared, and one that failed is forgotten", async () => {
    const cache = blockCache<Uint8Array>(100, ({ length }) => length);
    const failing = Promise.reject(new Error("torn"));
    cache.set("a", failing);
    expect(cache.get("a")).toBe(failing);
    await expect(failing).rejects.toThrow("torn");
    expect(cache.get("a")).toBeUndefined();
    expect(cache.heldBytes()).toBe(0);
  });

  test("a block larger than the cache is given to its reader, and not kept", async () => {
    const cache = blockCache<Uint8Array>(10, ({ length }) => length);
    const large = sized(40);
    cache.set("a", large);
    expect(await cache.get("a")).toHaveLength(40);
    expect(cache.get("a")).toBeUndefined();
  });
});

/** The portable decoders, counting the blocks they decode. */
function counting(): { readonly codecs: Codecs; readonly decoded: () => number } {
  let decoded = 0;
  const count = ([tag, { name, decode }]: readonly [number, Codec]): [number, Codec] => [
    tag,
    {
      name,
      decode: (bytes, block) => {
        decoded += 1;
        return decode(bytes, block);
      },
    },
  ];
  return { codecs: new Map([...CODECS].map(count)), decoded: () => decoded };
}

describe("a sweep over a scene", () => {
  const [width, height, tileSizePx] = [1000, 900, 64];
  const pixels: ReadPixels = (window) => [new Uint16Array(window.width * window.height).fill(7)];

  async function sweep(cacheBytes: number): Promise<number> {
    const sink = memorySink();
    const bands = [{ role: "grey" }] as const;
    const image = { width, height, sampleType: "uint16", bands, tileSizePx } as const;
    await writeGeoTiff(sink, { ...image, compression: "none" }, pixels);
    const { codecs, decoded } = counting();
    const source = bytesSource(sink.bytes(), "sweep.tif");
    await using scene = await openGeoTiff(source, { codecs, cacheBytes });
    for (let y = 0; y + 200 <= height; y += 140) {
      for (let x = 0; x + 200 <= width; x += 160)
        await scene.read({ x, y, width: 200, height: 200 });
    }
    return decoded();
  }

  const tilesAcross = Math.ceil(width / tileSizePx);
  const tiles = tilesAcross * Math.ceil(height / tileSizePx);

  test("decodes no block twice where the cache holds the rows that windows share", async () => {
    // A row of windows touches up to five rows of tiles.
    expect(await sweep(5 * tilesAcross * tileSizePx * tileSizePx * 2)).toBe(tiles);
  });

  test("still reads with no cache at all, at the cost of decoding again", async () => {
    expect(await sweep(0)).toBeGreaterThan(tiles);
  });
});

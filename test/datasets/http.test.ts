import { beforeAll, describe, expect, test } from "vitest";
import {
  memorySink,
  openSceneFromUrl,
  type ReadPixels,
  SceneError,
  writeGeoTiff,
} from "../../datasets/index.ts";
import { openScene } from "../../datasets/node.ts";
import { rangeServer } from "./range-server.ts";
import { expectSamePixels } from "./same-pixels.ts";

const SIZE = 2048;
const TILE_BYTES = 256 * 256;
/** Requests for directories and the bytes around them; tiles are 64 KiB. */
const METADATA_BYTES = 4 * 32 * 1024;

const pixels: ReadPixels = ({ x, y, width, height }) => [
  Uint8Array.from({ length: width * height }, (_, i) => {
    const [column, row] = [x + (i % width), y + Math.floor(i / width)];
    return (column * 31 + row * 17) % 253;
  }),
];

let file: Uint8Array = new Uint8Array();
beforeAll(async () => {
  const sink = memorySink();
  const bands = [{ role: "grey" }] as const;
  const size = { width: SIZE, height: SIZE, tileSizePx: 256 } as const;
  const image = {
    ...size,
    sampleType: "uint8",
    bands,
    compression: "none",
    overviews: true,
  } as const;
  await writeGeoTiff(sink, image, pixels);
  file = sink.bytes();
});

describe("a scene on a web server", () => {
  test("a window is right, and costs its own tiles", async () => {
    await using server = await rangeServer(file);
    await using scene = await openScene(server.url);
    const window = { x: 300, y: 520, width: 400, height: 200 };
    expectSamePixels((await scene.read(window)).bands, await pixels(window));
    const bytes = server.requests.reduce((sum, { from, to }) => sum + to - from + 1, 0);
    // Columns 300…699 and rows 520…719 lie in two tiles of one row.
    expect(bytes).toBeLessThan(METADATA_BYTES + 2 * TILE_BYTES);
    expect(bytes).toBeLessThan(file.length / 10);
  });

  test("no tile is fetched twice, whatever windows overlap it and when", async () => {
    await using server = await rangeServer(file);
    await using scene = await openScene(server.url);
    const sweep = [0, 200, 400, 600, 800].flatMap((y) =>
      [0, 200, 400, 600].map((x) => ({ x, y, width: 640, height: 640 })),
    );
    const before = server.requests.length;
    await Promise.all(sweep.map((window) => scene.read(window)));
    for (const window of sweep) {
      expectSamePixels((await scene.read(window)).bands, await pixels(window));
    }
    const fetched = server.requests.slice(before);
    const bytes = fetched.reduce((sum, { from, to }) => sum + to - from + 1, 0);
    // The union of the windows is 1240 × 1440 px: 5 × 6 tiles.
    expect(bytes).toBeLessThanOrEqual(30 * TILE_BYTES + METADATA_BYTES);
    const sorted = fetched.toSorted((one, other) => one.from - other.from);
    sorted.slice(1).forEach(({ from }, i) => expect(from).toBeGreaterThan(sorted[i]?.to ?? 0));
  });

  test("what runs in a page reads the same", async () => {
    await using server = await rangeServer(file);
    await using scene = await openSceneFromUrl(server.url);
    const window = { x: 1000, y: 1000, width: 300, height: 300 };
    expectSamePixels((await scene.read(window)).bands, await pixels(window));
  });

  test("neighbours in the file come in one request", async () => {
    await using server = await rangeServer(file);
    await using scene = await openScene(server.url);
    const before = server.requests.length;
    await scene.read({ x: 0, y: 256, width: SIZE, height: 256 }); // a row of eight tiles
    expect(server.requests.length - before).toBe(1);
  });

  test("an overview leaves the full resolution alone", async () => {
    await using server = await rangeServer(file);
    await using scene = await openScene(server.url);
    const level = scene.levels.length - 1;
    await scene.read({ x: 0, y: 0, width: 256, height: 256 }, { level });
    const bytes = server.requests.reduce((sum, { from, to }) => sum + to - from + 1, 0);
    expect(bytes).toBeLessThan(METADATA_BYTES + TILE_BYTES);
  });

  test("a server that fails for a moment is asked again", async () => {
    await using server = await rangeServer(file, { busyTimes: 2 });
    await using scene = await openScene(server.url);
    expect(scene.width).toBe(SIZE);
  });

  test("a reader that gives up does not take the block from another", async () => {
    await using server = await rangeServer(file);
    await using scene = await openScene(server.url);
    const window = { x: 0, y: 0, width: 64, height: 64 };
    const abort = new AbortController();
    const [given, kept] = [scene.read(window, { signal: abort.signal }), scene.read(window)];
    abort.abort(new Error("enough"));
    await expect(given).rejects.toThrow("enough");
    expectSamePixels((await kept).bands, await pixels(window));
  });

  test("refusals are one sentence that says what the server did", async () => {
    for (const [faults, message] of [
      [{ status: 404 }, /must answer 206 .*received 404 Not Found$/],
      [{ status: 403 }, /received 403/],
      [{ ignoresRanges: true }, /must answer range requests, it sends whole files$/],
    ] as const) {
      await using server = await rangeServer(file, faults);
      const opened = openScene(server.url);
      await expect(opened).rejects.toThrow(SceneError);
      await expect(openScene(server.url)).rejects.toThrow(message);
    }
    await expect(openScene("http://127.0.0.1:9/none.tif")).rejects.toThrow(/cannot be reached/);
  });

  test("a file that changes while it is read is not mixed with its old self", async () => {
    await using server = await rangeServer(file, {
      etag: (request) => (request < 4 ? '"1"' : '"2"'),
    });
    await using scene = await openScene(server.url);
    const reads = [0, 512, 1024, 1536].map((y) => scene.read({ x: 0, y, width: 256, height: 256 }));
    const results = await Promise.allSettled(reads);
    const reasons = results.flatMap((result) =>
      result.status === "rejected" ? [result.reason] : [],
    );
    expect(String(reasons[0])).toMatch(/must not change while it is read/);
  });

  test("identity tells versions apart", async () => {
    await using one = await rangeServer(file);
    await using other = await rangeServer(file, { etag: () => '"2"' });
    await using first = await openScene(one.url);
    await using again = await openScene(one.url);
    await using second = await openScene(other.url);
    expect(again.identity).toBe(first.identity);
    expect(second.identity.split(":").at(-2)).not.toBe(first.identity.split(":").at(-2));
  });
});

import { existsSync } from "node:fs";
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { memoryScene, type Scene } from "../../../datasets/index.ts";
import { crsFromEpsg, writeGeoTiffFile } from "../../../datasets/node.ts";
import {
  type BatchEvent,
  type BatchOptions,
  type BatchSummary,
  runBatch,
} from "../../../pipeline/node.ts";
import { resolveSettings, type SettingsInput } from "../../../pipeline/settings/resolve.ts";
import { brightSpots } from "../bright-spots.ts";

let folder = "";
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "nadir-batch-"));
});
afterEach(() => rm(folder, { recursive: true }));

/** A scene with one patch, twenty pixels from its corner. */
async function writeScene(name: string): Promise<string> {
  const path = join(folder, name);
  const [width, height] = [160, 160];
  const bands = [{ role: "grey" }] as const;
  const place = { transform: [0.5, 0, 4e5, 0, -0.5, 5e6], crs: crsFromEpsg(32633) } as const;
  await writeGeoTiffFile(
    path,
    { width, height, sampleType: "uint8", bands, tileSizePx: 160, ...place },
    (w) => [
      Uint8Array.from({ length: w.width * w.height }, (_, i) => {
        const [x, y] = [i % w.width, Math.floor(i / w.width)];
        return x >= 20 && x < 40 && y >= 20 && y < 36 ? 220 : 20 + (i % 5);
      }),
    ],
  );
  return path;
}

async function run(
  sources: readonly string[],
  option: SettingsInput = {},
  more: Partial<BatchOptions> = {},
): Promise<{ readonly events: BatchEvent[]; readonly summary: BatchSummary }> {
  const { settings, provenance } = resolveSettings({
    option: { tilePx: 64, overlapPx: 32, formats: ["geojson", "csv"], ...option },
  });
  const detector = brightSpots({ sizePx: 64 });
  const events: BatchEvent[] = [];
  const batch = runBatch(sources, {
    ...{ detector, engine: "loops", settings, provenance, outDir: join(folder, "out") },
    ...more,
  });
  let next = await batch.next();
  for (; next.done !== true; next = await batch.next()) events.push(next.value);
  return { events, summary: next.value };
}

const typesOf = (events: readonly BatchEvent[]): string[] => [
  ...new Set(events.map(({ type }) => type)),
];
const out = (name: string): string => join(folder, "out", name);

describe("runBatch", () => {
  test("a scene becomes its outputs and a manifest, and nothing else", async () => {
    const scene = await writeScene("a.tif");
    const { events, summary } = await run([scene]);
    expect(typesOf(events)).toEqual(["scene", "plan", "tiles", "done"]);
    expect(summary).toMatchObject({
      completed: 1,
      failed: 0,
      skipped: 0,
      objects: 1,
      cancelled: false,
    });
    expect((await readdir(join(folder, "out"))).toSorted()).toEqual([
      "a.csv",
      "a.geojson",
      "a.run.json",
    ]);
    const done = events.find((event) => event.type === "done");
    expect(done?.outputs).toEqual([out("a.geojson"), out("a.csv"), out("a.run.json")]);
  });

  test("the manifest says what ran, how, and who decided it", async () => {
    await run([await writeScene("a.tif")], { stretch: "0,255" });
    const manifest = JSON.parse(await readFile(out("a.run.json"), "utf8"));
    expect(manifest.model).toMatchObject({
      name: "bright spots",
      engine: "loops",
      sha256: "0".repeat(64),
    });
    expect(manifest.settings.stretch).toEqual({ value: "0,255", from: "option" });
    expect(manifest.settings.merge).toEqual({ value: "nms", from: "default" });
    expect(manifest.flow.stretch).toEqual({ how: "0,255", low: [0], high: [255] });
    expect(manifest.counts).toMatchObject({ objects: 1, byClass: { spot: 1 } });
    expect(manifest.timingsMs.total).toBeGreaterThan(0);
  });

  test("one broken scene is reported and the others go on", async () => {
    const broken = join(folder, "broken.tif");
    await writeFile(broken, "not a picture");
    const sources = [
      await writeScene("a.tif"),
      broken,
      join(folder, "missing.tif"),
      await writeScene("b.tif"),
    ];
    const { events, summary } = await run(sources, { workers: 2 });
    expect(summary).toMatchObject({ completed: 2, failed: 2 });
    expect(summary.failures.map(({ source, code }) => [source, code])).toEqual([
      [broken, "ERR_SCENE"],
      [join(folder, "missing.tif"), "ERR_SCENE"],
    ]);
    expect(events.filter(({ type }) => type === "failed")).toHaveLength(2);
    expect(
      (await readdir(join(folder, "out"))).filter((name) => /broken|missing/.test(name)),
    ).toEqual([]);
  });

  test("overwrite: error refuses, skip leaves, replace does it again", async () => {
    const scene = await writeScene("a.tif");
    await run([scene]);
    const refused = await run([scene], { overwrite: "error" });
    expect(refused.summary.failures[0]).toMatchObject({ code: "ERR_OUTPUT" });
    const left = await run([scene], { overwrite: "skip" });
    expect(left.summary).toMatchObject({ skipped: 1, completed: 0 });
    await writeFile(out("a.geojson"), "stale");
    await run([scene], { overwrite: "replace" });
    expect(JSON.parse(await readFile(out("a.geojson"), "utf8"))).toMatchObject({
      type: "FeatureCollection",
    });
  });

  test("shards together do every scene once", async () => {
    const sources = await Promise.all(["a.tif", "b.tif", "c.tif"].map(writeScene));
    const done = await Promise.all(
      ["1/2", "2/2"].map(async (shard) =>
        (await run(sources, { shard })).events.flatMap((e) =>
          e.type === "done" ? [e.source] : [],
        ),
      ),
    );
    expect(done.map(({ length }) => length)).toEqual([2, 1]);
    expect(done.flat().toSorted()).toEqual(sources.toSorted());
  });

  test("stopped in the middle, what was found is kept, and the next run goes on from there", async () => {
    const scene = await writeScene("a.tif");
    const calm = await run([scene], {}, { outDir: join(folder, "calm") });
    const stop = new AbortController();
    const { settings } = resolveSettings({
      option: { tilePx: 64, overlapPx: 32, formats: ["geojson", "csv"] },
    });
    const options = { engine: "loops", settings, outDir: join(folder, "out") };
    const detector = brightSpots({ sizePx: 64 });
    let last: BatchEvent | undefined;
    for await (const event of runBatch([scene], { ...options, detector, signal: stop.signal })) {
      if (event.type === "tiles" && event.done === 3) stop.abort(new Error("lunch"));
      last = event;
    }
    expect(last).toMatchObject({ type: "failed", code: "ERR_CANCELLED" });
    expect(await readdir(join(folder, "out"))).toEqual([".a.journal"]);
    const { events, summary } = await run([scene]);
    expect(events.find((event) => event.type === "plan")?.resumed).toBeGreaterThanOrEqual(3);
    expect(summary.objects).toBe(calm.summary.objects);
    const [a, b] = await Promise.all(
      ["out", "calm"].map((of) => readFile(join(folder, of, "a.geojson"), "utf8")),
    );
    expect(a).toBe(b);
  });

  test("a stop before the first scene does nothing, and is no failure", async () => {
    const { events, summary } = await run(
      [await writeScene("a.tif")],
      {},
      { signal: AbortSignal.abort() },
    );
    expect(events).toEqual([]);
    expect(summary).toMatchObject({ completed: 0, failed: 0, cancelled: true });
  });

  test("a scene that breaks while it is read leaves no output, and its journal", async () => {
    const good = memoryScene({
      width: 300,
      height: 300,
      bands: [Uint8Array.from({ length: 90_000 }, (_, i) => i % 7)],
    });
    let reads = 0;
    const read: Scene["read"] = (...args) => {
      if (++reads > 20) throw Object.assign(new Error("the disk failed"), { code: "EIO" });
      return good.read(...args);
    };
    const { summary } = await run(["x.tif"], {}, { open: async () => ({ ...good, read }) });
    expect(summary.failures[0]).toMatchObject({ source: "x.tif", code: "ERR_SCENE" });
    expect(await readdir(join(folder, "out"))).toEqual([".x.journal"]);
  });

  test("a reader that goes away stops the batch", async () => {
    const sources = await Promise.all(["a.tif", "b.tif"].map(writeScene));
    const { settings } = resolveSettings({ option: { tilePx: 64, overlapPx: 32 } });
    const detector = brightSpots({ sizePx: 64 });
    for await (const event of runBatch(sources, {
      detector,
      engine: "loops",
      settings,
      outDir: join(folder, "out"),
    })) {
      if (event.type === "tiles") break;
    }
    expect(existsSync(out("b.geojson"))).toBe(false);
  });

  test("nothing found: a note says why", async () => {
    const { events } = await run([await writeScene("a.tif")], { scoreAtLeast: 0.95 });
    const notes = events.flatMap((event) => (event.type === "note" ? [event.message] : []));
    expect(notes[0]).toMatch(/nothing was found/);
  });
});

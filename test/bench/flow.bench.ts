/**
 * The whole flow against its model: time of a scene, from file to merged and georeferenced objects, as a multiple of
 * what the bare `session.run` takes for the same tiles in the same process; and peak memory by size of the scene.
 */
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { bench, describe } from "vitest";
import { synthesise } from "../../datasets/index.ts";
import { openScene, writeGeoTiffFile } from "../../datasets/node.ts";
import { buildMatchedFilter } from "../../models/index.ts";
import {
  createEngine,
  detect,
  type Detector,
  loadDetector,
  resolveSettings,
  settingsOfModel,
} from "../../pipeline/index.ts";
import { NODE_ENGINES } from "../../pipeline/node.ts";

/** Sides of the scenes for memory; each is four times the area of the one before. */
const SIDES = (process.env["NADIR_BENCH_SIDES"] ?? "20000,40000").split(",").map(Number);
const yolox = join(process.env["NADIR_DATA"] ?? "../shared/data", "onnx/yolox_nano.onnx");
const WINDOW = { x: 0, y: 0, width: 2560, height: 2560 };

const folder = await mkdtemp(join(tmpdir(), "nadir-bench-"));
const files = await Promise.all(
  (["none", "deflate"] as const).map(async (compression) => {
    const { scene } = synthesise({ seed: 1, ...WINDOW });
    const { width, height, sampleType, bands } = scene;
    const path = join(folder, `${compression}.tif`);
    const read = async (w: typeof WINDOW) => (await scene.read(w)).bands;
    await writeGeoTiffFile(path, { width, height, sampleType, bands, compression }, read);
    return { compression, path };
  }),
);
const models = [
  { name: "matched filters 640", bytes: buildMatchedFilter({ sizePx: 640 }) },
  ...(existsSync(yolox) ? [{ name: "YOLOX-nano 416", bytes: await readFile(yolox) }] : []),
];
interface Row {
  readonly model: string;
  readonly file: string;
  readonly tiles: number;
  readonly objects: number;
  readonly runMs: number;
  /** Reading, preparing, merging, georeferencing. */
  readonly restMs: number;
  readonly ratio: number;
}
const rows: Row[] = [];

describe("a scene of 2560 × 2560 pixels", () => {
  for (const { name, bytes } of models) {
    for (const { compression, path } of files) {
      bench(
        `${name}, ${compression}`,
        async () => {
          rows.push({ model: name, file: compression, ...(await measure(bytes, path)) });
        },
        {
          iterations: 3,
          time: 0,
          warmupIterations: 1,
          warmupTime: 0,
          teardown: (_, mode) => {
            if (mode === "run" && name === models.at(-1)?.name && compression === "deflate")
              report();
          },
        },
      );
    }
  }
});

/** One pass over the scene; the engine's session is timed at its own door, inside the same pass. */
async function measure(bytes: Uint8Array, path: string): Promise<Omit<Row, "model" | "file">> {
  const engine = await createEngine("onnxruntime-node", NODE_ENGINES);
  let [bare, runs, measuring] = [0, 0, false];
  const watched = {
    ...engine,
    load: async (...args: Parameters<typeof engine.load>) => {
      const session = await engine.load(...args);
      let before = Promise.resolve();
      // One after another, or waiting for the run before would count as running.
      const run: typeof session.run = (...feeds) => {
        const result = before.then(async () => {
          const start = performance.now();
          const outputs = await session.run(...feeds);
          if (measuring) [bare, runs] = [bare + performance.now() - start, runs + 1];
          return outputs;
        });
        before = result.then(() => {});
        return result;
      };
      return { ...session, run };
    },
  };
  await using detector: Detector = await loadDetector(bytes, watched, { batch: 1 });
  await using scene = await openScene(path);
  const { settings } = resolveSettings({ model: settingsOfModel(detector.card) });
  const start = performance.now();
  measuring = true;
  let objects = 0;
  for await (const _ of detect(scene, detector, settings)) objects++;
  const total = performance.now() - start;
  const [runMs, restMs] = [bare / runs, (total - bare) / runs];
  return { tiles: runs, objects, runMs, restMs, ratio: total / bare };
}

function report(): void {
  const names = [...new Set(rows.map(({ model, file }) => `${model}, ${file}`))];
  console.table(
    names.map((name) => {
      const of = rows.filter(({ model, file }) => `${model}, ${file}` === name);
      const ordered = of.toSorted((a, b) => a.ratio - b.ratio);
      const { tiles, objects, runMs, restMs, ratio } = ordered[Math.floor(of.length / 2)]!;
      return {
        "model, file": name,
        tiles,
        objects,
        "session.run, ms a tile": Number(runMs.toFixed(1)),
        "all else, ms a tile": Number(restMs.toFixed(2)),
        "flow ÷ session.run": Number(ratio.toFixed(3)),
      };
    }),
  );
  console.table(
    SIDES.map((side) => {
      const child = spawnSync(
        process.execPath,
        ["--import", "tsx", join(import.meta.dirname, "flow-memory.ts"), String(side), folder],
        { encoding: "utf8" },
      );
      const { peakMiB, seconds, objects } = JSON.parse(child.stdout) as Record<string, number>;
      return {
        scene: `${side} × ${side}`,
        objects,
        "peak RSS MiB": Math.round(peakMiB!),
        seconds: Math.round(seconds!),
      };
    }),
  );
  void rm(folder, { recursive: true });
}

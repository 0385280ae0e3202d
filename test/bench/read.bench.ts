/**
 * Windows of 512 px, overlapping by 64, over scenes of several layouts: what a sweep reads. The ratio is our time over
 * GDAL's (python3-gdal, its own block cache, one thread) in the same run; both open the file anew each time.
 */
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { bench, describe } from "vitest";
import { openScene } from "../../datasets/node.ts";

const SIZE = 512;
const STEP = 448;
const PYTHON = "/usr/bin/python3";

const SCENES = {
  "tiles 256, YCbCr JPEG": "banepa_z19_4326.tif",
  "strips of 16 rows, YCbCr JPEG": "manila_5b90f92da0d7280005fab355_4310.tif",
  "tiles 512, Deflate, 4 bands": "naip_m_4709963_se_14_1_20150926.tif",
  "tiles 128, LZW": "massachusetts_22978945_15_uint8.tif",
  "tiles 128, LZW, uint16": "massachusetts_23429155_15_uint16.tif",
  "tiles 256, Deflate, uint16": "edge/cog.tif",
  "strips of 1 row, Deflate, uint16": "edge/nocog.tif",
  "strips of 4 rows, none": "edge/umbra_mount_yasur.tif",
} as const;

const folder = join(process.env["NADIR_DATA"] ?? "../shared/data", "scenes");
const hasScenes = existsSync(folder);
const hasGdal =
  spawnSync(PYTHON, ["-c", "from osgeo import gdal"], { stdio: "ignore" }).status === 0;
if (!hasScenes) console.warn(`skipped: there are no scenes in ${folder}`);
if (!hasGdal) console.warn("GDAL's side is skipped: python3 has no osgeo");

interface Runs {
  readonly ours: number[];
  readonly gdal: number[];
  megapixels: number;
}

const runs = new Map<string, Runs>();

describe.skipIf(!hasScenes)(`windows of ${SIZE} px`, () => {
  for (const [layout, file] of Object.entries(SCENES)) {
    const path = join(folder, file);
    const taken: Runs = { ours: [], gdal: [], megapixels: 0 };
    runs.set(layout, taken);
    bench(
      layout,
      async () => {
        const start = performance.now();
        taken.megapixels = await sweep(path);
        taken.ours.push((performance.now() - start) / 1000);
        if (hasGdal) taken.gdal.push(sweepByGdal(path));
      },
      {
        iterations: 5,
        time: 0,
        warmupIterations: 1,
        warmupTime: 0,
        // Hooks such as afterAll do not run in bench mode.
        teardown: (_, mode) => {
          if (mode === "run" && file === Object.values(SCENES).at(-1)) printTable();
        },
      },
    );
  }
});

/** Reads all windows one after another; returns megapixels. */
async function sweep(path: string): Promise<number> {
  await using scene = await openScene(path);
  const [width, height] = [Math.min(SIZE, scene.width), Math.min(SIZE, scene.height)];
  let pixels = 0;
  for (let y = 0; y + height <= scene.height; y += STEP) {
    for (let x = 0; x + width <= scene.width; x += STEP) {
      await scene.read({ x, y, width, height });
      pixels += width * height;
    }
  }
  return pixels / 1e6;
}

/** Seconds, measured inside the other process: its start does not count. */
function sweepByGdal(path: string): number {
  const script = fileURLToPath(new URL("read-gdal.py", import.meta.url));
  const { stdout, stderr } = spawnSync(PYTHON, [script, path, `${SIZE}`, `${STEP}`], {
    encoding: "utf8",
  });
  const seconds = Number.parseFloat(stdout);
  if (Number.isNaN(seconds))
    throw new Error(`read-gdal.py: must print seconds, received ${stderr}`);
  return seconds;
}

function printTable(): void {
  const rows = [...runs].map(([layout, { ours, gdal, megapixels }]) => ({
    layout,
    "Mpx/s": Math.round(megapixels / median(ours)),
    "GDAL Mpx/s": hasGdal ? Math.round(megapixels / median(gdal)) : "–",
    "time / GDAL's": hasGdal ? (median(ours) / median(gdal)).toFixed(2) : "–",
  }));
  console.table(rows);
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1] ?? Number.NaN;
}

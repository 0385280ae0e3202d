/** Peak memory of detection on a scene of the given side: `flow-memory.ts <side> <folder>` prints JSON. */
import { mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { argv, resourceUsage } from "node:process";
import { openScene, writeGeoTiffFile } from "../../datasets/node.ts";
import { runBatch } from "../../pipeline/node.ts";
import { resolveSettings } from "../../pipeline/settings/resolve.ts";
import { brightSpots } from "../pipeline/bright-spots.ts";

const side = Number(argv[2]);
const folder = argv[3] ?? "";
await mkdir(folder, { recursive: true });
const path = join(folder, `${side}.tif`);
const image = {
  width: side,
  height: side,
  sampleType: "uint8",
  bands: [{ role: "grey" }],
  tileSizePx: 512,
  overviews: true,
} as const;
await writeGeoTiffFile(path, image, ({ x, y, width, height }) => {
  const band = new Uint8Array(width * height);
  for (let row = 0, i = 0; row < height; row++) {
    for (let column = 0; column < width; column++, i++) {
      const [u, v] = [(x + column) % 97, (y + row) % 89];
      band[i] = u > 20 && u < 44 && v > 30 && v < 50 ? 220 : 20 + ((column * 7 + row * 3) & 15);
    }
  }
  return [band];
});
globalThis.gc?.();
const written = resourceUsage().maxRSS / 1024;

// Plain loops find patches as fast as they can be read: what is measured is the flow, without a model.
const detector = brightSpots({ sizePx: 512 });
const { settings } = resolveSettings({
  option: { tilePx: 512, overlapPx: 64, overwrite: "replace", resume: false },
});
const open = (source: string) => openScene(source);
const start = performance.now();
const run = runBatch([path], { detector, engine: "loops", settings, outDir: folder, open });
let next = await run.next();
let peak = 0;
for (; next.done !== true; next = await run.next()) {
  peak = Math.max(peak, process.memoryUsage.rss() / 2 ** 20);
}
const seconds = (performance.now() - start) / 1000;
const { objects } = next.value;
console.log(JSON.stringify({ side, objects, seconds, writtenMiB: written, peakMiB: peak }));
await rm(path);

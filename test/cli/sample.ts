/** A folder with a scene whose objects are known, and a detector that finds them. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { synthesise, type Synthetic, type Window } from "../../datasets/index.ts";
import { crsFromEpsg, writeGeoTiffFile } from "../../datasets/node.ts";
import { buildMatchedFilter } from "../../models/index.ts";
import { scratch } from "./surroundings.ts";

export interface Sample {
  readonly path: string;
  readonly truth: Synthetic["labels"];
  readonly [Symbol.dispose]: () => void;
}

/** Holds `scene.tif` (half-metre pixels, EPSG:32633) and `detector.onnx`. */
export async function sampleFolder(sidePx = 400): Promise<Sample> {
  const folder = scratch();
  const { scene, labels } = synthesise({
    seed: 7,
    width: sidePx,
    height: sidePx,
    transform: [0.5, 0, 500_000, 0, -0.5, 5_000_000],
    crs: crsFromEpsg(32_633),
  });
  const read = async (window: Window) => (await scene.read(window)).bands;
  await writeGeoTiffFile(join(folder.path, "scene.tif"), { ...scene, tileSizePx: 128 }, read);
  writeFileSync(join(folder.path, "detector.onnx"), buildMatchedFilter({ sizePx: 192 }));
  return { path: folder.path, truth: labels, [Symbol.dispose]: folder[Symbol.dispose] };
}

/**
 * `nadir demo`: a run from beginning to end. A seeded scene with known objects is painted, `nadir detect` looks for them
 * with the shipped detector, and what it reports is compared with what is there.
 */
import { mkdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import type { Command } from "commander";
import {
  countFound,
  type FoundCount,
  type OrientedBoxes,
  synthesise,
  type Synthetic,
  toBounds,
  toCorners,
} from "../datasets/index.ts";
import { crsFromEpsg, crsFromText, writeGeoTiffFile } from "../datasets/node.ts";
import { EXIT, readResult } from "../pipeline/index.ts";
import type { CliContext } from "./command.ts";
import { runDetect } from "./detect.ts";
import { locate } from "./io.ts";
import { grouped } from "./say.ts";

/** The sample: a square kilometre in half-metre pixels, by the Gulf of Trieste, of a seed that no training image has. */
const SEED = 20;
const SIDE_PX = 2048;
const GSD_M = 0.5;
const ORIGIN = { epsg: 32_633, x: 400_000, y: 5_050_000 };

interface DemoFlags {
  readonly model?: string;
  readonly out: string;
}

export function declareDemo(command: Command, { io, finish }: CliContext): void {
  command
    .option("-m, --model <file>", "The detector: a shipped model's name or an ONNX file.")
    .option("-o, --out <folder>", "Where everything is written.", "out")
    .action(async ({ model, out }: DemoFlags) => {
      const folder = locate(io, out);
      const [path, result] = [join(folder, "sample.tif"), join(folder, "sample.geojson")];
      await mkdir(folder, { recursive: true });
      const sample = await makeSample(path);
      io.stderr.write(`made       ${path}\n`);
      const flag = { formats: ["geojson", "jpeg"], overwrite: "replace" } as const;
      const status = await runDetect(
        io,
        [path],
        { ...(model !== undefined && { model }), out: folder },
        { layers: { flag } },
      );
      if (status !== EXIT.done) return finish(status);
      const { found, known, extra } = compare(await readFile(result, "utf8"), sample);
      io.stderr.write(
        `compared   ${grouped(found)} of ${grouped(known)} known objects were found, ${grouped(extra)} reports are of none\n`,
      );
    });
}

async function makeSample(path: string): Promise<Synthetic> {
  const crs = crsFromEpsg(ORIGIN.epsg);
  const sample = synthesise({
    seed: SEED,
    width: SIDE_PX,
    height: SIDE_PX,
    gsdM: GSD_M,
    crs,
    transform: [GSD_M, 0, ORIGIN.x, 0, -GSD_M, ORIGIN.y],
  });
  const read = async (window: Parameters<typeof sample.scene.read>[0]) =>
    (await sample.scene.read(window)).bands;
  await writeGeoTiffFile(path, { ...sample.scene, overviews: true }, read);
  return sample;
}

/** Sets the objects of a GeoJSON result against the known ones: oriented boxes, or upright ones where these are reported. */
export function compare(text: string, { scene, labels }: Synthetic): FoundCount {
  const { objects, classes } = readResult(text, "demo", { scene, crsFrom: crsFromText });
  const best = objects.toSorted((a, b) => b.score - a.score);
  const found = cornersIn(best.flatMap(({ corners }) => [...corners]));
  const upright = toCorners(toBounds(found));
  const isUpright = found.corners.every((v, i) => Math.abs(v - upright.corners[i]!) < 0.01);
  const boxes = isUpright ? toCorners(toBounds(labels.boxes)) : labels.boxes;
  return countFound(
    { ...labels, boxes },
    {
      boxes: found,
      classes: best.map(({ classIndex }) => labels.classes.indexOf(classes[classIndex] ?? "")),
    },
  );
}

const cornersIn = (corners: readonly number[]): OrientedBoxes<"scene"> => ({
  kind: "oriented",
  frame: "scene",
  corners: Float64Array.from(corners),
});

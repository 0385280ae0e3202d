/**
 * `nadir demo`: a run from beginning to end. A seeded scene with known objects is painted, `nadir detect` looks for them
 * with the shipped detector, and what it reports is compared with what is there.
 */
import { mkdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import type { Command } from "commander";
import {
  countFound,
  cropLabels,
  type FoundCount,
  type Known,
  memoryScene,
  type Scene,
  SYNTHETIC_CLASSES,
  synthesiseTile,
} from "../datasets/index.ts";
import { crsFromEpsg, crsFromText, writeGeoTiffFile } from "../datasets/node.ts";
import { EXIT, readResult } from "../pipeline/index.ts";
import type { CliContext } from "./command.ts";
import { runDetect } from "./detect.ts";
import { locate } from "./io.ts";
import { grouped } from "./say.ts";

/** The sample: some four hundred metres by the Gulf of Trieste, of a seed that no training image has. */
const SEED = 5;
const SIDE_PX = 2048;
const GSD_M = 0.2;
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

interface Sample {
  readonly scene: Scene;
  readonly known: Known;
}

async function makeSample(path: string): Promise<Sample> {
  const { pixels, objects, gsdM } = synthesiseTile({ seed: SEED, sizePx: SIDE_PX, gsdM: GSD_M });
  const transform = [gsdM, 0, ORIGIN.x, 0, -gsdM, ORIGIN.y] as const;
  const scene = memoryScene({ ...pixels, transform, crs: crsFromEpsg(ORIGIN.epsg) });
  const { width, height } = scene;
  const read = async (window: Parameters<Scene["read"]>[0]) => (await scene.read(window)).bands;
  await writeGeoTiffFile(path, { ...scene, overviews: true }, read);
  const image = { file: path, id: undefined, width, height, gsdM, labelledClasses: undefined };
  const whole = cropLabels({ ...image, objects }, { x: 0, y: 0, width, height });
  const seen = whole.objects.filter(({ difficult }) => !difficult);
  return { scene, known: knownOf(seen) };
}

/** Upright boxes, as the detector reports them. */
const knownOf = (objects: ReturnType<typeof cropLabels>["objects"]): Known => ({
  objects: objects.map(({ classIndex, box: [x1, y1, x2, y2] }) => {
    return {
      classIndex,
      x: (x1 + x2) / 2,
      y: (y1 + y2) / 2,
      lengthPx: Math.hypot(x2 - x1, y2 - y1),
    };
  }),
  boxes: {
    kind: "oriented",
    frame: "scene",
    corners: Float64Array.from(
      objects.flatMap(({ box: [x1, y1, x2, y2] }) => [x1, y1, x2, y1, x2, y2, x1, y2]),
    ),
  },
});

/** Sets the objects of a GeoJSON result against the known ones. */
function compare(text: string, { scene, known }: Sample): FoundCount {
  const { objects, classes } = readResult(text, "demo", { scene, crsFrom: crsFromText });
  const best = objects.toSorted((a, b) => b.score - a.score);
  return countFound(known, {
    boxes: {
      kind: "oriented",
      frame: "scene",
      corners: Float64Array.from(best.flatMap(({ corners }) => [...corners])),
    },
    classes: best.map(({ classIndex }) =>
      SYNTHETIC_CLASSES.findIndex((name) => name === classes[classIndex]),
    ),
  });
}

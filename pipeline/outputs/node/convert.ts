/** Conversion between label formats, and from the results of a run to every output format. */
import { readFile } from "node:fs/promises";
import { dirname, join, relative, sep } from "node:path";
import type { LabelFormat, LabelledDataset, Scene } from "../../../datasets/index.ts";
import { LABEL_FORMATS, checked } from "../../../datasets/index.ts";
import { crsFromText, readLabels, writeLabels } from "../../../datasets/node.ts";
import type { FormatName } from "../formats.ts";
import { FORMATS } from "../formats.ts";
import type { OutputCrs } from "../output.ts";
import { OutputError } from "../output.ts";
import { readResult } from "../result.ts";
import { openOutput } from "./open.ts";

export interface ConvertOptions {
  /** Class names in order, for formats that do not hold them. */
  readonly classes?: readonly string[] | undefined;
  /** Folder of the images, for formats that do not hold their sizes. */
  readonly images?: string | undefined;
  /** The scene that a result was found in: needed for pictures, and for GeoJSON that does not describe it. */
  readonly scene?: Scene | undefined;
  /** Plane of the written coordinates, where the format has a choice. @default "wgs84" */
  readonly crs?: OutputCrs | undefined;
}

export interface Converted {
  readonly images: number;
  readonly objects: number;
}

/**
 * Converts labels `from` → `to` (formats of labels), or a GeoJSON result into any output format. What both kinds
 * know (`coco`, `yolo`, …) is written as labels: with a class table, one file or folder for all images.
 *
 * @param out - the file to write; a folder for `dota`, `yolo`, `yolo-obb` and `voc` labels
 * @throws {LabelsError} naming file and record that are amiss
 * @throws {OutputError} for a pair that there is no way between
 */
export async function convertLabels(
  from: LabelFormat,
  path: string,
  to: LabelFormat | FormatName,
  out: string,
  options: ConvertOptions = {},
): Promise<Converted> {
  if (isLabelFormat(to) && to !== "geojson") return convertSet(from, path, to, out, options);
  if (from === "geojson" && isOutputFormat(to)) return convertResult(path, to, out, options);
  if (to === "geojson") return convertSet(from, path, to, out, options);
  throw new OutputError(
    `convert: from ${from} the way leads to ${LABEL_FORMATS.join(", ")}, received ${to}; only geojson results become other outputs`,
  );
}

async function convertSet(
  from: LabelFormat,
  path: string,
  to: LabelFormat,
  out: string,
  { classes, images, scene }: ConvertOptions,
): Promise<Converted> {
  const image = scene && { ...scene, file: scene.source };
  const { dataset, folder } = await readLabels(from, path, {
    classes,
    images,
    image,
    split: "all",
  });
  const whole = checked(dataset, path);
  const isFile = to === "coco" || to === "geojson";
  await writeLabels(to, isFile ? relocated(whole, folder, dirname(out)) : whole, out);
  return countOf(whole);
}

/** Names of images, relative to another folder. */
function relocated(dataset: LabelledDataset, from: string, to: string): LabelledDataset {
  const images = dataset.images.map((image) => ({
    ...image,
    file: relative(to, join(from, image.file)).split(sep).join("/"),
  }));
  return { ...dataset, images };
}

async function convertResult(
  path: string,
  to: FormatName,
  out: string,
  { scene, crs = "wgs84" }: ConvertOptions,
): Promise<Converted> {
  const text = await readFile(path, "utf8");
  const result = readResult(text, path, { scene, crsFrom: crsFromText });
  const { classes, objects } = result;
  await using output = await openOutput(to, out, { scene: scene ?? result.scene, classes, crs });
  for (const object of objects) await output.write(object);
  await output.finish();
  return { images: 1, objects: objects.length };
}

function countOf({ images }: LabelledDataset): Converted {
  return {
    images: images.length,
    objects: images.reduce((sum, image) => sum + image.objects.length, 0),
  };
}

function isLabelFormat(name: string): name is LabelFormat {
  return (LABEL_FORMATS as readonly string[]).includes(name);
}

function isOutputFormat(name: string): name is FormatName {
  return Object.hasOwn(FORMATS, name);
}

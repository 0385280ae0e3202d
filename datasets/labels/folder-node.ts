/** Label files and folders on disk. */
import { mkdir } from "node:fs/promises";
import { dirname, join, relative } from "node:path";
import { stringify } from "yaml";
import { crsFromText } from "../crs.ts";
import { allEpsg } from "../crs/epsg-node.ts";
import { writeWhole } from "../write-whole-node.ts";
import { formatCoco, parseCoco } from "./coco.ts";
import type { ImageFacts } from "./dota.ts";
import { formatDota, parseDota } from "./dota.ts";
import {
  IMAGE_EXTENSIONS,
  filesUnder,
  firstFolder,
  firstThere,
  imageFacts,
  textOf,
  withExtension,
} from "./files-node.ts";
import type { LabelFormat } from "./formats.ts";
import type { ImagePlace } from "./geojson.ts";
import { formatGeojson, parseGeojson } from "./geojson.ts";
import type { LabelledDataset, LabelledImage } from "./labels.ts";
import { LabelsError, classTable } from "./labels.ts";
import { formatVoc, parseVoc } from "./voc.ts";
import { type LabelSplit, readYolo, splitOf } from "./yolo-folder-node.ts";
import { formatYolo } from "./yolo.ts";

/** Labels, and the folder that their images' names start from. */
export interface LabelledFolder {
  readonly dataset: LabelledDataset;
  readonly folder: string;
}

export interface ReadLabelsOptions {
  /** Class names in order; needed by YOLO files without a `data.yaml`, and fixes the order of the others. */
  readonly classes?: readonly string[] | undefined;
  /** Folder of the images. @default beside the labels, as each format has it */
  readonly images?: string | undefined;
  /** The image of a GeoJSON file that does not name it. */
  readonly image?: ImagePlace | undefined;
  /** The part of a YOLO set; a path that ends in `#train`, `#val`, `#test` or `#all` says it itself. @default "train" */
  readonly split?: LabelSplit | undefined;
}

/**
 * Reads a label file or folder. Images of DOTA and YOLO labels are opened for their size; one that cannot be is in the
 * set as one at fault, for `withoutFaults`.
 *
 * @throws {LabelsError} naming the file and record that is amiss
 */
export async function readLabels(
  format: LabelFormat,
  path: string,
  options: ReadLabelsOptions = {},
): Promise<LabelledFolder> {
  if (format === "yolo" || format === "yolo-obb") {
    const { path: set, split = options.split ?? "train" } = splitOf(path);
    return readYolo(format, set, { ...options, split });
  }
  if (format === "dota") return readDota(path, options);
  if (format === "voc") return readVoc(path, options);
  const text = await textOf(path);
  const dataset =
    format === "coco"
      ? parseCoco(text, path)
      : parseGeojson(text, path, { ...options, crsFrom: (name) => crsFromText(name, allEpsg) });
  return { dataset, folder: options.images ?? dirname(path) };
}

async function readDota(
  path: string,
  { classes, images }: ReadLabelsOptions,
): Promise<LabelledFolder> {
  const labels = await firstFolder(path, undefined, "labelTxt");
  const imageFolder = await firstFolder(labels === path ? dirname(path) : path, images, "images");
  const table = classTable(classes);
  const read: LabelledImage[] = [];
  for (const file of await filesUnder(labels, [".txt"])) {
    const facts = await factsOf(file, relative(labels, file), [imageFolder, labels]);
    read.push(parseDota(await textOf(file), file, facts, table));
  }
  return { dataset: { classes: table.names, images: read }, folder: imageFolder };
}

/** The image of a label file: the same name with another extension, in the first folder that has one. */
async function factsOf(
  label: string,
  name: string,
  folders: readonly [images: string, ...others: string[]],
): Promise<ImageFacts> {
  const names = IMAGE_EXTENSIONS.map((extension) => withExtension(name, extension));
  const image = await firstThere(
    folders.flatMap((folder) => names.map((each) => join(folder, each))),
  );
  if (image !== undefined) return imageFacts(image, folders[0]);
  const fault = `${label}: must have an image of its name in ${folders.join(" or ")}, received none`;
  return { file: withExtension(name, ""), width: 0, height: 0, fault };
}

async function readVoc(
  path: string,
  { classes, images }: ReadLabelsOptions,
): Promise<LabelledFolder> {
  const labels = await firstFolder(path, undefined, "Annotations");
  const table = classTable(classes);
  const read: LabelledImage[] = [];
  for (const file of await filesUnder(labels, [".xml"])) {
    read.push(parseVoc(await textOf(file), file, table));
  }
  const folder = await firstFolder(path, images, "JPEGImages");
  return { dataset: { classes: table.names, images: read }, folder };
}

/**
 * Writes labels: `coco` and `geojson` into the file `out`, the others into the folder `out`. Images stay where they
 * are. Each file is written beside its name and renamed.
 */
export async function writeLabels(
  format: LabelFormat,
  dataset: LabelledDataset,
  out: string,
): Promise<void> {
  const { classes, images } = dataset;
  switch (format) {
    case "coco":
      return write(out, formatCoco(dataset));
    case "geojson":
      return write(out, formatGeojson(dataset));
    case "dota":
      return writeEach(out, "labelTxt", ".txt", images, (image) => formatDota(image, classes));
    case "voc":
      return writeEach(out, "Annotations", ".xml", images, (image) => formatVoc(image, classes));
    case "yolo":
    case "yolo-obb":
      await writeEach(out, "labels", ".txt", images, (image) => formatYolo(image, format));
      return write(
        join(out, "data.yaml"),
        stringify({
          path: ".",
          train: "images",
          val: "images",
          names: Object.fromEntries(classes.entries()),
        }),
      );
    default:
      throw new LabelsError(
        `writeLabels: the format must be known, received ${String(format satisfies never)}`,
      );
  }
}

async function writeEach(
  out: string,
  folder: string,
  extension: string,
  images: readonly LabelledImage[],
  format: (image: LabelledImage) => string,
): Promise<void> {
  const owners = new Map<string, LabelledImage>();
  for (const image of images) {
    const inner = image.file.replace(/^(\.\.?\/)+/, "").replace(/^images\//, "");
    const name = withExtension(inner, extension);
    const other = owners.get(name);
    if (other !== undefined) {
      throw new LabelsError(
        `writeLabels: each image must have a label file of its own, received ${other.file} and ${image.file}, both ${name}`,
      );
    }
    owners.set(name, image);
  }
  for (const [name, image] of owners) await write(join(out, folder, name), format(image));
}

async function write(path: string, text: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  await writeWhole(path, text);
}

/** Label files and folders on disk. */
import { access, mkdir, readFile, readdir, stat } from "node:fs/promises";
import { dirname, extname, join, relative, resolve, sep } from "node:path";
import sharp from "sharp";
import { parse, stringify } from "yaml";
import { crsFromText } from "../crs.ts";
import { allEpsg } from "../crs/epsg-node.ts";
import { writeWhole } from "../write-whole-node.ts";
import { formatCoco, parseCoco } from "./coco.ts";
import type { ImageFacts } from "./dota.ts";
import { formatDota, parseDota } from "./dota.ts";
import type { LabelFormat } from "./formats.ts";
import type { ImagePlace } from "./geojson.ts";
import { formatGeojson, parseGeojson } from "./geojson.ts";
import type { LabelledDataset, LabelledImage } from "./labels.ts";
import { LabelsError, classTable } from "./labels.ts";
import { formatVoc, parseVoc } from "./voc.ts";
import type { YoloKind } from "./yolo.ts";
import { formatYolo, parseYolo } from "./yolo.ts";

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
}

const IMAGE_EXTENSIONS = [".png", ".jpg", ".jpeg", ".tif", ".tiff", ".webp", ".bmp"];

/**
 * Reads a label file or folder.
 *
 * @throws {LabelsError} naming the file and record that is amiss
 */
export async function readLabels(
  format: LabelFormat,
  path: string,
  options: ReadLabelsOptions = {},
): Promise<LabelledFolder> {
  if (format === "yolo" || format === "yolo-obb") return readYolo(format, path, options);
  if (format === "dota") return readDota(path, options);
  if (format === "voc") return readVoc(path, options);
  const text = await textOf(path);
  const dataset =
    format === "coco"
      ? parseCoco(text, path)
      : parseGeojson(text, path, { ...options, crsFrom: (name) => crsFromText(name, allEpsg) });
  return { dataset, folder: options.images ?? dirname(path) };
}

async function readYolo(
  kind: YoloKind,
  path: string,
  { classes, images }: ReadLabelsOptions,
): Promise<LabelledFolder> {
  const isFile = (await kindOf(path)) === "file";
  const yaml = isFile ? path : join(path, "data.yaml");
  const root = isFile ? dirname(path) : path;
  const names = classes ?? (await yoloNames(yaml));
  const files = await filesUnder(await firstFolder(root, images, "images"), IMAGE_EXTENSIONS);
  const read = files.map(async (file): Promise<LabelledImage> => {
    const facts = await imageFacts(file, root);
    const label = labelPath(root, facts.file);
    return parseYolo(await textIfAny(label), label, facts, kind);
  });
  return { dataset: { classes: names, images: await Promise.all(read) }, folder: root };
}

/** `images/train/a.jpg` → `labels/train/a.txt`; an image that lies beside its labels keeps its folder. */
function labelPath(root: string, file: string): string {
  const parts = file.split("/");
  const place = parts.lastIndexOf("images");
  if (place >= 0) parts[place] = "labels";
  return join(root, withExtension(parts.join("/"), ".txt"));
}

async function yoloNames(yaml: string): Promise<readonly string[]> {
  const settings: unknown = parse(await textOf(yaml));
  const names = (settings as { readonly names?: unknown } | null)?.names;
  if (Array.isArray(names)) return names.map(String);
  if (typeof names === "object" && names !== null) {
    const byNumber = Object.entries(names).toSorted(([a], [b]) => Number(a) - Number(b));
    return byNumber.map(([, name]) => String(name));
  }
  throw new LabelsError(`${yaml}: must have names, a list or numbers with names, received none`);
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
    const facts = await imageFacts(
      await imageOf(file, relative(labels, file), [imageFolder, labels]),
      imageFolder,
    );
    read.push(parseDota(await textOf(file), file, facts, table));
  }
  return { dataset: { classes: table.names, images: read }, folder: imageFolder };
}

/** The image of a label file: the same name with another extension, in the first folder that has one. */
async function imageOf(label: string, name: string, folders: readonly string[]): Promise<string> {
  for (const folder of folders) {
    for (const extension of IMAGE_EXTENSIONS) {
      const candidate = join(folder, withExtension(name, extension));
      if (await exists(candidate)) return candidate;
    }
  }
  throw new LabelsError(
    `${label}: must have an image of its name in ${folders.join(" or ")}, received none`,
  );
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
  for (const image of images) {
    const name = withExtension(
      image.file.replace(/^(\.\.?\/)+/, "").replace(/^images\//, ""),
      extension,
    );
    await write(join(out, folder, name), format(image));
  }
}

async function write(path: string, text: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  await writeWhole(path, text);
}

/** `override`, else the subfolder of that name where there is one, else the folder itself. */
async function firstFolder(
  root: string,
  override: string | undefined,
  name: string,
): Promise<string> {
  if (override !== undefined) return override;
  const inner = join(root, name);
  return (await kindOf(inner)) === "folder" ? inner : root;
}

async function kindOf(path: string): Promise<"file" | "folder" | undefined> {
  try {
    return (await stat(path)).isDirectory() ? "folder" : "file";
  } catch {
    return undefined; // what is missing is said by whoever needs it
  }
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}

/** All files with one of the extensions, sorted. @throws {LabelsError} where there is none */
async function filesUnder(
  folder: string,
  extensions: readonly string[],
): Promise<readonly string[]> {
  const entries = await readdir(folder, { recursive: true }).catch((cause: unknown) => {
    throw new LabelsError(`${folder}: must be a folder that can be read, received none`, { cause });
  });
  const files = entries.filter((name) => extensions.includes(extname(name).toLowerCase()));
  if (files.length === 0) {
    throw new LabelsError(
      `${folder}: must hold files of ${extensions.join(", ")}, received an empty set`,
    );
  }
  return files.toSorted().map((name) => join(folder, name));
}

async function imageFacts(path: string, root: string): Promise<ImageFacts> {
  try {
    const { autoOrient } = await sharp(path).metadata();
    return {
      file: relative(resolve(root), resolve(path)).split(sep).join("/"),
      width: autoOrient.width,
      height: autoOrient.height,
    };
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new LabelsError(`${path}: must be an image that can be read (${why})`, { cause });
  }
}

async function textOf(path: string): Promise<string> {
  try {
    return await readFile(path, "utf8");
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new LabelsError(`${path}: must be a file that can be read (${why})`, { cause });
  }
}

/** Nothing for a missing file: an image without objects has none. */
async function textIfAny(path: string): Promise<string> {
  return (await exists(path)) ? textOf(path) : "";
}

function withExtension(name: string, extension: string): string {
  return name.slice(0, name.length - extname(name).length) + extension;
}

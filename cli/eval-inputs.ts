/** Labels and results that `nadir eval` compares, whatever they are written in. */
import { readFile, readdir, stat } from "node:fs/promises";
import { extname, isAbsolute, join } from "node:path";
import {
  type ImagePlace,
  type LabelFormat,
  type LabelledDataset,
  LabelsError,
  parseCoco,
  parseCocoResults,
  parseGeojson,
  withoutFaults,
} from "../datasets/index.ts";
import {
  crsFromText,
  type LabelledFolder,
  type LabelSplit,
  openScene,
  readLabels,
  recogniseYolo,
  splitOf,
} from "../datasets/node.ts";
import { readResult, SettingsError } from "../pipeline/index.ts";
import { type Io, locate } from "./io.ts";

export interface InputFlags {
  readonly truthFormat?: LabelFormat;
  readonly images?: string;
  readonly scene?: string;
  /** The part of a YOLO set, where the path does not say it. @default "val" */
  readonly split?: LabelSplit;
}

/** Reads labels of any format. @throws {LabelsError} where they cannot be read, or their format is not recognised */
export async function readTruth(
  io: Pick<Io, "cwd">,
  path: string,
  flags: InputFlags,
  place?: ImagePlace,
): Promise<LabelledFolder> {
  const where = locate(io, path);
  const images = flags.images === undefined ? undefined : locate(io, flags.images);
  const { split = "val" } = flags;
  const format = flags.truthFormat ?? (await recogniseLabels(where, { images, split }));
  const image = flags.scene === undefined ? place : await placeOf(locate(io, flags.scene));
  return readLabels(format, where, { images, image, split });
}

/**
 * The set without its faulty records, each of which is named.
 *
 * @throws {SettingsError} where none is left
 */
export function usable(
  command: string,
  dataset: LabelledDataset,
  path: string,
  note: (line: string) => void,
): LabelledDataset {
  const { dataset: whole, faults } = withoutFaults(dataset, path);
  const shown = 10;
  for (const { message } of faults.slice(0, shown)) note(`left out: ${message}`);
  if (faults.length > shown) note(`left out: ${faults.length - shown} more records of ${path}`);
  if (whole.images.length > 0) return whole;
  throw new SettingsError(
    `${command}: ${path} must hold images that can be used, received ${dataset.images.length} of which none can`,
  );
}

async function placeOf(path: string): Promise<ImagePlace> {
  await using scene = await openScene(path);
  const { source, width, height, transform, crs } = scene;
  return { file: source, width, height, transform, crs };
}

/** What the labels are written in, by what lies there. */
async function recogniseLabels(
  place: string,
  options: { readonly images: string | undefined; readonly split: LabelSplit },
): Promise<LabelFormat> {
  const { path, ...said } = splitOf(place);
  const asYolo = () => recogniseYolo(path, { ...options, ...said });
  const kind = await stat(path).catch((cause: unknown) => {
    throw new LabelsError(`${path}: must be labels, received no such file or folder`, { cause });
  });
  if (!kind.isDirectory()) {
    const extension = extname(path).toLowerCase();
    if (extension === ".yaml" || extension === ".yml") return asYolo();
    if (extension === ".geojson") return "geojson";
    return isFeatureCollection(await readFile(path, "utf8")) ? "geojson" : "coco";
  }
  const names = await readdir(path);
  if (names.includes("labelTxt")) return "dota";
  if (names.includes("Annotations") || names.some((name) => name.endsWith(".xml"))) return "voc";
  if (names.includes("data.yaml") || names.includes("labels")) return asYolo();
  throw new LabelsError(
    `${path}: must hold labelTxt (DOTA), Annotations (VOC) or data.yaml (YOLO), received ${names.slice(0, 4).join(", ")}; --truth-format names the format`,
  );
}

const isFeatureCollection = (text: string): boolean =>
  /"FeatureCollection"/.test(text.slice(0, 400));

/** Reads results with the labels they are scored against. */
export async function readPredictions(
  io: Pick<Io, "cwd">,
  predictions: readonly string[],
  truthPath: string,
  flags: InputFlags,
): Promise<{ readonly truth: LabelledDataset; readonly found: LabelledDataset }> {
  const files = await Promise.all(
    predictions.map(async (path) => {
      const where = locate(io, path);
      return { where, text: await readFile(where, "utf8") };
    }),
  );
  const [first] = files;
  // A result of ours says how its pixels lie on the Earth: labels on the map can use that.
  const place = first === undefined ? undefined : placeInResult(first.text, first.where);
  const { dataset: truth } = await readTruth(io, truthPath, flags, place);
  const scene = flags.scene === undefined ? undefined : await placeOf(locate(io, flags.scene));
  const found = files.map(({ text, where }) => parsePrediction(text, where, truth, scene));
  return { truth, found: merged(found) };
}

function placeInResult(text: string, source: string): ImagePlace | undefined {
  if (!isFeatureCollection(text) || !/"transform"/.test(text.slice(0, 4000))) return undefined;
  const { scene } = readResult(text, source, { crsFrom: crsFromText });
  return { ...scene, file: scene.source };
}

function parsePrediction(
  text: string,
  source: string,
  truth: LabelledDataset,
  image: ImagePlace | undefined,
): LabelledDataset {
  if (isFeatureCollection(text)) {
    return parseGeojson(text, source, { image, crsFrom: crsFromText });
  }
  return text.trimStart().startsWith("[")
    ? parseCocoResults(text, source, truth)
    : parseCoco(text, source);
}

/** Results of several scenes as one set; class tables are joined by name. */
function merged(sets: readonly LabelledDataset[]): LabelledDataset {
  const classes = [...new Set(sets.flatMap((set) => set.classes))];
  const images = sets.flatMap((set) =>
    set.images.map((image) => ({
      ...image,
      objects: image.objects.map((object) => ({
        ...object,
        classIndex: classes.indexOf(set.classes[object.classIndex] ?? ""),
      })),
    })),
  );
  return { classes, images };
}

/** Several labelled sets as one; every image keeps which classes its set labels. */
export function joinSets(sets: readonly LabelledFolder[]): {
  readonly dataset: LabelledDataset;
  readonly pathOf: (file: string) => string;
} {
  const paths = new Map<string, string>();
  const named = sets.map(({ dataset, folder }) => ({
    ...dataset,
    images: dataset.images.map((image) => {
      const path = isAbsolute(image.file) ? image.file : join(folder, image.file);
      paths.set(path, path);
      return {
        ...image,
        file: path,
        id: undefined,
        // Of a class that only another set knows, nothing is labelled here.
        labelledClasses: image.labelledClasses ?? dataset.classes.map((_, i) => i),
      };
    }),
  }));
  const { classes } = merged(named);
  const images = named.flatMap((set) =>
    set.images.map((image) => ({
      ...image,
      labelledClasses: image.labelledClasses.map((i) => classes.indexOf(set.classes[i] ?? "")),
      objects: image.objects.map((object) => ({
        ...object,
        classIndex: classes.indexOf(set.classes[object.classIndex] ?? ""),
      })),
    })),
  );
  return { dataset: { classes, images }, pathOf: (file) => paths.get(file) ?? file };
}

/**
 * Sets of YOLO labels as their `data.yaml` describes them (docs.ultralytics.com/datasets/detect): `names`; `train`,
 * `val` and `test`, each a folder of images, a text file that lists images, or a list of these; and `path`, where they
 * start from. Labels lie where the images do, with `labels` in place of `images`.
 */
import { dirname, extname, join, resolve } from "node:path";
import { parse } from "yaml";
import {
  IMAGE_EXTENSIONS,
  filesUnder,
  firstFolder,
  firstThere,
  imageFacts,
  kindOf,
  nameIn,
  reasonOf,
  textIfAny,
  textOf,
  withExtension,
} from "./files-node.ts";
import { type JsonObject, asText, isObject, optional } from "./json.ts";
import type { LabelledDataset, LabelledImage } from "./labels.ts";
import { LabelsError } from "./labels.ts";
import type { YoloKind } from "./yolo.ts";
import { parseYolo } from "./yolo.ts";

/** The parts of a set, by the keys under which `data.yaml` may name them. */
const SPLIT_KEYS = {
  train: ["train"],
  val: ["val", "valid", "validation"],
  test: ["test"],
} as const;

/** A part of a set, or all that it names. */
export type LabelSplit = keyof typeof SPLIT_KEYS | "all";

/** `set/data.yaml#test` is a path and a part. */
export function splitOf(place: string): { readonly path: string; readonly split?: LabelSplit } {
  const [, path, split] = /^(.+)#(train|val|test|all)$/.exec(place) ?? [];
  return path === undefined ? { path: place } : { path, split: split as LabelSplit }; // one of the four
}

export interface YoloOptions {
  readonly classes?: readonly string[] | undefined;
  /** Folder of the images, instead of the ones that `data.yaml` names. */
  readonly images?: string | undefined;
  readonly split: LabelSplit;
}

/** @throws {LabelsError} naming the file and record that is amiss */
export async function readYolo(
  kind: YoloKind,
  path: string,
  options: YoloOptions,
): Promise<{ readonly dataset: LabelledDataset; readonly folder: string }> {
  const { yaml, settings, root, files } = await openSet(path, options);
  const classes = options.classes ?? classNames(settings["names"], yaml);
  const read = files.map(async (file): Promise<LabelledImage> => {
    const facts = await imageFacts(file, root);
    const label = labelPath(root, facts.file);
    return parseYolo(await textIfAny(label), label, facts, kind);
  });
  return { dataset: { classes, images: await Promise.all(read) }, folder: root };
}

/** Upright or oriented, by the first label: a line of an oriented one has nine numbers. */
export async function recogniseYolo(path: string, options: YoloOptions): Promise<YoloKind> {
  const { root, files } = await openSet(path, options);
  for (const file of files) {
    const text = await textIfAny(labelPath(root, nameIn(root, file)));
    const [line = ""] = text.trim().split("\n");
    if (line !== "") return line.trim().split(/\s+/).length === 9 ? "yolo-obb" : "yolo";
  }
  return "yolo";
}

/** `images/train/a.jpg` → `labels/train/a.txt`; an image that lies beside its labels keeps its folder. */
function labelPath(root: string, file: string): string {
  const parts = file.split("/");
  const place = parts.lastIndexOf("images");
  if (place >= 0) parts[place] = "labels";
  return resolve(root, withExtension(parts.join("/"), ".txt"));
}

/** What `data.yaml` says, and the images of the part. */
async function openSet(path: string, { images, split }: YoloOptions) {
  const isFile = (await kindOf(path)) === "file";
  const yaml = isFile ? path : join(path, "data.yaml");
  const settings = parseSettings(await textIfAny(yaml), yaml);
  const folder = dirname(yaml);
  const start = resolve(folder, optional(settings["path"], asText, `${yaml}: path`) ?? ".");
  const root = (await kindOf(start)) === "folder" ? start : folder;
  const files =
    images === undefined
      ? await imagesOf({ yaml, settings, root }, split)
      : await filesUnder(images, IMAGE_EXTENSIONS);
  return { yaml, settings, root, files };
}

interface YoloSet {
  readonly yaml: string;
  readonly settings: JsonObject;
  /** Folder that names of images start from. */
  readonly root: string;
}

function parseSettings(text: string, yaml: string): JsonObject {
  try {
    const settings: unknown = parse(text);
    return isObject(settings) ? settings : {};
  } catch (cause) {
    throw new LabelsError(`${yaml}: must be YAML (${reasonOf(cause)})`, { cause });
  }
}

/** A list, or numbers with names. Numbers are what the labels say, so none may be missing below the last. */
function classNames(names: unknown, yaml: string): readonly string[] {
  if (Array.isArray(names)) return names.map(String);
  if (!isObject(names)) {
    throw new LabelsError(`${yaml}: must have names, a list or numbers with names, received none`);
  }
  const keys = Object.keys(names);
  const classes = keys.map((_, i) => names[i]);
  if (!classes.includes(undefined)) return classes.map(String);
  throw new LabelsError(
    `${yaml}: names must be numbered from 0 on without a gap, received ${keys.join(", ")}`,
  );
}

/** Paths of the part's images, each once; all images of a set whose `data.yaml` names no part. */
async function imagesOf(set: YoloSet, split: LabelSplit): Promise<readonly string[]> {
  const parts = Object.entries(SPLIT_KEYS).flatMap(([name, keys]) => {
    const entry = keys.map((key) => set.settings[key]).find((value) => value != null);
    return entry === undefined ? [] : [{ name, entries: [entry].flat() }];
  });
  if (parts.length === 0) {
    return filesUnder(await firstFolder(set.root, undefined, "images"), IMAGE_EXTENSIONS);
  }
  const wanted = parts.filter(({ name }) => split === "all" || name === split);
  const [other] = parts;
  if (wanted.length === 0 && other !== undefined) {
    throw new LabelsError(
      `${set.yaml}: must name the images of ${split}, received those of ${parts.map(({ name }) => name).join(" and ")} only (${set.yaml}#${other.name})`,
    );
  }
  const files: string[] = [];
  for (const { name, entries } of wanted) {
    for (const entry of entries) {
      files.push(...(await imagesIn(set, asText(entry, `${set.yaml}: ${name}`), name)));
    }
  }
  return [...new Set(files)];
}

/** The images of a folder, or those that a text file lists. */
async function imagesIn(
  { yaml, root }: YoloSet,
  entry: string,
  part: string,
): Promise<readonly string[]> {
  // Roboflow's entries start with a `../` that leads out of the set.
  const candidates = [entry, entry.replace(/^\.\.\//, "")].map((name) => resolve(root, name));
  const place = await firstThere([...candidates, resolve(dirname(yaml), entry)]);
  if (place === undefined) {
    throw new LabelsError(
      `${yaml}: ${part} must be a folder or a list of images, received ${entry}, which is not there`,
    );
  }
  if ((await kindOf(place)) === "folder") return filesUnder(place, IMAGE_EXTENSIONS);
  if (extname(place) !== ".txt") {
    throw new LabelsError(`${yaml}: ${part} must be a folder or a .txt list, received ${entry}`);
  }
  const lines = (await textOf(place)).split(/\r?\n/).map((line) => line.trim());
  return Promise.all(
    lines
      .filter((line) => line !== "")
      .map(async (line) => {
        const beside = resolve(dirname(place), line);
        return (await firstThere([beside, resolve(root, line)])) ?? beside;
      }),
  );
}

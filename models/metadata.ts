/**
 * What exporters write about a model into its file: `metadata_props`, in three dialects.
 *
 * Ultralytics (YOLO exports) writes Python values; Deepness and GeoDeep (field models for orthophotos) write JSON
 * values; Nadir writes its whole card.
 */
import type { ModelCard } from "./card.ts";
import { parsePython } from "./python-literal.ts";

/** The key of Nadir's own metadata; its value is the {@link ModelCard} as JSON. */
export const CARD_KEY = "nadir.card";

export interface Metadata {
  readonly dialect: "ultralytics" | "deepness" | "nadir" | "none";
  readonly classes?: readonly string[] | undefined;
  /** `detect`, `obb`, `segment`, `pose`, `classify`. */
  readonly task?: string | undefined;
  /** Pixels of the input. */
  readonly size?: { readonly width: number; readonly height: number } | undefined;
  /** Metres per pixel. */
  readonly gsdM?: number | undefined;
  readonly overlapPx?: number | undefined;
  readonly scoreAtLeast?: number | undefined;
  /** Of values in 0…255. */
  readonly mean?: readonly number[] | undefined;
  readonly std?: readonly number[] | undefined;
  /** True where the network ends with its own choice of boxes. */
  readonly endToEnd?: boolean | undefined;
  /** Free words about the model: its family is often among them. */
  readonly description?: string | undefined;
  readonly licence?: string | undefined;
  readonly card?: ModelCard | undefined;
}

/** Reads what is there; what cannot be read is left out. */
export function readMetadata(properties: Readonly<Record<string, string>>): Metadata {
  const has = (key: string): boolean => properties[key] !== undefined;
  if (has(CARD_KEY)) return fromNadir(properties);
  if (has("class_names") || has("det_type") || has("tiles_size")) return fromDeepness(properties);
  if (has("names") || has("stride") || has("imgsz")) return fromUltralytics(properties);
  return { dialect: "none", description: properties["description"] };
}

function fromNadir(properties: Readonly<Record<string, string>>): Metadata {
  const card = json(properties[CARD_KEY]);
  return isCard(card) ? { dialect: "nadir", card, classes: card.classes } : { dialect: "nadir" };
}

/** The parts that loading relies on; a file may hold anything. */
function isCard(value: unknown): value is ModelCard {
  const { classes, input } = (value ?? {}) as Partial<ModelCard>;
  return (
    Array.isArray(classes) &&
    classes.every((name) => typeof name === "string") &&
    typeof input?.channels === "number" &&
    toNumbers(input.mean) !== undefined &&
    toNumbers(input.std) !== undefined
  );
}

function fromUltralytics(properties: Readonly<Record<string, string>>): Metadata {
  const value = (key: string): unknown => parsePython(properties[key]);
  return {
    dialect: "ultralytics",
    classes: toNames(value("names")),
    task: properties["task"],
    size: toSize(value("imgsz")),
    endToEnd: toFlag(value("end2end")),
    description: properties["description"],
    licence: properties["license"],
  };
}

function fromDeepness(properties: Readonly<Record<string, string>>): Metadata {
  const value = (key: string): unknown => json(properties[key]) ?? properties[key];
  const tile = toNumber(value("tiles_size"));
  const centimetres = toNumber(value("resolution"));
  const overlap = toNumber(value("tiles_overlap"));
  const type = value("det_type");
  return {
    dialect: "deepness",
    classes: toNames(value("class_names")),
    task: typeof type === "string" ? taskOf(type) : undefined,
    size: tile === undefined ? undefined : { width: tile, height: tile },
    gsdM: centimetres === undefined ? undefined : centimetres / 100,
    overlapPx:
      tile === undefined || overlap === undefined ? undefined : Math.round((tile * overlap) / 100),
    scoreAtLeast: toNumber(value("det_conf")),
    mean: toNumbers(value("standardization_mean"))?.map((x) => x * 255),
    std: toNumbers(value("standardization_std"))?.map((x) => x * 255),
    description: typeof type === "string" ? type : undefined,
  };
}

/** `YOLO_Ultralytics_obb` → `obb`. */
function taskOf(type: string): string {
  if (/obb/i.test(type)) return "obb";
  return /seg/i.test(type) ? "segment" : "detect";
}

function json(text: string | undefined): unknown {
  if (text === undefined) return undefined;
  try {
    return JSON.parse(text);
  } catch {
    return undefined; // a plain word, or Python's quotes: the caller tries those
  }
}

function toNumber(value: unknown): number | undefined {
  const number = typeof value === "string" && value.trim() !== "" ? Number(value) : value;
  return typeof number === "number" && Number.isFinite(number) && number >= 0 ? number : undefined;
}

const toNumbers = (value: unknown): readonly number[] | undefined =>
  Array.isArray(value) && value.length > 0 && value.every((x) => typeof x === "number")
    ? value
    : undefined;

const toFlag = (value: unknown): boolean | undefined =>
  typeof value === "boolean" ? value : undefined;

/** Python writes `[height, width]`. */
function toSize(value: unknown): Metadata["size"] {
  if (typeof value === "number" && value > 0) return { width: value, height: value };
  const [height, width = height] = toNumbers(value) ?? [];
  return height === undefined || width === undefined ? undefined : { width, height };
}

/** A list of names, or a table from index to name; gaps become `class 3`. */
function toNames(value: unknown): readonly string[] | undefined {
  const table = typeof value === "string" ? parsePython(value) : value;
  if (typeof table !== "object" || table === null) return undefined;
  const entries = Object.entries(table).map(([key, name]) => [Number(key), String(name)] as const);
  if (entries.length === 0 || entries.some(([i]) => !Number.isInteger(i) || i < 0 || i > 65_535)) {
    return undefined;
  }
  const names = new Map(entries);
  const count = Math.max(...names.keys()) + 1;
  return Array.from({ length: count }, (_, i) => names.get(i) ?? `class ${i}`);
}

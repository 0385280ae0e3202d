/** One scene detected in and answered at once: nothing of it is kept. */
import { mkdir, readFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { Scene } from "../../../datasets/index.ts";
import {
  availableCrs,
  detect,
  type DetectSettings,
  encode,
  type FormatName,
  FORMATS,
  type FoundObject,
  groundResolution,
  memorySpool,
  type OutputContext,
  resolveSettings,
  type RunReport,
  settingsOfModel,
  type SettingsInput,
  stem,
} from "../../../pipeline/index.ts";
import { openOutput } from "../../../pipeline/node.ts";
import type { ServedModel } from "../models/served.ts";
import { RequestError } from "../problem.ts";

export interface Once {
  readonly scene: Scene;
  readonly model: ServedModel;
  /** What the request says, and what the server says under it. */
  readonly said: SettingsInput;
  readonly base: SettingsInput;
  readonly signal: AbortSignal;
}

export interface Found {
  readonly objects: readonly FoundObject[];
  readonly report: RunReport;
  readonly settings: DetectSettings;
  readonly context: OutputContext;
}

/** @throws {SettingsError | ResolutionError | ModelError} as the pipeline does */
export async function findOnce({ scene, model, said, base, signal }: Once): Promise<Found> {
  const { detector } = model;
  const { settings } = resolveSettings({
    option: said,
    config: base,
    model: settingsOfModel(detector.card),
  });
  const objects: FoundObject[] = [];
  const run = detect(scene, detector, settings, { signal });
  let next = await run.next();
  for (; next.done !== true; next = await run.next()) objects.push(next.value);
  const gsd = groundResolution(scene);
  const context: OutputContext = {
    scene,
    classes: detector.card.classes,
    model: detector.card,
    crs: availableCrs(scene, settings.crs),
    gsdM: settings.sceneGsdM ?? (gsd && Math.sqrt(gsd.x * gsd.y)),
  };
  return { objects, report: next.value, settings, context };
}

export interface Answer {
  readonly body: Uint8Array;
  readonly mediaType: string;
  readonly fileName: string;
}

/** The one format that a request may ask for. @throws {RequestError} */
export function onlyFormat({ formats = ["geojson"] }: SettingsInput): FormatName {
  const [format, ...more] = formats;
  if (format !== undefined && more.length === 0) return format;
  throw new RequestError(
    "ERR_REQUEST",
    `formats must hold one format, received ${formats.length}; a job can write several`,
  );
}

/** Writes what was found. Formats that need a file to be written to use `folder`. */
export async function writeAnswer(
  found: Found,
  format: FormatName,
  folder: string,
): Promise<Answer> {
  const { extension, mediaType } = FORMATS[format];
  const fileName = `${stem(found.context.scene.source)}${extension}`;
  const bytes = TEXT.has(format)
    ? await encoded(found, format)
    : await written(found, format, join(folder, fileName));
  const body = format === "geojson" ? withReport(bytes, found.report) : bytes;
  return { body, mediaType, fileName };
}

/** Formats that are complete without a file and a CRS in well-known text. */
const TEXT: ReadonlySet<FormatName> = new Set<FormatName>([
  "geojson",
  "geojson-seq",
  "csv",
  "coco",
  "yolo",
  "yolo-obb",
  "dota",
]);

async function encoded({ objects, context }: Found, format: FormatName): Promise<Uint8Array> {
  const create = await FORMATS[format].encoder?.();
  if (create === undefined) throw new TypeError(`encoded: ${format} must have an encoder`);
  const chunks: Uint8Array[] = [];
  for await (const chunk of encode(objects, create(context, memorySpool()))) chunks.push(chunk);
  return Buffer.concat(chunks);
}

async function written(
  { objects, context }: Found,
  format: FormatName,
  path: string,
): Promise<Uint8Array> {
  await mkdir(dirname(path), { recursive: true });
  await using output = await openOutput(format, path, context);
  for (const object of objects) await output.write(object);
  await output.finish();
  return readFile(path);
}

/** Puts what a manifest would say into the collection's own member. */
function withReport(geojson: Uint8Array, report: RunReport): Uint8Array {
  const collection = JSON.parse(new TextDecoder().decode(geojson)) as Record<string, unknown>;
  const { warnings, diagnosis, timingsMs, tiles, objects } = report;
  const about = { warnings, diagnosis, tiles, objects, timings_ms: rounded(timingsMs) };
  const nadir = { ...(collection["nadir"] as object), ...about };
  return new TextEncoder().encode(JSON.stringify({ ...collection, nadir }));
}

const rounded = (ms: Readonly<Record<string, number>>): Record<string, number> =>
  Object.fromEntries(Object.entries(ms).map(([stage, value]) => [stage, Math.round(value)]));

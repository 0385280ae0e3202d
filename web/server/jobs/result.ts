/** The result of a job in any format: as it was written, or made of its GeoJSON when it is first asked for. */
import { access, readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { crsFromText } from "../../../datasets/node.ts";
import { type FormatName, FORMATS, readResult, SETTINGS } from "../../../pipeline/index.ts";
import { openOutput } from "../../../pipeline/node.ts";
import type { Limits } from "../options.ts";
import { RequestError } from "../problem.ts";
import { openUpload } from "../requests/pixels.ts";
import type { JobRecord } from "./record.ts";
import { outputName } from "./run-job.ts";

/** A larger GeoJSON is not read into memory to be converted. */
const CONVERTED_BYTES = 64e6;

export interface ResultFile {
  readonly path: string;
  readonly name: string;
  readonly mediaType: string;
  readonly bytes: number;
}

/** Formats that the job was asked for. */
export const formatsOf = ({ settings }: JobRecord): readonly FormatName[] =>
  settings.formats ?? SETTINGS.formats.fallback;

/** @throws {RequestError} where the format is not there and cannot be made */
export async function resultFile(
  record: JobRecord,
  folder: string,
  format: FormatName,
  limits: Limits,
): Promise<ResultFile> {
  const name = outputName(record.source.name, format);
  const path = join(folder, "results", name);
  const isThere = await access(path).then(
    () => true,
    () => false,
  );
  if (!isThere) await convert(record, folder, format, path, limits);
  const { size } = await stat(path);
  return { path, name, mediaType: FORMATS[format].mediaType, bytes: size };
}

async function convert(
  record: JobRecord,
  folder: string,
  format: FormatName,
  path: string,
  limits: Limits,
): Promise<void> {
  const { source, settings } = record;
  const geojson = join(folder, "results", outputName(source.name, "geojson"));
  const size = formatsOf(record).includes("geojson") ? (await stat(geojson)).size : Infinity;
  if (size > CONVERTED_BYTES) {
    const there = formatsOf(record).join(", ");
    throw new RequestError("ERR_CONFLICT", `format: must be one of ${there}, received ${format}`);
  }
  const text = await readFile(geojson, "utf8");
  const { objects, classes } = readResult(text, source.name, { crsFrom: crsFromText });
  await using scene = await openUpload(
    { place: join(folder, "upload", source.name), name: source.name },
    limits,
  );
  const context = { scene, classes, crs: settings.crs ?? SETTINGS.crs.fallback };
  await using output = await openOutput(format, path, context);
  for (const object of objects) await output.write(object);
  await output.finish();
}

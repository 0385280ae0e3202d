/**
 * Georeferencing that stands beside a picture: world files, `.prj` and GDAL's `.aux.xml`.
 *
 * A world file has six numbers, the last two being the *centre* of the first pixel (ESRI).
 */
import { readFile } from "node:fs/promises";
import { type Affine, compose } from "../affine.ts";
import { type Crs, crsFromText } from "../crs.ts";
import { allEpsg } from "../crs/epsg-node.ts";
import { SceneError } from "../scene-error.ts";

export interface Sidecar {
  readonly transform: Affine | undefined;
  readonly crs: Crs | undefined;
}

/** What the files beside a path say; each part undefined where none does. @throws {SceneError} where one is damaged. */
export async function readSidecar(path: string): Promise<Sidecar> {
  const dot = path.lastIndexOf(".");
  const [stem, extension] = dot < 0 ? [path, ""] : [path.slice(0, dot), path.slice(dot + 1)];
  const aux = await textOf(`${path}.aux.xml`);
  const short = `${extension.at(0) ?? ""}${extension.at(-1) ?? ""}w`;
  const names = [short, short.toUpperCase(), `${extension}w`, "wld"].map((end) => `${stem}.${end}`);
  const world = await firstText(names);
  const projection = await firstText([`${stem}.prj`, `${stem}.PRJ`]);
  const wkt = projection?.text ?? unescape(element(aux, "SRS"));
  return {
    transform: world === undefined ? auxTransform(path, aux) : worldTransform(world),
    crs: wkt === undefined ? undefined : crsOf(wkt),
  };
}

interface Found {
  readonly path: string;
  readonly text: string;
}

function worldTransform({ path, text }: Found): Affine {
  const numbers = text.trim().split(/\s+/).map(Number);
  const [a = Number.NaN, d = 0, b = 0, e = 0, x = 0, y = 0] = numbers;
  if (numbers.length < 6 || !numbers.every(Number.isFinite)) {
    throw new SceneError(`${path}: a world file must hold six numbers, received "${text.trim()}"`);
  }
  return compose([a, b, x, d, e, y], [1, 0, -0.5, 0, 1, -0.5]);
}

/** GDAL's order: `c a b f d e`, from the outer corner. */
function auxTransform(path: string, aux: string | undefined): Affine | undefined {
  const text = element(aux, "GeoTransform");
  if (text === undefined) return undefined;
  const numbers = text.split(",").map(Number);
  const [c = 0, a = 0, b = 0, f = 0, d = 0, e = 0] = numbers;
  if (numbers.length === 6 && numbers.every(Number.isFinite)) return [a, b, c, d, e, f];
  throw new SceneError(`${path}.aux.xml: GeoTransform must have six numbers, received "${text}"`);
}

/** By the EPSG code that closes the text where it has one, for the name and the full definition. */
function crsOf(wkt: string): Crs {
  const code = /(?:AUTHORITY|ID)\["EPSG",\s*"?(\d+)"?\]\]\s*$/.exec(wkt)?.[1];
  return crsFromText(
    code === undefined || allEpsg(Number(code)) === undefined ? wkt : code,
    allEpsg,
  );
}

function element(xml: string | undefined, name: string): string | undefined {
  return new RegExp(`<${name}[^>]*>([^<]*)</${name}>`).exec(xml ?? "")?.[1]?.trim();
}

function unescape(text: string | undefined): string | undefined {
  return text?.replaceAll("&quot;", '"').replaceAll("&lt;", "<").replaceAll("&amp;", "&");
}

async function firstText(paths: readonly string[]): Promise<Found | undefined> {
  for (const path of paths) {
    const text = await textOf(path);
    if (text !== undefined) return { path, text };
  }
  return undefined;
}

/** A file that is not there, or may not be read, says nothing. */
async function textOf(path: string): Promise<string | undefined> {
  return readFile(path, "utf8").catch(() => undefined);
}

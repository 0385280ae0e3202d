/** Coordinate reference systems: to WGS84 longitude and latitude, and the size of their unit. */
import proj4 from "proj4";
import { shiftQuality, withUsableShift } from "./crs/datum-shifts.ts";
import { commonEpsg, type EpsgLookup } from "./crs/epsg.ts";
import { definitionFromGeoKeys, type GeoKeys } from "./crs/geo-keys.ts";
import { SceneError } from "./scene-error.ts";

export interface Crs {
  /** The EPSG code, or undefined for a CRS that the file itself defines. */
  readonly epsg: number | undefined;
  readonly name: string;
  readonly kind: "geographic" | "projected";
  /** Metres in one unit of a projected CRS; undefined for degrees. */
  readonly metresPerUnit: number | undefined;
  /** The definition given to proj4. */
  readonly definition: string;
  /** Longitude and latitude in degrees, WGS84. */
  readonly toLonLat: (x: number, y: number) => readonly [lon: number, lat: number];
  readonly fromLonLat: (lon: number, lat: number) => readonly [x: number, y: number];
}

/** Code and name of a definition, where it has them. */
export interface CrsLabel {
  readonly epsg?: number | undefined;
  /** @default the projection's name */
  readonly name?: string | undefined;
}

/** A CRS by its EPSG code. @throws {SceneError} where the table has no such code. */
export function crsFromEpsg(code: number, lookup: EpsgLookup = commonEpsg): Crs {
  const entry = lookup(code);
  if (entry !== undefined) return crsFromDefinition(entry.proj4, { epsg: code, name: entry.name });
  const where = lookup === commonEpsg ? "the built-in table" : "the EPSG table";
  throw new SceneError(
    `crsFromEpsg: the code must have a definition in ${where}, received EPSG:${code}`,
  );
}

/** The CRS of a GeoTIFF; undefined where its keys name none. @throws {SceneError} naming the key that is amiss. */
export function crsFromGeoKeys(
  keys: GeoKeys,
  lookup: EpsgLookup = commonEpsg,
  source = "crsFromGeoKeys",
): Crs | undefined {
  const definition = definitionFromGeoKeys(keys, lookup, source);
  if (definition === undefined) return undefined;
  return crsFromDefinition(definition.proj4, definition);
}

/** `EPSG:4326`, a proj4 string or WKT. @throws {SceneError} where proj4 does not understand it. */
export function crsFromText(text: string, lookup: EpsgLookup = commonEpsg): Crs {
  const code = /^(?:EPSG:)?(\d{4,6})$/i.exec(text.trim())?.[1];
  return code === undefined ? crsFromDefinition(text.trim()) : crsFromEpsg(Number(code), lookup);
}

/** A CRS by a proj4 string or WKT. @throws {SceneError} where proj4 does not understand it. */
export function crsFromDefinition(definition: string, { epsg, name }: CrsLabel = {}): Crs {
  const { converter, projection } = understand(definition);
  // By default proj4 ignores `+axis`: South African systems count to the west and south.
  const enforceAxis = true;
  const kind = projection.projName === "longlat" ? "geographic" : "projected";
  return {
    epsg,
    name: name ?? projection.title ?? projection.projName ?? "unnamed",
    kind,
    metresPerUnit: kind === "geographic" ? undefined : (projection.to_meter ?? 1),
    definition,
    toLonLat: (x, y) => {
      const [lon = Number.NaN, lat = Number.NaN] = converter.forward([x, y], enforceAxis);
      return [lon, lat];
    },
    fromLonLat: (lon, lat) => {
      const [x = Number.NaN, y = Number.NaN] = converter.inverse([lon, lat], enforceAxis);
      return [x, y];
    },
  };
}

/** What proj4 keeps of a definition; its own types leave these out. */
interface ProjectionFacts {
  readonly projName?: string;
  readonly title?: string;
  readonly to_meter?: number;
}

function understand(definition: string) {
  try {
    const usable = withUsableShift(definition);
    const projection = new proj4.Proj(usable) as unknown as ProjectionFacts; // see above
    return { converter: proj4(usable, "WGS84"), projection };
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new SceneError(
      `crsFromDefinition: proj4 must understand the definition, received "${definition}" (${why})`,
      { cause },
    );
  }
}

/** What a user should know of the way from a CRS to WGS 84, where that is inexact. */
export function datumWarning({ definition, name }: Crs): string | undefined {
  switch (shiftQuality(definition)) {
    case "known":
      return undefined;
    case "without its grid":
      return `the datum of ${name} is shifted to WGS 84 without its grid: places may be off by tens of metres`;
    case "unknown":
      return `the shift of ${name} to WGS 84 is unknown: places may be off by hundreds of metres`;
  }
}

/**
 * The `crs` member of GeoJSON (geojson.org/geojson-spec.html, 2008, §3). RFC 7946 has no such member, yet GDAL and QGIS
 * write it, for longitude and latitude too.
 */
import type { Crs } from "../crs.ts";
import { type JsonObject, asObject, asText } from "./json.ts";
import { LabelsError } from "./labels.ts";

/** Coordinates that are not the scene's own. */
export type Plane = Pick<Crs, "toLonLat">;

const LON_LAT: Plane = { toLonLat: (lon, lat) => [lon, lat] };
const WGS84 = 4326;

/**
 * The plane of the coordinates; undefined where it is that of the scene. Longitude comes first, as the format has it and
 * whatever the authority says. A named projection is that of a scene whose own CRS is not known.
 *
 * @param member - `{ type: "name", properties: { name } }`; nothing means longitude and latitude
 * @throws {LabelsError} for a CRS without a name, or one that is neither CRS84 nor a known code of EPSG
 */
export function foreignPlane(
  member: unknown,
  scene: Crs | undefined,
  crsFrom: (text: string) => Crs,
  where: string,
): Plane | undefined {
  if (member === undefined || member === null) return LON_LAT;
  const name = nameOf(asObject(member, where), where);
  const code = codeOf(name);
  if (code === WGS84) return LON_LAT;
  if (code === undefined) {
    throw new LabelsError(`${where}: must name CRS84 or a code of EPSG, received ${name}`);
  }
  if (scene?.epsg === code) return undefined;
  const named = known(code, crsFrom, where);
  return scene === undefined && named.kind === "projected" ? undefined : named;
}

function nameOf(member: JsonObject, where: string): string {
  if (member["type"] !== "name") {
    throw new LabelsError(
      `${where}: must be given by its name, received ${String(member["type"])}`,
    );
  }
  const properties = asObject(member["properties"], `${where}.properties`);
  return asText(properties["name"], `${where}.properties.name`);
}

/** 32633 of `EPSG:32633`, `urn:ogc:def:crs:EPSG::32633` and `http://www.opengis.net/def/crs/EPSG/0/32633`. */
function codeOf(name: string): number | undefined {
  if (/\bCRS84$/i.test(name)) return WGS84;
  const code = /\bEPSG(?:[:/][\d.]*)?[:/](\d{4,6})$/i.exec(name)?.[1];
  return code === undefined ? undefined : Number(code);
}

function known(code: number, crsFrom: (text: string) => Crs, where: string): Crs {
  try {
    return crsFrom(`EPSG:${code}`);
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new LabelsError(`${where}: must be one that is known (${why})`, { cause });
  }
}

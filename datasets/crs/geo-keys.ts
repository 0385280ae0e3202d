/**
 * GeoKeys to a definition that proj4 understands (OGC 19-008r4, GeoTIFF 1.1, §7 and annex).
 *
 * EPSG codes are taken where the file has them; a CRS that the file defines by its own parameters is written out.
 */
import { SceneError } from "../scene-error.ts";
import type { EpsgLookup } from "./epsg.ts";
import { PROJECTIONS } from "./projections.ts";

export type GeoKeys = ReadonlyMap<number, number | readonly number[] | string>;

export interface Definition {
  readonly epsg: number | undefined;
  readonly name: string;
  readonly proj4: string;
}

const KEY = {
  modelType: 1024,
  citation: 1026,
  geographicType: 2048,
  geographicCitation: 2049,
  geodeticDatum: 2050,
  angularUnits: 2054,
  ellipsoid: 2056,
  semiMajorAxis: 2057,
  semiMinorAxis: 2058,
  inverseFlattening: 2059,
  primeMeridianLongitude: 2061,
  toWgs84: 2062,
  projectedType: 3072,
  projectedCitation: 3073,
  projection: 3074,
  coordinateTransform: 3075,
  linearUnits: 3076,
  linearUnitSize: 3077,
} as const;

const USER_DEFINED = 32767;

/** Metres in a unit, by EPSG code of the unit. */
const LINEAR_UNITS: Readonly<Record<number, number>> = {
  9001: 1,
  9002: 0.3048,
  9003: 1200 / 3937,
  9005: 0.3047972654,
  9030: 1852,
  9036: 1000,
  9084: 0.914398530744441,
  9093: 1609.344,
  9095: 0.30479841,
};

/** Ellipsoids that files name by code alone: semi-major axis in metres, inverse flattening. */
const ELLIPSOIDS: Readonly<Record<number, readonly [number, number]>> = {
  7001: [6377563.396, 299.3249646],
  7003: [6378160, 298.25],
  7004: [6377397.155, 299.1528128],
  7008: [6378206.4, 294.978698213898],
  7012: [6378249.145, 293.465],
  7019: [6378137, 298.257222101],
  7022: [6378388, 297],
  7024: [6378245, 298.3],
  7030: [6378137, 298.257223563],
  7036: [6378160, 298.247167427],
  7043: [6378135, 298.26],
  7050: [6378160, 298.25],
};

/**
 * The definition that the keys give, or undefined where they name no CRS at all.
 *
 * @throws {SceneError} naming the key that is missing or unknown.
 */
export function definitionFromGeoKeys(
  keys: GeoKeys,
  lookup: EpsgLookup,
  source: string,
): Definition | undefined {
  const projected = number(keys, KEY.projectedType) ?? 0;
  const geographic = number(keys, KEY.geographicType) ?? 0;
  const code = projected > 0 ? projected : geographic;
  if (code > 0 && code !== USER_DEFINED) return fromCode(code, keys, lookup, source);
  if (projected === USER_DEFINED || keys.has(KEY.coordinateTransform) || keys.has(KEY.projection)) {
    const projection = projectionOf(keys, source);
    const base = geographicDefinition(keys, lookup, source);
    const name = text(keys, KEY.projectedCitation) ?? text(keys, KEY.citation) ?? "user-defined";
    return {
      epsg: undefined,
      name: firstLine(name),
      proj4: `${projection} ${base} ${linearUnit(keys, source)} +no_defs`,
    };
  }
  if (geographic === USER_DEFINED) {
    const base = geographicDefinition(keys, lookup, source);
    const name = text(keys, KEY.geographicCitation) ?? text(keys, KEY.citation) ?? "user-defined";
    return { epsg: undefined, name: firstLine(name), proj4: `+proj=longlat ${base} +no_defs` };
  }
  return undefined;
}

function fromCode(code: number, keys: GeoKeys, lookup: EpsgLookup, source: string): Definition {
  const key = code === number(keys, KEY.projectedType) ? "ProjectedCRSGeoKey" : "GeodeticCRSGeoKey";
  const found = lookup(code);
  if (found === undefined) {
    throw new SceneError(
      `${source}: ${key} must be an EPSG code with a known definition, received ${code}`,
    );
  }
  return { epsg: code, name: found.name, proj4: found.proj4 };
}

/** Datum, ellipsoid and prime meridian of the keys, as proj4 words. */
function geographicDefinition(keys: GeoKeys, lookup: EpsgLookup, source: string): string {
  const shift = keys.get(KEY.toWgs84);
  const words = shift === undefined ? [] : [`+towgs84=${[shift].flat().join(",")}`];
  const meridian = number(keys, KEY.primeMeridianLongitude);
  if (meridian !== undefined && meridian !== 0) words.push(`+pm=${meridian}`);

  const type = number(keys, KEY.geographicType);
  const datum = number(keys, KEY.geodeticDatum);
  // EPSG numbered each geodetic datum 2000 above the CRS on it, as far as GeoTIFF lists them.
  const code = [type, datum === undefined ? undefined : datum - 2000].find(
    (value) => value !== undefined && value > 0 && value < 30000 && lookup(value) !== undefined,
  );
  if (code !== undefined) {
    const known = (lookup(code)?.proj4 ?? "").split(/\s+/);
    const kept = known.filter((word) => /^\+(datum|ellps|a|b|rf|pm|towgs84)=/.test(word));
    return [...kept.filter((word) => shift === undefined || !isDatumShift(word)), ...words].join(
      " ",
    );
  }
  return [ellipsoid(keys, source), ...words].join(" ");
}

function isDatumShift(word: string): boolean {
  return word.startsWith("+towgs84=");
}

function ellipsoid(keys: GeoKeys, source: string): string {
  const major = number(keys, KEY.semiMajorAxis);
  const minor = number(keys, KEY.semiMinorAxis);
  const flattening = number(keys, KEY.inverseFlattening);
  if (major !== undefined && flattening !== undefined && flattening > 0) {
    return `+a=${major} +rf=${flattening}`;
  }
  if (major !== undefined) return `+a=${major} +b=${minor ?? major}`;
  const code = number(keys, KEY.ellipsoid);
  const known = ELLIPSOIDS[code ?? 0];
  if (known !== undefined) return `+a=${known[0]} +rf=${known[1]}`;
  throw new SceneError(
    `${source}: a user-defined CRS must have a known ellipsoid, received EllipsoidGeoKey ${code ?? "none"} ` +
      `and no EllipsoidSemiMajorAxisGeoKey`,
  );
}

function projectionOf(keys: GeoKeys, source: string): string {
  const operation = number(keys, KEY.projection) ?? 0;
  // Codes 16001…16060 and 16101…16160 are the UTM zones, north and south.
  const zone = operation % 100;
  if ((operation > 16000 && operation <= 16060) || (operation > 16100 && operation <= 16160)) {
    return `+proj=utm +zone=${zone}${operation > 16100 ? " +south" : ""}`;
  }
  const method = number(keys, KEY.coordinateTransform);
  const projection = PROJECTIONS[method ?? 0];
  if (projection === undefined) {
    const what =
      method === undefined
        ? `ProjectionGeoKey ${operation === 0 ? "none" : operation} without a ProjMethodGeoKey`
        : `ProjMethodGeoKey ${method}`;
    throw new SceneError(
      `${source}: the projection of a user-defined CRS must be known, received ${what}`,
    );
  }
  const metres = linearUnitMetres(keys, source);
  return projection((key) => number(keys, key), metres);
}

function linearUnitMetres(keys: GeoKeys, source: string): number {
  const code = number(keys, KEY.linearUnits) ?? 9001;
  const metres = code === USER_DEFINED ? number(keys, KEY.linearUnitSize) : LINEAR_UNITS[code];
  if (metres === undefined || !(metres > 0)) {
    throw new SceneError(
      `${source}: the unit of a user-defined CRS must be known, received ProjLinearUnitsGeoKey ${code}`,
    );
  }
  return metres;
}

function linearUnit(keys: GeoKeys, source: string): string {
  const metres = linearUnitMetres(keys, source);
  return metres === 1 ? "+units=m" : `+to_meter=${metres}`;
}

function number(keys: GeoKeys, key: number): number | undefined {
  const value = keys.get(key);
  return typeof value === "number" ? value : undefined;
}

function text(keys: GeoKeys, key: number): string | undefined {
  const value = keys.get(key);
  return typeof value === "string" && value !== "" ? value : undefined;
}

/** Some writers pack several facts into a citation. */
function firstLine(citation: string): string {
  return (citation.split(/[|\n]/)[0] ?? citation).replace(/^PCS Name = /, "").trim();
}

/**
 * The scene's CRS as PROJJSON, which GeoParquet wants, made from its well-known text 1. Names and numbers of methods
 * and parameters are those of the EPSG registry (IOGP guidance note 373-7-2).
 */
import { crsName } from "./feature.ts";
import type { OutputContext } from "./output.ts";
import { OutputError } from "./output.ts";
import type { WktNode } from "./wkt.ts";
import { child, children, nameOf, numberAt, parseWkt, textAt } from "./wkt.ts";

interface Parameter {
  readonly name: string;
  readonly code: number;
  readonly unit: "degree" | "unity" | "metre";
}

interface Method {
  readonly name: string;
  readonly code: number;
  /** Parameter of the text → parameter of the registry. */
  readonly parameters: Readonly<Record<string, Parameter>>;
}

function degree(name: string, code: number): Parameter {
  return { name, code, unit: "degree" };
}

const SCALE: Parameter = { name: "Scale factor at natural origin", code: 8805, unit: "unity" };
const FALSE_ORIGIN: Readonly<Record<string, Parameter>> = {
  false_easting: { name: "False easting", code: 8806, unit: "metre" },
  false_northing: { name: "False northing", code: 8807, unit: "metre" },
};
const NATURAL_ORIGIN: Readonly<Record<string, Parameter>> = {
  latitude_of_origin: degree("Latitude of natural origin", 8801),
  central_meridian: degree("Longitude of natural origin", 8802),
  scale_factor: SCALE,
  ...FALSE_ORIGIN,
};
const EASTING_AT_ORIGIN: Readonly<Record<string, Parameter>> = {
  false_easting: { name: "Easting at false origin", code: 8826, unit: "metre" },
  false_northing: { name: "Northing at false origin", code: 8827, unit: "metre" },
};
const TWO_PARALLELS: Readonly<Record<string, Parameter>> = {
  standard_parallel_1: degree("Latitude of 1st standard parallel", 8823),
  standard_parallel_2: degree("Latitude of 2nd standard parallel", 8824),
};

const PSEUDO_MERCATOR: Method = {
  name: "Popular Visualisation Pseudo Mercator",
  code: 1024,
  parameters: {
    central_meridian: degree("Longitude of natural origin", 8802),
    ...FALSE_ORIGIN,
  },
};
const STEREOGRAPHIC_POLE: Method = {
  name: "Polar Stereographic (variant A)",
  code: 9810,
  parameters: NATURAL_ORIGIN,
};
const STEREOGRAPHIC_PARALLEL: Method = {
  name: "Polar Stereographic (variant B)",
  code: 9829,
  parameters: {
    latitude_of_origin: degree("Latitude of standard parallel", 8832),
    central_meridian: degree("Longitude of origin", 8833),
    ...FALSE_ORIGIN,
  },
};

/** By the name that well-known text 1 uses. */
const METHODS: Readonly<Record<string, Method>> = {
  Transverse_Mercator: {
    name: "Transverse Mercator",
    code: 9807,
    parameters: NATURAL_ORIGIN,
  },
  Mercator_1SP: { name: "Mercator (variant A)", code: 9804, parameters: NATURAL_ORIGIN },
  Lambert_Conformal_Conic_1SP: {
    name: "Lambert Conic Conformal (1SP)",
    code: 9801,
    parameters: NATURAL_ORIGIN,
  },
  Lambert_Conformal_Conic_2SP: {
    name: "Lambert Conic Conformal (2SP)",
    code: 9802,
    parameters: {
      latitude_of_origin: degree("Latitude of false origin", 8821),
      central_meridian: degree("Longitude of false origin", 8822),
      ...TWO_PARALLELS,
      ...EASTING_AT_ORIGIN,
    },
  },
  Albers_Conic_Equal_Area: {
    name: "Albers Equal Area",
    code: 9822,
    parameters: {
      latitude_of_center: degree("Latitude of false origin", 8821),
      longitude_of_center: degree("Longitude of false origin", 8822),
      ...TWO_PARALLELS,
      ...EASTING_AT_ORIGIN,
    },
  },
  Lambert_Azimuthal_Equal_Area: {
    name: "Lambert Azimuthal Equal Area",
    code: 9820,
    parameters: {
      latitude_of_center: degree("Latitude of natural origin", 8801),
      longitude_of_center: degree("Longitude of natural origin", 8802),
      ...FALSE_ORIGIN,
    },
  },
  Oblique_Stereographic: {
    name: "Oblique Stereographic",
    code: 9809,
    parameters: NATURAL_ORIGIN,
  },
};

/**
 * PROJJSON of the plane that is written; undefined for longitude and latitude, `null` for a plane that is on no map.
 *
 * @throws {OutputError} for a CRS without text, or with a projection that is not in the table
 */
export function projJson({ scene, crs, wkt }: OutputContext): object | null | undefined {
  if (crs === "wgs84" || (crs === "source" && scene.crs?.epsg === 4326)) return undefined;
  if (crs === "pixel") return null;
  if (wkt === undefined) throw undescribed(crsName(crs, scene), "its definition is not known");
  const root = parseWkt(wkt);
  return {
    $schema: "https://proj.org/schemas/v0.7/projjson.schema.json",
    ...(root.keyword === "PROJCS" ? projected(root) : geographic(root)),
  };
}

function projected(root: WktNode): object {
  const unit = unitOf(child(root, "UNIT"), "metre");
  return {
    type: "ProjectedCRS",
    name: nameOf(root),
    base_crs: geographic(child(root, "GEOGCS")),
    conversion: conversion(root, unit),
    coordinate_system: {
      subtype: "Cartesian",
      axis: [
        { name: "Easting", abbreviation: "E", direction: "east", unit },
        { name: "Northing", abbreviation: "N", direction: "north", unit },
      ],
    },
    ...identifier(root),
  };
}

function conversion(root: WktNode, unit: unknown): object {
  const projection = nameOf(child(root, "PROJECTION"));
  const given = new Map(
    children(root, "PARAMETER").map((node) => [nameOf(node).toLowerCase(), numberAt(node, 1) ?? 0]),
  );
  const isPseudo = children(root, "EXTENSION").some((node) =>
    textAt(node, 1)?.includes("nadgrids=@null"),
  );
  const polar =
    Math.abs(given.get("latitude_of_origin") ?? 90) === 90
      ? STEREOGRAPHIC_POLE
      : STEREOGRAPHIC_PARALLEL;
  const method = isPseudo
    ? PSEUDO_MERCATOR
    : projection === "Polar_Stereographic"
      ? polar
      : METHODS[projection];
  if (method === undefined) {
    throw undescribed(nameOf(root), `its projection is ${projection}`);
  }
  return {
    name: "unnamed",
    method: { name: method.name, id: epsg(method.code) },
    parameters: Object.entries(method.parameters).flatMap(([key, parameter]) => {
      const value = given.get(key);
      return value === undefined
        ? []
        : [
            {
              name: parameter.name,
              value,
              unit: parameter.unit === "metre" ? unit : parameter.unit,
              id: epsg(parameter.code),
            },
          ];
    }),
  };
}

function geographic(node: WktNode | undefined): object {
  const datum = child(node, "DATUM");
  const spheroid = child(datum, "SPHEROID");
  const meridian = child(node, "PRIMEM");
  return {
    type: "GeographicCRS",
    name: nameOf(node),
    datum: {
      type: "GeodeticReferenceFrame",
      name:
        nameOf(datum) === "WGS_1984"
          ? "World Geodetic System 1984"
          : nameOf(datum).replaceAll("_", " "),
      ellipsoid: {
        name: nameOf(spheroid),
        semi_major_axis: numberAt(spheroid, 1),
        inverse_flattening: numberAt(spheroid, 2),
      },
      prime_meridian: { name: nameOf(meridian), longitude: numberAt(meridian, 1) ?? 0 },
    },
    coordinate_system: {
      subtype: "ellipsoidal",
      axis: [
        { name: "Geodetic latitude", abbreviation: "Lat", direction: "north", unit: "degree" },
        { name: "Geodetic longitude", abbreviation: "Lon", direction: "east", unit: "degree" },
      ],
    },
    ...identifier(node),
  };
}

function unitOf(node: WktNode | undefined, usual: string): unknown {
  const factor = numberAt(node, 1) ?? 1;
  if (factor === 1) return usual;
  return { type: "LinearUnit", name: nameOf(node), conversion_factor: factor };
}

function identifier(node: WktNode | undefined): object {
  const authority = child(node, "AUTHORITY");
  return authority === undefined
    ? {}
    : { id: { authority: nameOf(authority), code: numberAt(authority, 1) } };
}

function epsg(code: number): object {
  return { authority: "EPSG", code };
}

function undescribed(name: string, why: string): OutputError {
  return new OutputError(
    `parquet: a GeoParquet file must describe its CRS and cannot describe ${name}, ${why}; write longitude and latitude (crs wgs84) or another format`,
  );
}

/** An area of interest out of a GeoJSON file. */
import { readFileSync } from "node:fs";
import type { GeoJSON, Position } from "geojson";
import { type Area, describe, SettingsError } from "../pipeline/index.ts";

/**
 * All polygons of a GeoJSON file, as one area.
 *
 * @throws {SettingsError} where the file cannot be read or holds no polygon
 */
export function readArea(path: string): Area {
  let content: unknown;
  try {
    content = JSON.parse(readFileSync(path, "utf8"));
  } catch (cause) {
    const why = cause instanceof SyntaxError ? `${path} is no JSON` : describe(cause).sentence;
    throw new SettingsError(
      `settings: aoi must be a GeoJSON file or west,south,east,north in degrees (${why})`,
      { cause },
    );
  }
  const polygons = [...polygonsOf(content as GeoJSON)];
  if (polygons.length === 0) {
    throw new SettingsError(`settings: aoi must hold a polygon, received none in ${path}`);
  }
  return { type: "MultiPolygon", coordinates: polygons };
}

/** @yields the rings of each polygon */
function* polygonsOf(geojson: GeoJSON | null): Generator<Position[][], void, undefined> {
  switch (geojson?.type) {
    case "FeatureCollection":
      for (const feature of geojson.features) yield* polygonsOf(feature);
      break;
    case "Feature":
      yield* polygonsOf(geojson.geometry);
      break;
    case "GeometryCollection":
      for (const geometry of geojson.geometries) yield* polygonsOf(geometry);
      break;
    case "Polygon":
      yield geojson.coordinates;
      break;
    case "MultiPolygon":
      yield* geojson.coordinates;
      break;
    default: // points and lines enclose nothing
  }
}

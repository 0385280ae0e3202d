/** One found object as the vector formats see it: a closed ring and a row of attributes. */
import type { Affine } from "../../datasets/index.ts";
import { signedRingArea } from "../../datasets/index.ts";
import type { FoundObject } from "../objects.ts";
import type { OutputContext, OutputCrs, SceneFacts } from "./output.ts";
import { OutputError, fileName } from "./output.ts";

/** The corners in the plane asked for. @throws {OutputError} where the scene does not know that plane */
export function cornersIn(object: FoundObject, crs: OutputCrs): Float64Array {
  const corners = { wgs84: object.lonLat, source: object.map, pixel: object.corners }[crs];
  if (corners === undefined) {
    throw new OutputError(
      `output: coordinates in ${crs} need a georeferenced scene, received an object with pixels only`,
    );
  }
  return crs === "wgs84" ? unwrapped(corners) : corners;
}

/** Longitudes without the jump at the antimeridian: a box across it runs on beyond 180°. */
function unwrapped(lonLat: Float64Array): Float64Array {
  const [west, , east] = extent(lonLat);
  if (east - west <= 180) return lonLat;
  return lonLat.map((value, i) => (i % 2 === 0 && value < 0 ? value + 360 : value));
}

/**
 * A closed ring of five points, counter-clockwise (RFC 7946 §3.1.6) in the plane of `corners`; where `y` points down
 * (`pixel`) that reads as clockwise on the screen.
 */
export function closedRing(corners: Float64Array): Float64Array {
  const ring = new Float64Array(10);
  const forwards = signedRingArea(corners) >= 0;
  for (let i = 0; i < 5; i++) {
    const from = forwards ? i % 4 : (4 - i) % 4;
    ring[2 * i] = corners[2 * from] ?? 0;
    ring[2 * i + 1] = corners[2 * from + 1] ?? 0;
  }
  return ring;
}

/** What a millionth of a pixel needs where a pixel is ten centimetres. */
const DECIMALS = { wgs84: 12, source: 7, pixel: 6 } as const satisfies Record<OutputCrs, number>;

/** The closed ring with the decimals that a text format writes. */
export function roundedRing(object: FoundObject, crs: OutputCrs): Float64Array {
  return closedRing(cornersIn(object, crs)).map((value) => rounded(value, DECIMALS[crs]));
}

/** `[west, south, east, north]` of points given as `x y x y …`. */
export function extent(
  points: ArrayLike<number>,
): readonly [west: number, south: number, east: number, north: number] {
  let [west, south, east, north] = [Infinity, Infinity, -Infinity, -Infinity];
  for (let i = 0; i < points.length; i += 2) {
    const [x, y] = [points[i] ?? 0, points[i + 1] ?? 0];
    west = Math.min(west, x);
    east = Math.max(east, x);
    south = Math.min(south, y);
    north = Math.max(north, y);
  }
  return [west, south, east, north];
}

/** The attributes of every vector format and CSV. */
export interface Attributes {
  readonly class: string;
  readonly class_id: number;
  readonly score: number;
  /** Undefined where the scene is not georeferenced; so are the others below. */
  readonly length_m: number | undefined;
  readonly width_m: number | undefined;
  readonly area_m2: number | undefined;
  /** Long side, clockwise from true north, 0 ≤ bearing < 180. */
  readonly bearing_deg: number | undefined;
}

/** Their columns, in order. */
export const COLUMNS: Readonly<Record<keyof Attributes, "string" | "integer" | "real">> = {
  class: "string",
  class_id: "integer",
  score: "real",
  length_m: "real",
  width_m: "real",
  area_m2: "real",
  bearing_deg: "real",
};

/** Scores to six decimals, metres to a centimetre, degrees to a hundredth: what the numbers can bear. */
export function attributesOf({ class: name, classIndex, score, ground }: FoundObject): Attributes {
  return {
    class: name,
    class_id: classIndex,
    score: rounded(score, 6),
    length_m: ground && rounded(ground.lengthM, 2),
    width_m: ground && rounded(ground.widthM, 2),
    area_m2: ground && rounded(ground.areaM2, 2),
    bearing_deg: ground && rounded(ground.bearingDeg, 2) % 180,
  };
}

export function rounded(value: number, decimals: number): number {
  const scale = 10 ** decimals;
  return Math.round(value * scale) / scale;
}

/** `urn:ogc:def:crs:EPSG::32633`; undefined for WGS84, pixels, and a CRS without a code. */
export function crsUrn({ crs, scene }: OutputContext): string | undefined {
  const epsg = crs === "source" ? scene.crs?.epsg : undefined;
  return epsg === undefined ? undefined : `urn:ogc:def:crs:EPSG::${epsg}`;
}

/**
 * What an output says of its origin: enough to find its pixels again, no times and no folders, so that two runs give
 * the same bytes.
 */
export interface Provenance {
  readonly source: string;
  readonly width: number;
  readonly height: number;
  readonly coordinates: OutputCrs;
  /** Pixel to map, in the order of {@link Affine}. */
  readonly transform?: Affine;
  /** `EPSG:32633`, or a proj4 definition. */
  readonly crs?: string;
  readonly gsd_m?: number;
  readonly classes: readonly string[];
  readonly model?: string;
  readonly model_sha256?: string;
}

export function provenance({ scene, classes, model, crs, gsdM }: OutputContext): Provenance {
  return {
    source: fileName(scene.source),
    width: scene.width,
    height: scene.height,
    coordinates: crs,
    ...(scene.transform && { transform: scene.transform }),
    ...(scene.crs && {
      crs: scene.crs.epsg === undefined ? scene.crs.definition : `EPSG:${scene.crs.epsg}`,
    }),
    ...(gsdM !== undefined && { gsd_m: gsdM }),
    classes,
    ...(model && { model: model.name, model_sha256: model.sha256 }),
  };
}

/** The plane as text, for errors and metadata. */
export function crsName(crs: OutputCrs, scene: SceneFacts): string {
  if (crs === "wgs84") return "EPSG:4326";
  if (crs === "pixel") return "pixels";
  return scene.crs?.epsg === undefined ? (scene.crs?.name ?? "unknown") : `EPSG:${scene.crs.epsg}`;
}

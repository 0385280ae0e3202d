/** From pixels of a scene to places on the Earth. */
import {
  type Affine,
  type Crs,
  type Detections,
  apply,
  measureGround,
  toCorners,
} from "../datasets/index.ts";
import type { FoundObject } from "./objects.ts";

/** What georeferencing asks of a scene. */
export interface Placed {
  readonly transform: Affine | undefined;
  readonly crs: Crs | undefined;
}

/**
 * Gives every detection its place: pixel → map by the scene's transform, map → WGS84 by its CRS, and the true size on the
 * ellipsoid. What the scene does not know stays undefined; so do longitude, latitude and size of a box that the CRS cannot
 * express (a corner beyond the horizon of an azimuthal projection).
 *
 * @param classes - names by class index; an index beyond them is called `class 7`
 */
export async function* georeference(
  source: AsyncIterable<Detections<"scene">>,
  scene: Placed,
  classes: readonly string[],
): AsyncGenerator<FoundObject, void, undefined> {
  for await (const detections of source) yield* locate(detections, scene, classes);
}

/** {@link georeference} for detections that are all there. */
export function* locate(
  detections: Detections<"scene">,
  { transform, crs }: Placed,
  classes: readonly string[],
): Generator<FoundObject, void, undefined> {
  const { corners } = toCorners(detections.boxes);
  for (let row = 0; row < detections.count; row++) {
    const box = corners.slice(8 * row, 8 * row + 8);
    const map = transform && mapPoints(box, (x, y) => apply(transform, x, y));
    const lonLat = map && crs && toLonLat(map, crs);
    const classIndex = detections.classes[row]!;
    yield {
      class: classes[classIndex] ?? `class ${classIndex}`,
      classIndex,
      score: detections.scores[row]!,
      oriented: detections.boxes.kind === "oriented",
      corners: box,
      map,
      lonLat,
      ground: lonLat && measureGround(lonLat),
    };
  }
}

function toLonLat(map: Float64Array, crs: Crs): Float64Array | undefined {
  const lonLat = mapPoints(map, (x, y) => {
    const [lon, lat] = crs.toLonLat(x, y);
    return [normalLongitude(lon), lat];
  });
  return lonLat.every(Number.isFinite) ? lonLat : undefined;
}

/** The same meridian in −180…180: rasters may count from 0 to 360. */
function normalLongitude(lon: number): number {
  return lon >= -180 && lon <= 180 ? lon : lon - 360 * Math.floor((lon + 180) / 360);
}

function mapPoints(
  points: Float64Array,
  move: (x: number, y: number) => readonly [x: number, y: number],
): Float64Array {
  const moved = new Float64Array(points.length);
  for (let k = 0; k < points.length; k += 2) {
    const [x, y] = move(points[k]!, points[k + 1]!);
    moved[k] = x;
    moved[k + 1] = y;
  }
  return moved;
}

/**
 * GeoJSON, RFC 7946: a FeatureCollection, one feature a line, streamed.
 *
 * Another CRS than WGS84 is written as the `crs` member of the 2008 specification, which GDAL and QGIS still read.
 */
import type { FoundObject } from "../objects.ts";
import { attributesOf, crsUrn, provenance, rounded, roundedRing } from "./feature.ts";
import type { Encoder, OutputContext, OutputCrs } from "./output.ts";
import { stem } from "./output.ts";

export function geojson(context: OutputContext): Encoder {
  let count = 0;
  return {
    begin: () => {
      const urn = crsUrn(context);
      const members = {
        type: "FeatureCollection",
        name: stem(context.scene.source),
        ...(urn && { crs: { type: "name", properties: { name: urn } } }),
        nadir: provenance(context),
      };
      return `${JSON.stringify(members).slice(0, -1)},"features":[`;
    },
    write: (object) => `${count++ === 0 ? "\n" : ",\n"}${featureText(object, context.crs)}`,
    end: () => ["\n]}\n"],
  };
}

/** One feature as a line of JSON. */
export function featureText(object: FoundObject, crs: OutputCrs): string {
  const points = pointsOf(roundedRing(object, crs));
  const crosses = crs === "wgs84" && points.some(([x]) => x > 180);
  return JSON.stringify({
    type: "Feature",
    geometry: crosses
      ? { type: "MultiPolygon", coordinates: cutAtAntimeridian(points).map((ring) => [ring]) }
      : { type: "Polygon", coordinates: [points] },
    properties: attributesOf(object),
  });
}

type Point = readonly [x: number, y: number];

function pointsOf(ring: Float64Array): readonly Point[] {
  return Array.from({ length: ring.length / 2 }, (_, i): Point => [
    ring[2 * i] ?? 0,
    ring[2 * i + 1] ?? 0,
  ]);
}

/** RFC 7946 §3.1.9: what lies east of 180° becomes a ring of its own, with western longitudes. */
function cutAtAntimeridian(ring: readonly Point[]): readonly (readonly Point[])[] {
  const west = clipped(ring, (x) => 180 - x);
  const east = clipped(ring, (x) => x - 180);
  return [west, east.map(([x, y]): Point => [rounded(x - 360, 12), y])];
}

/** The part of a convex ring where `inside(x)` is not negative. */
function clipped(ring: readonly Point[], inside: (x: number) => number): readonly Point[] {
  const kept: Point[] = [];
  for (let i = 0; i + 1 < ring.length; i++) {
    const from: Point = ring[i] ?? [0, 0];
    const to: Point = ring[i + 1] ?? [0, 0];
    const [a, b] = [inside(from[0]), inside(to[0])];
    if (a >= 0) kept.push(from);
    if (a * b < 0) kept.push([180, rounded(from[1] + ((to[1] - from[1]) * a) / (a - b), 12)]);
  }
  return [...kept, kept[0] ?? [180, 0]];
}

/**
 * GeoJSON, RFC 7946: a FeatureCollection, one feature a line, streamed.
 *
 * Another CRS than WGS84 is written as the `crs` member of the 2008 specification, which GDAL and QGIS still read.
 */
import type { FoundObject } from "../objects.ts";
import { attributesOf, crsUrn, provenance, roundedRing } from "./feature.ts";
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
  const ring = roundedRing(object, crs);
  const coordinates = Array.from({ length: 5 }, (_, i) => [ring[2 * i], ring[2 * i + 1]]);
  return JSON.stringify({
    type: "Feature",
    geometry: { type: "Polygon", coordinates: [coordinates] },
    properties: attributesOf(object),
  });
}

/** GeoJSON text sequences, RFC 8142: each feature between a record separator (0x1E) and a line feed. */
import { featureText } from "./geojson.ts";
import type { Encoder, OutputContext } from "./output.ts";

export function geojsonSeq({ crs }: OutputContext): Encoder {
  return {
    begin: () => "",
    write: (object) => `\u001e${featureText(object, crs)}\n`,
    end: () => [],
  };
}

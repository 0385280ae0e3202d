/** CSV, RFC 4180: attributes, the corners in pixels, and the outline as well-known text. */
import { COLUMNS, attributesOf, rounded, roundedRing } from "./feature.ts";
import type { Encoder, OutputContext } from "./output.ts";

const PIXEL_COLUMNS = ["x1", "y1", "x2", "y2", "x3", "y3", "x4", "y4"].map((name) => `${name}_px`);

export function csv({ crs }: OutputContext): Encoder {
  const header = [...Object.keys(COLUMNS), ...PIXEL_COLUMNS, "wkt"];
  return {
    begin: () => line(header),
    write: (object) => {
      const ring = roundedRing(object, crs);
      return line([
        ...Object.values(attributesOf(object)),
        ...object.corners.map((value) => rounded(value, 6)),
        `POLYGON ((${pairs(ring).join(", ")}))`,
      ]);
    },
    end: () => [],
  };
}

function pairs(ring: Float64Array): readonly string[] {
  return Array.from({ length: ring.length / 2 }, (_, i) => `${ring[2 * i]} ${ring[2 * i + 1]}`);
}

function line(fields: readonly (string | number | undefined)[]): string {
  return `${fields.map((field) => quoted(String(field ?? ""))).join(",")}\r\n`;
}

function quoted(field: string): string {
  return /[",\r\n]/.test(field) ? `"${field.replaceAll('"', '""')}"` : field;
}

/**
 * GeoParquet 1.1: outlines as well-known binary, a `bbox` column that readers may prune by, `geo` metadata.
 *
 * The geometry is a plain BYTE_ARRAY: the newer GEOMETRY logical type is refused by several readers.
 */
import type { SchemaElement } from "hyparquet";
import { ByteWriter, ParquetWriter } from "hyparquet-writer";
import type { FoundObject } from "../objects.ts";
import { widen } from "./extents.ts";
import type { Attributes } from "./feature.ts";
import { COLUMNS, attributesOf, closedRing, cornersIn, extent, provenance } from "./feature.ts";
import type { Encoder, OutputContext } from "./output.ts";
import { projJson } from "./projjson.ts";
import { polygonWkb } from "./wkb.ts";

/** Objects held at once. */
const ROWS_IN_GROUP = 16_384;

const BBOX = ["xmin", "ymin", "xmax", "ymax"] as const;

const PRIMITIVES = {
  string: { type: "BYTE_ARRAY", converted_type: "UTF8" },
  integer: { type: "INT32" },
  real: { type: "DOUBLE" },
} as const;

const SCHEMA: SchemaElement[] = [
  { name: "schema", num_children: Object.keys(COLUMNS).length + 2 },
  ...Object.entries(COLUMNS).map(([name, type]): SchemaElement => ({
    name,
    repetition_type: "OPTIONAL",
    ...PRIMITIVES[type],
  })),
  { name: "bbox", repetition_type: "REQUIRED", num_children: BBOX.length },
  ...BBOX.map((name): SchemaElement => ({ name, type: "DOUBLE", repetition_type: "REQUIRED" })),
  { name: "geometry", type: "BYTE_ARRAY", repetition_type: "REQUIRED" },
];

export function geoparquet(context: OutputContext): Encoder {
  const total = Float64Array.of(Infinity, Infinity, -Infinity, -Infinity);
  const bytes = new ByteWriter(1 << 20);
  const parquet = new ParquetWriter({ writer: bytes, schema: SCHEMA, createdBy: "nadir" });
  let rows: FoundObject[] = [];

  /** What the library has written since the last time. */
  const drain = (): Uint8Array => {
    const written = bytes.getBytes().slice();
    bytes.index = 0;
    return written;
  };
  const writeGroup = async (): Promise<void> => {
    if (rows.length === 0) return;
    await parquet.write({
      columnData: columns(rows, context, total),
      rowGroupSize: ROWS_IN_GROUP,
    });
    rows = [];
  };
  return {
    begin: () => {
      projJson(context); // a CRS that cannot be described is refused before any work
      return drain();
    },
    write: async (object) => {
      rows.push(object);
      if (rows.length < ROWS_IN_GROUP) return "";
      await writeGroup();
      return drain();
    },
    end: async function* () {
      await writeGroup();
      parquet.kvMetadata = [
        { key: "geo", value: JSON.stringify(geoMetadata(context, total)) },
        { key: "nadir", value: JSON.stringify(provenance(context)) },
      ];
      await parquet.finish();
      yield drain();
    },
  };
}

/** The rows as columns; widens `total` by each extent. */
function columns(
  rows: readonly FoundObject[],
  { crs }: OutputContext,
  total: Float64Array,
): { name: string; data: unknown[] }[] {
  const attributes = rows.map(attributesOf);
  const rings = rows.map((object) => closedRing(cornersIn(object, crs)));
  const boxes = rings.map(extent);
  for (const box of boxes) widen(total, box);
  return [
    ...Object.keys(COLUMNS).map((name) => ({
      name,
      data: attributes.map((row) => row[name as keyof Attributes]), // the keys of COLUMNS are those
    })),
    {
      name: "bbox",
      data: boxes.map(([xmin, ymin, xmax, ymax]) => ({ xmin, ymin, xmax, ymax })),
    },
    { name: "geometry", data: rings.map(polygonWkb) },
  ];
}

function geoMetadata(context: OutputContext, total: Float64Array): unknown {
  const crs = projJson(context);
  return {
    version: "1.1.0",
    primary_column: "geometry",
    columns: {
      geometry: {
        encoding: "WKB",
        geometry_types: ["Polygon"],
        orientation: "counterclockwise",
        ...(crs !== undefined && { crs }), // left out: longitude and latitude, OGC:CRS84
        ...(total.every(Number.isFinite) && { bbox: [...total] }),
        covering: { bbox: Object.fromEntries(BBOX.map((name) => [name, ["bbox", name]])) },
      },
    },
  };
}

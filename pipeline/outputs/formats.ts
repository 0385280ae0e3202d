/** Every output format. The keys are the choices of `--format` and of the service. */
import type { CreateEncoder } from "./output.ts";
import { OutputError } from "./output.ts";

export interface Format {
  readonly title: string;
  readonly extension: string;
  readonly mediaType: string;
  /** Absent where only Node can write the format: `openOutput` does. */
  readonly encoder?: () => Promise<CreateEncoder>;
}

export type FormatName =
  | "geojson"
  | "geojson-seq"
  | "gpkg"
  | "parquet"
  | "fgb"
  | "csv"
  | "coco"
  | "yolo"
  | "yolo-obb"
  | "dota"
  | "png"
  | "jpeg";

export const FORMATS: Readonly<Record<FormatName, Format>> = {
  geojson: {
    title: "GeoJSON",
    extension: ".geojson",
    mediaType: "application/geo+json",
    encoder: async () => (await import("./geojson.ts")).geojson,
  },
  "geojson-seq": {
    title: "GeoJSON text sequence",
    extension: ".geojsonl",
    mediaType: "application/geo+json-seq",
    encoder: async () => (await import("./geojson-seq.ts")).geojsonSeq,
  },
  gpkg: {
    title: "GeoPackage",
    extension: ".gpkg",
    mediaType: "application/geopackage+sqlite3",
  },
  parquet: {
    title: "GeoParquet",
    extension: ".parquet",
    mediaType: "application/vnd.apache.parquet",
    encoder: async () => (await import("./geoparquet.ts")).geoparquet,
  },
  fgb: {
    title: "FlatGeobuf",
    extension: ".fgb",
    mediaType: "application/vnd.flatgeobuf",
    encoder: async () => (await import("./flatgeobuf.ts")).flatgeobuf,
  },
  csv: {
    title: "CSV",
    extension: ".csv",
    mediaType: "text/csv",
    encoder: async () => (await import("./csv.ts")).csv,
  },
  coco: {
    title: "COCO",
    extension: ".coco.json",
    mediaType: "application/json",
    encoder: async () => (await import("./coco.ts")).coco,
  },
  yolo: {
    title: "YOLO",
    extension: ".yolo.txt",
    mediaType: "text/plain",
    encoder: async () => (await import("./yolo.ts")).yolo("yolo"),
  },
  "yolo-obb": {
    title: "YOLO, oriented",
    extension: ".yolo-obb.txt",
    mediaType: "text/plain",
    encoder: async () => (await import("./yolo.ts")).yolo("yolo-obb"),
  },
  dota: {
    title: "DOTA",
    extension: ".dota.txt",
    mediaType: "text/plain",
    encoder: async () => (await import("./dota.ts")).dota,
  },
  png: { title: "Annotated PNG", extension: ".png", mediaType: "image/png" },
  jpeg: { title: "Annotated JPEG", extension: ".jpg", mediaType: "image/jpeg" },
};

export const FORMAT_NAMES: readonly FormatName[] = Object.keys(FORMATS) as FormatName[]; // its type says so

const ALIASES: Readonly<Record<string, string>> = {
  json: "geojson",
  geojsonl: "geojson-seq",
  geojsonseq: "geojson-seq",
  geopackage: "gpkg",
  geoparquet: "parquet",
  flatgeobuf: "fgb",
  picture: "png",
  jpg: "jpeg",
};

/** The one name of a format that has several: `.gpkg`, `GeoPackage`, `gpkg`. An unknown name stays as it is. */
export function formatAlias(name: string): string {
  const bare = name.toLowerCase().replace(/^\./, "");
  return ALIASES[bare] ?? bare;
}

/** The format a user names: `gpkg`, `GeoPackage`, `.gpkg`. @throws {OutputError} for an unknown one */
export function formatNamed(name: string): FormatName {
  const known = formatAlias(name);
  if (isFormatName(known)) return known;
  throw new OutputError(
    `format: must be one of ${FORMAT_NAMES.join(", ")}, received ${JSON.stringify(name)}`,
  );
}

function isFormatName(name: string): name is FormatName {
  return Object.hasOwn(FORMATS, name);
}

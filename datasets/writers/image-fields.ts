/** The TIFF tags of one level of a written image. */
import type { Affine } from "../affine.ts";
import type { Crs } from "../crs.ts";
import type { Band, SampleType } from "../scene.ts";
import { PHOTOMETRIC, TAG } from "../readers/tiff/tags.ts";
import type { Field } from "./tiff-directory.ts";

export interface GeoTiffImage {
  readonly width: number;
  readonly height: number;
  readonly sampleType: SampleType;
  /** What the bands show; as many as there are. */
  readonly bands: readonly Band[];
  readonly transform?: Affine | undefined;
  /** A CRS that has an EPSG code. */
  readonly crs?: Pick<Crs, "epsg" | "kind" | "name"> | undefined;
  readonly nodata?: number | undefined;
  /** Side of a tile in pixels, a multiple of 16. @default 512 */
  readonly tileSizePx?: number | undefined;
  /** @default "deflate" */
  readonly compression?: "deflate" | "none" | undefined;
  /** Halved copies, as many as make the smallest fit one tile. @default false */
  readonly overviews?: boolean | undefined;
}

/** A level whose tiles are in the file. */
export interface WrittenLevel {
  readonly width: number;
  readonly height: number;
  readonly offsets: readonly number[];
  readonly byteCounts: readonly number[];
}

const DEFLATE = 8;
const NO_COMPRESSION = 1;
const UNASSOCIATED_ALPHA = 2;

/** Bits and TIFF's SampleFormat of each type. */
const FORMATS = {
  uint8: [8, 1],
  int8: [8, 2],
  uint16: [16, 1],
  int16: [16, 2],
  uint32: [32, 1],
  int32: [32, 2],
  float32: [32, 3],
  float64: [64, 3],
} as const satisfies Record<SampleType, readonly [bits: number, format: number]>;

export function imageFields(
  { sampleType, bands, nodata, tileSizePx = 512, compression = "deflate" }: GeoTiffImage,
  level: WrittenLevel,
  isOverview: boolean,
): readonly Field[] {
  const [bits, format] = FORMATS[sampleType];
  const forEach = (value: number): readonly number[] => bands.map(() => value);
  const isRgb = ["red", "green", "blue"].every((role, index) => bands[index]?.role === role);
  const extra = bands.slice(isRgb ? 3 : 1).map(extraSample);
  const compressed = compression === "deflate" ? DEFLATE : NO_COMPRESSION;
  return [
    { tag: TAG.newSubfileType, type: "long", values: [isOverview ? 1 : 0] },
    { tag: TAG.imageWidth, type: "long", values: [level.width] },
    { tag: TAG.imageLength, type: "long", values: [level.height] },
    { tag: TAG.bitsPerSample, type: "short", values: forEach(bits) },
    { tag: TAG.compression, type: "short", values: [compressed] },
    {
      tag: TAG.photometric,
      type: "short",
      values: [isRgb ? PHOTOMETRIC.rgb : PHOTOMETRIC.minIsBlack],
    },
    { tag: TAG.samplesPerPixel, type: "short", values: [bands.length] },
    { tag: TAG.planarConfiguration, type: "short", values: [1] },
    { tag: TAG.tileWidth, type: "short", values: [tileSizePx] },
    { tag: TAG.tileLength, type: "short", values: [tileSizePx] },
    { tag: TAG.tileOffsets, type: "offset", values: level.offsets },
    { tag: TAG.tileByteCounts, type: "long", values: level.byteCounts },
    ...(extra.length === 0 ? [] : [shorts(TAG.extraSamples, extra)]),
    shorts(TAG.sampleFormat, forEach(format)),
    ...(nodata === undefined ? [] : [nodataField(nodata)]),
  ];
}

function shorts(tag: number, values: readonly number[]): Field {
  return { tag, type: "short", values };
}

function nodataField(nodata: number): Field {
  const text = Number.isNaN(nodata) ? "nan" : String(nodata);
  return { tag: TAG.gdalNodata, type: "ascii", values: text };
}

function extraSample({ role }: Band): number {
  return role === "alpha" ? UNASSOCIATED_ALPHA : 0;
}

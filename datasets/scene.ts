/** A scene: one raster, its bands, and where it lies on the Earth. */
import type { Affine } from "./affine.ts";
import type { Crs } from "./crs.ts";

export { SceneError } from "./scene-error.ts";

/** Element types of a band. */
export type SampleType =
  | "uint8"
  | "int8"
  | "uint16"
  | "int16"
  | "uint32"
  | "int32"
  | "float32"
  | "float64";

export type Samples =
  | Uint8Array
  | Int8Array
  | Uint16Array
  | Int16Array
  | Uint32Array
  | Int32Array
  | Float32Array
  | Float64Array;

/** A rectangle of whole pixels; `x` and `y` are the first column and row. */
export interface Window {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/** What a band shows, by GDAL's names. */
export type ColourRole = "grey" | "red" | "green" | "blue" | "alpha" | "palette" | "undefined";

export interface Band {
  readonly role: ColourRole;
  readonly name?: string | undefined;
}

/** The full resolution (index 0) or an overview. */
export interface Level {
  readonly width: number;
  readonly height: number;
  /** Size of the blocks that are decoded at once. */
  readonly blockWidth: number;
  readonly blockHeight: number;
}

/** A point of the raster whose map coordinates are known. */
export interface GroundControlPoint {
  readonly column: number;
  readonly row: number;
  readonly x: number;
  readonly y: number;
}

/** Pixels of one window: bands apart, rows from top to bottom. */
export interface Pixels {
  readonly width: number;
  readonly height: number;
  readonly bands: readonly Samples[];
  /** 1 where a pixel is data, 0 where it is nodata, masked or transparent; absent where all are data. */
  readonly valid: Uint8Array | undefined;
}

export interface ReadOptions {
  /** Which bands, 0-based, in this order. @default all */
  readonly bands?: readonly number[] | undefined;
  /** Index into {@link Scene.levels}; the window is in that level's pixels. @default 0 */
  readonly level?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

export interface Scene extends AsyncDisposable {
  /** The path or address it was opened from. */
  readonly source: string;
  /** Name of the format: `GeoTIFF`, `PNG`, … */
  readonly format: string;
  /** Changes when the pixels may have changed: bytes, time, header. Keys the resume journal. */
  readonly identity: string;
  readonly width: number;
  readonly height: number;
  readonly sampleType: SampleType;
  readonly bands: readonly Band[];
  /** RGB triples of a palette raster, 256 or 65,536 entries. */
  readonly palette: Uint8Array | undefined;
  /** The declared nodata value, also one that {@link sampleType} cannot hold. */
  readonly nodata: number | undefined;
  /** Pixel to map; undefined where the scene is not georeferenced, or by control points only. */
  readonly transform: Affine | undefined;
  readonly gcps: readonly GroundControlPoint[];
  readonly crs: Crs | undefined;
  /** Full resolution first, then overviews by falling size. */
  readonly levels: readonly Level[];
  /** What a user should know: untiled, no CRS, a tag that was ignored. */
  readonly warnings: readonly string[];
  /**
   * Reads a window that lies inside its level.
   *
   * @throws {SceneError} where the bytes cannot be read or decoded.
   */
  readonly read: (window: Window, options?: ReadOptions) => Promise<Pixels>;
}

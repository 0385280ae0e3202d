/** Where a TIFF lies on the Earth: transform, control points and GeoKeys (OGC 19-008r4, GeoTIFF 1.1). */
import type { Affine } from "../../affine.ts";
import { compose } from "../../affine.ts";
import type { GeoKeys } from "../../crs/geo-keys.ts";
import type { GroundControlPoint } from "../../scene.ts";
import type { Directory } from "./directory.ts";
import { TAG } from "./tags.ts";

export interface Placement {
  readonly transform: Affine | undefined;
  readonly gcps: readonly GroundControlPoint[];
}

const RASTER_TYPE_KEY = 1025;
const PIXEL_IS_POINT = 2;

/**
 * The transform from the outer corner of the first pixel.
 *
 * PixelIsPoint files give the place of a pixel's *centre*: half a pixel is taken off.
 */
export async function readPlacement(directory: Directory, keys: GeoKeys): Promise<Placement> {
  const [scale, ties = [], matrix] = await Promise.all([
    directory.numbers(TAG.modelPixelScale),
    directory.numbers(TAG.modelTiepoint),
    directory.numbers(TAG.modelTransformation),
  ]);
  const isPoint = keys.get(RASTER_TYPE_KEY) === PIXEL_IS_POINT;
  const stored = affineOf(scale, ties, matrix);
  const shift = isPoint ? 0.5 : 0;
  if (stored !== undefined) {
    return { transform: compose(stored, [1, 0, -shift, 0, 1, -shift]), gcps: [] };
  }
  const gcps: GroundControlPoint[] = [];
  for (let at = 0; at + 5 < ties.length; at += 6) {
    const [column = 0, row = 0, , x = 0, y = 0] = ties.slice(at, at + 6);
    gcps.push({ column: column + shift, row: row + shift, x, y });
  }
  return { transform: undefined, gcps };
}

function affineOf(
  scale: readonly number[] | undefined,
  ties: readonly number[],
  matrix: readonly number[] | undefined,
): Affine | undefined {
  const [scaleX = 0, scaleY = 0] = scale ?? [];
  if (scaleX !== 0 && scaleY !== 0 && ties.length >= 6) return fromScale(scaleX, scaleY, ties);
  return matrix !== undefined && matrix.length >= 8 ? fromMatrix(matrix) : undefined;
}

function fromScale(scaleX: number, scaleY: number, ties: readonly number[]): Affine {
  const [column = 0, row = 0, , x = 0, y = 0] = ties;
  const down = -Math.abs(scaleY); // by the standard y falls with the row; some writers sign it
  return [scaleX, 0, x - column * scaleX, 0, down, y - row * down];
}

function fromMatrix(matrix: readonly number[]): Affine {
  const [a = 0, b = 0, , c = 0, d = 0, e = 0, , f = 0] = matrix;
  return [a, b, c, d, e, f];
}

/** Values of the GeoKeys by number: a short, doubles, or a text. */
export async function readGeoKeys(directory: Directory): Promise<GeoKeys> {
  const keys = new Map<number, number | readonly number[] | string>();
  const entries = (await directory.numbers(TAG.geoKeyDirectory)) ?? [];
  const doubles = (await directory.numbers(TAG.geoDoubleParams)) ?? [];
  const text = (await directory.text(TAG.geoAsciiParams)) ?? "";
  for (let at = 4; at + 3 < entries.length && at < 4 + 4 * (entries[3] ?? 0); at += 4) {
    const [key = 0, location, count = 0, value = 0] = entries.slice(at, at + 4);
    if (location === 0) keys.set(key, value);
    else if (location === TAG.geoAsciiParams) {
      keys.set(key, text.slice(value, value + count).replace(/\|$/, ""));
    } else if (location === TAG.geoDoubleParams) {
      const found = doubles.slice(value, value + count);
      keys.set(key, count === 1 ? (found[0] ?? Number.NaN) : found);
    }
  }
  return keys;
}

/** Transform and CRS as GeoTIFF tags (OGC 19-008r4). */
import type { Affine } from "../affine.ts";
import { SceneError } from "../scene-error.ts";
import { TAG } from "../readers/tiff/tags.ts";
import type { GeoTiffImage } from "./image-fields.ts";
import type { Field } from "./tiff-directory.ts";

const MODEL_TYPE = 1024;
const RASTER_TYPE = 1025;
const GEODETIC_CRS = 2048;
const PROJECTED_CRS = 3072;
const PIXEL_IS_AREA = 1;

/** @throws {SceneError} where the CRS has no EPSG code. */
export function geographyFields({ transform, crs }: GeoTiffImage): readonly Field[] {
  const fields: Field[] = transform === undefined ? [] : [...transformFields(transform)];
  if (crs === undefined) return fields;
  if (crs.epsg === undefined) {
    throw new SceneError(
      `writeGeoTiff: the CRS must have an EPSG code, received the user-defined "${crs.name}"`,
    );
  }
  const isGeographic = crs.kind === "geographic";
  const keys = [
    [MODEL_TYPE, isGeographic ? 2 : 1],
    [RASTER_TYPE, PIXEL_IS_AREA],
    [isGeographic ? GEODETIC_CRS : PROJECTED_CRS, crs.epsg],
  ];
  const entries = keys.flatMap(([key = 0, value = 0]) => [key, 0, 1, value]);
  fields.push({
    tag: TAG.geoKeyDirectory,
    type: "short",
    values: [1, 1, 0, keys.length, ...entries],
  });
  return fields;
}

/** Scale and tie point where the image is north-up, else the whole matrix. */
function transformFields([a, b, c, d, e, f]: Affine): readonly Field[] {
  const isNorthUp = b === 0 && d === 0 && a > 0 && e < 0;
  if (!isNorthUp) {
    const matrix = [a, b, 0, c, d, e, 0, f, 0, 0, 0, 0, 0, 0, 0, 1];
    return [{ tag: TAG.modelTransformation, type: "double", values: matrix }];
  }
  return [
    { tag: TAG.modelPixelScale, type: "double", values: [a, -e, 0] },
    { tag: TAG.modelTiepoint, type: "double", values: [0, 0, 0, c, f, 0] },
  ];
}

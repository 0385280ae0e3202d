/** Opens what was dropped, and makes what the page shows of it. */
import {
  apply,
  crsFromEpsg,
  openSceneFromBlob,
  type Scene,
  synthesise,
} from "../../../datasets/index.ts";
import {
  groundResolution,
  pictureSize,
  type PictureSize,
  readBackdrop,
} from "../../../pipeline/index.ts";
import type { Mesh, Sample, SceneOpened } from "../messages.ts";

/** Long side of the picture: what phones can hold as a texture. */
const PICTURE_PX = 2048;
/** By the Gulf of Trieste, as `nadir demo` has it. */
const SAMPLE_PLACE = { epsg: 32_633, x: 400_000, y: 5_050_000, gsdM: 0.5 };

/** @throws {SceneError} where the content is no scene */
export async function openSource(source: File | Sample): Promise<Scene> {
  if (source instanceof File) return openSceneFromBlob(source, source.name);
  const { epsg, x, y, gsdM } = SAMPLE_PLACE;
  const { scene } = synthesise({
    seed: source.seed,
    width: source.sidePx,
    height: source.sidePx,
    gsdM,
    crs: crsFromEpsg(epsg),
    transform: [gsdM, 0, x, 0, -gsdM, y],
  });
  return { ...scene, source: `sample-${source.seed}.tif` };
}

/** What the page must know of a scene, its picture included. */
export async function introduce(scene: Scene): Promise<SceneOpened> {
  const { source, format, width, height, bands, sampleType, crs, warnings } = scene;
  const ground = groundResolution(scene);
  return {
    type: "scene",
    name: source,
    format,
    width,
    height,
    bands: bands.length,
    sampleType,
    crs: crs === undefined ? undefined : crs.epsg === undefined ? crs.name : `EPSG:${crs.epsg}`,
    gsdM: ground && (ground.x + ground.y) / 2,
    warnings,
    picture: await pictureOf(scene, PICTURE_PX),
    mesh: meshOf(scene),
  };
}

/** The scene as a picture of at most `maxSidePx`. */
export async function pictureOf(scene: Scene, maxSidePx: number): Promise<ImageBitmap> {
  const size = pictureSize(scene, maxSidePx);
  return bitmapOf(await readBackdrop(scene, size), size);
}

/** Red, green and blue as a bitmap. */
export function bitmapOf(
  rgb: Uint8Array,
  { width, height }: Pick<PictureSize, "width" | "height">,
): Promise<ImageBitmap> {
  const rgba = new Uint8ClampedArray(4 * width * height).fill(255);
  for (let pixel = 0; pixel < width * height; pixel++) {
    for (let k = 0; k < 3; k++) rgba[4 * pixel + k] = rgb[3 * pixel + k]!;
  }
  return createImageBitmap(new ImageData(rgba, width, height));
}

/** Most cells along a side: beyond that a map shows no difference. */
const MOST_CELLS = 8;

/**
 * The mesh by which a map bends the picture: as fine as needed for its middle to lie within half a pixel of the
 * picture. Undefined without a transform and CRS, and where the projection does not reach every point.
 */
export function meshOf({
  width,
  height,
  transform,
  crs,
}: Pick<Scene, "width" | "height" | "transform" | "crs">): Mesh | undefined {
  if (transform === undefined || crs === undefined) return undefined;
  const at = (u: number, v: number): readonly [number, number] =>
    crs.toLonLat(...apply(transform, u * width, v * height));
  const meshed = (cells: number): Mesh => {
    const side = cells + 1;
    const points = Array.from({ length: side * side }, (_, i) =>
      at((i % side) / cells, Math.floor(i / side) / cells),
    );
    return { cells, lonLat: Float64Array.from(points.flat()) };
  };
  try {
    for (let cells = 1; ; cells *= 2) {
      const mesh = meshed(cells);
      if (!mesh.lonLat.every(Number.isFinite) || beyondMercator(mesh.lonLat)) return undefined;
      if (cells >= MOST_CELLS || bend(mesh, at) < 0.5 / PICTURE_PX) return mesh;
    }
  } catch {
    return undefined; // the projection has no answer here: the plain viewer shows the scene
  }
}

/** How far the middle of a cell lies from where straight edges put it, as a share of the scene's extent. */
function bend({ cells, lonLat }: Mesh, at: (u: number, v: number) => readonly number[]): number {
  const side = cells + 1;
  const point = (column: number, row: number): readonly [number, number] => {
    const i = 2 * (row * side + column);
    return [lonLat[i]!, lonLat[i + 1]!];
  };
  const [first, last] = [point(0, 0), point(cells, cells)];
  const extent = Math.hypot(last[0] - first[0], last[1] - first[1]);
  const middle = at(0.5 / cells, 0.5 / cells);
  const corners = [point(0, 0), point(1, 0), point(0, 1), point(1, 1)];
  const [x, y] = [0, 1].map((k) => corners.reduce((sum, p) => sum + p[k]!, 0) / 4);
  return Math.hypot(middle[0]! - x!, middle[1]! - y!) / extent;
}

/** Latitudes that a web map cannot show. */
const beyondMercator = (lonLat: Float64Array): boolean =>
  lonLat.some((value, i) => i % 2 === 1 && Math.abs(value) > 85);

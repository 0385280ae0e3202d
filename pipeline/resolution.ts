/** Ground resolution: what a pixel of the scene measures, what the model wants, and the grid that follows. */
import { apply, type Scene } from "../datasets/index.ts";
import type { ModelCard } from "../models/index.ts";
import type { WorkingGrid } from "./tiles.ts";

/** Metres on the ground along a row (`x`) and down a column (`y`), for one pixel. */
export interface GroundResolution {
  readonly x: number;
  readonly y: number;
}

/** How the scene is brought to the model's resolution. */
export interface Resampling {
  readonly scaleX: number;
  readonly scaleY: number;
  /** Resolution of the scene as it is; undefined where it is not known. */
  readonly raster: GroundResolution | undefined;
  /** One line for the user. */
  readonly message: string;
  /** True where scene and model could not be compared. */
  readonly unknown: boolean;
}

/** The scene and the model differ by more than a resampling can bridge. */
export class ResolutionError extends RangeError {
  override readonly name = "ResolutionError";
  readonly code = "ERR_RESOLUTION";
}

/** Factor beyond which resampling is refused: nothing of the objects is left, or it is all invented. */
export const MAX_RESAMPLING = 8;
/** Within this share of the model's range no resampling is worth its blur. */
const TOLERANCE = 0.05;
/** Pixels whose sides differ by less than this are called square. */
const SQUARE = 0.02;

/**
 * Measures a pixel at the centre of the scene: geodesic lengths, so it holds for degrees, feet and for Web Mercator,
 * whose metres are no metres. Undefined without transform and CRS, and where the CRS does not reach the scene.
 */
export function groundResolution(
  scene: Pick<Scene, "width" | "height" | "transform" | "crs">,
): GroundResolution | undefined {
  const { transform, crs, width, height } = scene;
  if (transform === undefined || crs === undefined) return undefined;
  // A stretch of up to 100 px: a single pixel drowns in the rounding of the projection.
  const across = (dx: number, dy: number): number => {
    const at = (sign: number) =>
      crs.toLonLat(...apply(transform, width / 2 + sign * dx, height / 2 + sign * dy));
    return distanceM(at(-1), at(1)) / (2 * Math.hypot(dx, dy));
  };
  try {
    const x = across(Math.min(width, 100) / 2, 0);
    const y = across(0, Math.min(height, 100) / 2);
    return x > 0 && y > 0 && Number.isFinite(x * y) ? { x, y } : undefined;
  } catch {
    return undefined; // the projection has no answer here: as good as no CRS
  }
}

/** Length of a short line on the WGS84 ellipsoid, by its radii of curvature at the middle. */
function distanceM(
  [lonA, latA]: readonly [number, number],
  [lonB, latB]: readonly [number, number],
): number {
  const radians = Math.PI / 180;
  const [a, e2] = [6378137, 0.00669437999014];
  const sin = Math.sin(((latA + latB) / 2) * radians);
  const w = 1 - e2 * sin * sin;
  const turn = ((((lonB - lonA) % 360) + 540) % 360) - 180;
  const east = (a / Math.sqrt(w)) * Math.sqrt(1 - sin * sin) * turn * radians;
  const north = ((a * (1 - e2)) / w ** 1.5) * (latB - latA) * radians;
  return Math.hypot(east, north);
}

export interface ResamplingOptions {
  /** Metres per pixel of the scene, where the user knows better than the file. */
  readonly rasterGsdM?: number | undefined;
  /** Allows more than {@link MAX_RESAMPLING}. @default false */
  readonly force?: boolean | undefined;
}

/**
 * Compares the scene's ground resolution with the range the model was trained at. Inside the range nothing is
 * resampled (unless pixels are not square on the ground); outside it, to the nearer end of the range.
 *
 * @throws {ResolutionError} beyond a factor of 8, unless forced.
 */
export function chooseResampling(
  scene: Pick<Scene, "width" | "height" | "transform" | "crs">,
  gsdM: ModelCard["gsdM"],
  { rasterGsdM, force = false }: ResamplingOptions = {},
): Resampling {
  const raster =
    rasterGsdM === undefined ? groundResolution(scene) : { x: rasterGsdM, y: rasterGsdM };
  const model = gsdM === undefined ? "unknown" : range(gsdM);
  const line = `gsd: raster ${raster === undefined ? "unknown" : pixel(raster)}, model ${model}`;
  if (raster === undefined || gsdM === undefined) {
    return { scaleX: 1, scaleY: 1, raster, message: `${line} → not resampled`, unknown: true };
  }
  const { scaleX, scaleY } = scaleTo(raster, gsdM);
  if (scaleX === 1 && scaleY === 1) {
    return { scaleX, scaleY, raster, message: `${line} → not resampled`, unknown: false };
  }
  const factor = Math.max(scaleX, scaleY, 1 / scaleX, 1 / scaleY);
  if (factor > MAX_RESAMPLING && !force) {
    throw new ResolutionError(
      `chooseResampling: scene and model must lie within a factor of ${MAX_RESAMPLING} of each other, received ${line.slice(5)} (a factor of ${digits(factor)}); set sceneGsdM if the scene's is wrong, or forceGsd`,
    );
  }
  const by = same(scaleX, scaleY) ? digits(scaleX) : `${digits(scaleX)} by ${digits(scaleY)}`;
  return { scaleX, scaleY, raster, message: `${line} → resampling ×${by}`, unknown: false };
}

function scaleTo(
  { x, y }: GroundResolution,
  { from, to }: { readonly from: number; readonly to: number },
): { readonly scaleX: number; readonly scaleY: number } {
  const own = Math.sqrt(x * y);
  const inside = own >= from * (1 - TOLERANCE) && own <= to * (1 + TOLERANCE);
  if (inside && same(x, y)) return { scaleX: 1, scaleY: 1 };
  const target = inside ? own : Math.min(Math.max(own, from), to);
  return { scaleX: x / target, scaleY: y / target };
}

const same = (a: number, b: number): boolean => Math.abs(a / b - 1) < SQUARE;

/** Two decimals, or two significant digits where that says more. */
const digits = (v: number): string => (v >= 0.1 ? v.toFixed(2) : v.toPrecision(2));

const pixel = ({ x, y }: GroundResolution): string =>
  same(x, y) ? `${digits(Math.sqrt(x * y))} m` : `${digits(x)} × ${digits(y)} m`;

const range = ({ from, to }: { readonly from: number; readonly to: number }): string =>
  digits(from) === digits(to) ? `${digits(from)} m` : `${digits(from)}–${digits(to)} m`;

/** The grid of a scene scaled by about these factors; its edges are the scene's own. */
export function workingGrid(
  scene: Pick<Scene, "width" | "height">,
  scaleX: number,
  scaleY: number = scaleX,
): WorkingGrid {
  const width = Math.max(1, Math.round(scene.width * scaleX));
  const height = Math.max(1, Math.round(scene.height * scaleY));
  return { width, height, scaleX: width / scene.width, scaleY: height / scene.height };
}

/** The coarsest level that has at least the grid's pixels, so that nothing is enlarged that need not be. */
export function chooseLevel(scene: Pick<Scene, "levels">, grid: WorkingGrid): number {
  const enough = (level: { readonly width: number; readonly height: number }): boolean =>
    level.width >= grid.width * 0.99 && level.height >= grid.height * 0.99;
  return Math.max(0, scene.levels.findLastIndex(enough));
}

/** All that is decided about a scene before its first tile is read. */
import type { Scene, Window } from "../datasets/index.ts";
import type { ModelCard } from "../models/index.ts";
import { type AreaOfInterest, areaOfInterest } from "./area.ts";
import { chooseBands } from "./bands.ts";
import { fitInput, type Preprocessing } from "./preprocess.ts";
import {
  chooseLevel,
  chooseResampling,
  type GroundResolution,
  type Resampling,
  workingGrid,
} from "./resolution.ts";
import type { DetectSettings } from "./settings.ts";
import { SettingsError } from "./settings/settings-error.ts";
import { decideStretch } from "./stretch.ts";
import { planTiles, type TilePlan, type WorkingGrid } from "./tiles.ts";

/** The scene at one resolution: a grid, and the level its pixels are read from. */
export interface View {
  readonly grid: WorkingGrid;
  /** Index into the scene's levels. */
  readonly level: number;
}

/** A further look at the scene, at another scale. */
export interface Look extends View {
  /** Its working pixels per working pixel of the tiles. */
  readonly scale: number;
  readonly tiles: TilePlan;
  readonly preprocessing: Preprocessing;
}

export interface ScenePlan extends View {
  readonly tiles: TilePlan;
  /** Tiles left out because they lie outside the area of interest. */
  readonly outside: number;
  readonly area: AreaOfInterest | undefined;
  readonly resampling: Resampling;
  readonly preprocessing: Preprocessing;
  /** Tiles in one run of the model. */
  readonly batch: number;
  readonly nodata: number | "none" | undefined;
  /** The whole scene shrunk to one tile, where that was asked for and is not what the tiles are anyway. */
  readonly whole: View | undefined;
  readonly looks: readonly Look[];
  readonly warnings: readonly string[];
}

/**
 * Decides resolution, tiles, bands and stretch. Reads pixels only where the stretch needs statistics.
 *
 * @throws {SettingsError} where settings do not fit scene or model
 * @throws {ResolutionError} where scene and model lie too far apart in ground resolution
 */
export async function planScene(
  scene: Scene,
  card: ModelCard,
  settings: DetectSettings,
  { signal }: { readonly signal?: AbortSignal | undefined } = {},
): Promise<ScenePlan> {
  const { input } = card;
  const resampling = chooseResampling(scene, wantedGsd(card, settings), {
    rasterGsdM: settings.sceneGsdM,
    force: settings.forceGsd,
  });
  const { scaleX, scaleY } = resampling;
  const fit = fitInput(input, settings.tilePx);
  const grid = workingGrid(scene, scaleX * fit.zoom, scaleY * fit.zoom);
  const area = settings.aoi === undefined ? undefined : areaOfInterest(settings.aoi, scene);
  const tiles = tilesOf(grid, fit.tile, Math.round(settings.overlapPx * fit.zoom), area);
  const bands = chooseBands(scene, input.channels, settings.bands);
  const { nodata } = settings;
  const stretch = await decideStretch(scene, bands, settings.stretch, { nodata, signal });
  const shrunk = Math.min(fit.tile.width / scene.width, fit.tile.height / scene.height);
  const whole =
    settings.fullPass && tiles.plan.tiles.length > 1 ? workingGrid(scene, shrunk) : undefined;
  const levelFor = (of: WorkingGrid): number =>
    bands.how === "palette" ? 0 : chooseLevel(scene, of);
  const preprocessing = { input, fit, bands, stretch };
  const look = (scale: number): Look => {
    const zoom = fit.zoom * scale;
    const at = workingGrid(scene, scaleX * zoom, scaleY * zoom);
    const { plan } = tilesOf(at, fit.tile, Math.round(settings.overlapPx * fit.zoom), area);
    const gsdM = workingGsd(resampling.raster, at);
    return {
      scale,
      grid: at,
      level: levelFor(at),
      tiles: plan,
      preprocessing: { ...preprocessing, gsdM },
    };
  };
  return {
    grid,
    level: levelFor(grid),
    tiles: tiles.plan,
    outside: tiles.outside,
    area,
    resampling,
    preprocessing: { ...preprocessing, gsdM: workingGsd(resampling.raster, grid) },
    batch: input.batch ?? settings.batch,
    nodata,
    whole: whole && { grid: whole, level: levelFor(whole) },
    looks: settings.scales.filter((scale) => scale !== 1).map(look),
    warnings: [...scene.warnings, ...(bands.warning === undefined ? [] : [bands.warning])],
  };
}

/** Metres per working pixel, the mean of both directions. */
const workingGsd = (
  raster: GroundResolution | undefined,
  { scaleX, scaleY }: WorkingGrid,
): number | undefined => raster && Math.sqrt((raster.x / scaleX) * (raster.y / scaleY));

function wantedGsd(card: ModelCard, { gsdM }: DetectSettings): ModelCard["gsdM"] {
  if (gsdM === undefined) return card.gsdM;
  return gsdM === "scene" ? undefined : { from: gsdM, to: gsdM };
}

function tilesOf(
  grid: WorkingGrid,
  sizePx: { readonly width: number; readonly height: number },
  overlapPx: number,
  area: AreaOfInterest | undefined,
): { readonly plan: TilePlan; readonly outside: number } {
  if (overlapPx >= Math.min(sizePx.width, sizePx.height)) {
    throw new SettingsError(
      `planScene: overlapPx must be less than the tile, which the model makes ${sizePx.width} × ${sizePx.height} px, received ${overlapPx}`,
    );
  }
  if (area === undefined) return { plan: planTiles(grid, { sizePx, overlapPx }), outside: 0 };
  let outside = 0;
  const keeps = (window: Window): boolean => {
    const touches = area.touches(toScenePixels(window, grid));
    if (!touches) outside++;
    return touches;
  };
  return { plan: planTiles(grid, { sizePx, overlapPx, keeps }), outside };
}

const toScenePixels = (w: Window, { scaleX, scaleY }: WorkingGrid): Window => ({
  x: w.x / scaleX,
  y: w.y / scaleY,
  width: w.width / scaleX,
  height: w.height / scaleY,
});

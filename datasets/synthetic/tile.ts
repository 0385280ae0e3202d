/**
 * Synthetic imagery for training and tests: seeded places seen from above, with exact oriented boxes of everything in
 * them that is an object.
 */
import type { LabelledObject } from "../labels/labels.ts";
import type { Pixels } from "../scene.ts";
import type { Light } from "./brush.ts";
import { rectangle } from "./brush.ts";
import { type Canvas, createCanvas, paint } from "./canvas.ts";
import { type Dice, diceOf, weighted } from "./dice.ts";
import { hash } from "./noise.ts";
import { buildAirport } from "./places/airport.ts";
import { buildIndustry } from "./places/industry.ts";
import { buildCarPark, buildCountry, buildTown } from "./places/town.ts";
import { buildHarbour, buildSea } from "./places/water.ts";
import { drawSensor, expose } from "./sensor.ts";
import { type Area, createEnsemble, type Site } from "./site.ts";

export const SYNTHETIC_PLACES = [
  "sea",
  "harbour",
  "airport",
  "town",
  "car-park",
  "industry",
  "country",
] as const;
export type SyntheticPlace = (typeof SYNTHETIC_PLACES)[number];

interface PlaceKind {
  /** How often it comes. */
  readonly weight: number;
  readonly build: (site: Site) => void;
}

const PLACES: Readonly<Record<SyntheticPlace, PlaceKind>> = {
  sea: { weight: 3, build: buildSea },
  harbour: { weight: 3, build: buildHarbour },
  airport: { weight: 4, build: buildAirport },
  town: { weight: 3, build: buildTown },
  "car-park": { weight: 2, build: buildCarPark },
  industry: { weight: 3, build: buildIndustry },
  country: { weight: 2, build: buildCountry },
};

export interface SyntheticTileOptions {
  /** A whole number; the same options give the same tile. */
  readonly seed: number;
  readonly sizePx: number;
  /** Metres per pixel. @default drawn from 0.12…1.2 */
  readonly gsdM?: number | undefined;
  /** @default drawn; a tile of more than some 700 m shows several */
  readonly place?: SyntheticPlace | undefined;
  /** Beyond it parks and streets stay empty. @default 200 for 640 × 640 px, in proportion for more */
  readonly objectsAtMost?: number | undefined;
}

export interface SyntheticTile {
  /** Red, green and blue, 8 bit. */
  readonly pixels: Pixels;
  readonly gsdM: number;
  /**
   * All that shows, in pixels; `classIndex` counts in `SYNTHETIC_CLASSES`. What the edge cuts is given whole, with corners
   * beyond the tile: `cropLabels` cuts it. What is too small to be seen at this resolution is not there.
   */
  readonly objects: readonly LabelledObject[];
}

/** Metres over which a place reaches at most. */
const MOST_PLACE_M = 600;

/** Makes a tile, in tens of milliseconds for 640 × 640 px (`test/bench/synthetic.bench.ts`). */
export function synthesiseTile(options: SyntheticTileOptions): SyntheticTile {
  const { seed, sizePx } = options;
  if (!Number.isInteger(sizePx) || sizePx < 8) {
    throw new RangeError(
      `synthesiseTile: sizePx must be a whole number from 8 on, received ${sizePx}`,
    );
  }
  const dice = diceOf(hash(seed, sizePx, 5));
  const drawn = 0.12 * 10 ** dice.between(0, 1);
  const { gsdM = drawn } = options;
  if (!(gsdM > 0)) throw new RangeError(`synthesiseTile: gsdM must be above 0, received ${gsdM}`);
  const canvas = canvasOf(sizePx);
  const { objectsAtMost = 200 * Math.max(1, (sizePx / 640) ** 2) } = options;
  const ensemble = createEnsemble(canvas, drawLight(dice, gsdM), { gsdM, objectsAtMost });
  const whole = { x1: 0, y1: 0, x2: sizePx, y2: sizePx };
  const areas = options.place === undefined ? divide(whole, MOST_PLACE_M / gsdM, dice) : [whole];
  for (const area of areas) {
    const site = ensemble.siteIn(area, dice, dice.between(0, Math.PI * 2));
    PLACES[options.place ?? drawPlace(dice)].build(site);
  }
  if (areas.length > 1) drawSeams(canvas, areas, gsdM);
  ensemble.draw();
  const pixels = expose(canvas, drawSensor(dice), hash(seed, 3, 3));
  return { pixels, gsdM, objects: ensemble.labels() };
}

let kept: Canvas | undefined;

/** The last tile's canvas where it fits, wiped: where places meet, what lies below a pixel's share still shows through. */
function canvasOf(sizePx: number): Canvas {
  if (kept?.width !== sizePx) kept = createCanvas(sizePx, sizePx);
  for (const band of kept.bands) band.fill(0);
  return kept;
}

function drawPlace(dice: Dice): SyntheticPlace {
  const named = (name: SyntheticPlace) => ({ name, weight: PLACES[name].weight });
  const [first, ...more] = SYNTHETIC_PLACES;
  return weighted(dice, [named(first), ...more.map(named)]).name;
}

/** Sun from anywhere, 22 to 70 degrees high; on some days behind clouds. */
function drawLight(dice: Dice, gsdM: number): Light {
  const [azimuth, height] = [dice.between(0, Math.PI * 2), dice.between(0.38, 1.22)];
  const thrown = 1 / Math.tan(height) / gsdM;
  const left = dice.chance(0.15) ? dice.between(0.8, 0.95) : dice.between(0.36, 0.62);
  return {
    dx: Math.cos(azimuth) * thrown,
    dy: Math.sin(azimuth) * thrown,
    left: [left, left * 1.03, Math.min(1, left * 1.1)],
  };
}

/** Cuts an area until no part is longer than `most` pixels. */
function divide(area: Area, most: number, dice: Dice): readonly Area[] {
  const [wide, high] = [area.x2 - area.x1, area.y2 - area.y1];
  if (Math.max(wide, high) <= most * 1.2) return [area];
  const share = dice.between(0.38, 0.62);
  if (wide >= high) {
    const at = Math.round(area.x1 + wide * share);
    return [
      { ...area, x2: at },
      { ...area, x1: at },
    ].flatMap((half) => divide(half, most, dice));
  }
  const at = Math.round(area.y1 + high * share);
  return [
    { ...area, y2: at },
    { ...area, y1: at },
  ].flatMap((half) => divide(half, most, dice));
}

/** An embankment between two places. */
function drawSeams(canvas: Canvas, areas: readonly Area[], gsdM: number): void {
  const half = 2.5 / gsdM;
  const seams = areas.flatMap(({ x1, y1, x2, y2 }) => [
    rectangle(x1 - half, y1, x1 + half, y2),
    rectangle(x1, y1 - half, x2, y1 + half),
  ]);
  paint(canvas, seams, { colour: [132, 128, 112], patches: 0.15, grain: 0.08 });
}

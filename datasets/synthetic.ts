/**
 * Seeded scenes with exact labels: sea, fields and aprons seen by a noisy sensor, with ships, vehicles and tanks.
 * A pixel is a pure function of the seed and its place, so a scene of any size costs no memory.
 */
import type { Affine } from "./affine.ts";
import type { OrientedBoxes } from "./boxes.ts";
import type { Crs } from "./crs.ts";
import type { Pixels, ReadOptions, Scene, Window } from "./scene.ts";
import { checkRequest } from "./readers/request.ts";
import { hash, NORMAL, smooth, smoothWindow } from "./synthetic/noise.ts";
import {
  cellSize,
  DEFAULT_CLASSES,
  distance,
  type Ground,
  objectIn,
  type Placing,
  type SyntheticClass,
  type TrueObject,
} from "./synthetic/objects.ts";

export type { SyntheticClass, TrueObject } from "./synthetic/objects.ts";

export interface SyntheticOptions {
  /** A whole number; the same seed gives the same scene. */
  readonly seed: number;
  readonly width: number;
  readonly height: number;
  /** Metres per pixel. @default 0.5 */
  readonly gsdM?: number | undefined;
  /** @default ships at sea, vehicles on land, tanks on aprons */
  readonly classes?: readonly SyntheticClass[] | undefined;
  /** Standard deviation of the sensor's noise, of 255. @default 4 */
  readonly noise?: number | undefined;
  readonly transform?: Affine | undefined;
  readonly crs?: Crs | undefined;
}

export interface SyntheticLabels {
  readonly classes: readonly string[];
  readonly objects: readonly TrueObject[];
  /** The corners of each object's box, clockwise on the screen. */
  readonly boxes: OrientedBoxes<"scene">;
}

export interface Synthetic {
  /** RGB, 8 bit. */
  readonly scene: Scene;
  readonly labels: SyntheticLabels;
}

/** Red, green, blue and the swing of the texture. */
const COLOURS: Readonly<Record<Ground, readonly [number, number, number, number]>> = {
  sea: [28, 52, 70, 10],
  field: [96, 112, 70, 26],
  apron: [128, 126, 122, 12],
};
/** Pixels over which the ground changes its kind. */
const LAND_PERIOD_PX = 700;
const TEXTURE_PERIOD_PX = 24;

const groundOf = (land: number): Ground => (land < 0.45 ? "sea" : land < 0.55 ? "field" : "apron");

/** Makes a scene and says what is in it. */
export function synthesise(options: SyntheticOptions): Synthetic {
  const { seed, width, height, gsdM = 0.5, classes = DEFAULT_CLASSES, noise = 4 } = options;
  const cellPx = cellSize(classes, gsdM);
  const groundAt = (x: number, y: number): Ground =>
    groundOf(smooth(seed + 1, x, y, LAND_PERIOD_PX));
  const placing: Placing = { seed, gsdM, classes, cellPx, groundAt };
  const [columns, rows] = [Math.floor(width / cellPx), Math.floor(height / cellPx)];
  const objectAt = (column: number, row: number): TrueObject | undefined =>
    column < 0 || row < 0 || column >= columns || row >= rows
      ? undefined
      : objectIn(placing, column, row);

  const draw = (window: Window): Pixels => {
    const bands = [0, 1, 2].map(() => new Uint8Array(window.width * window.height));
    drawGround(bands, window, seed);
    const end = {
      column: (window.x + window.width) / cellPx,
      row: (window.y + window.height) / cellPx,
    };
    for (let row = Math.floor(window.y / cellPx); row < end.row; row++) {
      for (let column = Math.floor(window.x / cellPx); column < end.column; column++) {
        const object = objectAt(column, row);
        if (object !== undefined) drawObject(bands, window, object, classes);
      }
    }
    addNoise(bands, window, seed, noise);
    return { width: window.width, height: window.height, bands, valid: undefined };
  };

  const cells = Array.from({ length: columns * rows }, (_, i) =>
    objectAt(i % columns, Math.floor(i / columns)),
  );
  const objects = cells.filter((object) => object !== undefined);
  return { scene: sceneOf(options, draw), labels: labelsOf(objects, classes) };
}

function sceneOf(options: SyntheticOptions, draw: (window: Window) => Pixels): Scene {
  const { seed, width, height, transform, crs } = options;
  const levels = [{ width, height, blockWidth: width, blockHeight: 1 }];
  const bands = [{ role: "red" }, { role: "green" }, { role: "blue" }] as const;
  const source = "synthetic";
  return {
    source,
    format: "synthetic",
    identity: `synthetic:${JSON.stringify({ ...options, crs: crs?.name, seed })}`,
    width,
    height,
    sampleType: "uint8",
    bands,
    palette: undefined,
    nodata: undefined,
    transform,
    gcps: [],
    crs,
    levels,
    warnings: [],
    read: async (window: Window, request: ReadOptions = {}) => {
      const chosen = checkRequest({ source, levels, bands }, window, request);
      const pixels = draw(window);
      return { ...pixels, bands: chosen.bands.flatMap((i) => pixels.bands.slice(i, i + 1)) };
    },
    [Symbol.asyncDispose]: async () => {},
  };
}

function labelsOf(
  objects: readonly TrueObject[],
  classes: readonly SyntheticClass[],
): SyntheticLabels {
  const corners = Float64Array.from(objects.flatMap(cornersOf));
  return {
    classes: classes.map(({ name }) => name),
    objects,
    boxes: { kind: "oriented", frame: "scene", corners },
  };
}

function cornersOf({ x, y, lengthPx, widthPx, angle }: TrueObject): number[] {
  const [ax, ay] = [(Math.cos(angle) * lengthPx) / 2, (Math.sin(angle) * lengthPx) / 2];
  const [bx, by] = [(-Math.sin(angle) * widthPx) / 2, (Math.cos(angle) * widthPx) / 2];
  const signs = [
    [-1, -1],
    [1, -1],
    [1, 1],
    [-1, 1],
  ] as const;
  return signs.flatMap(([a, b]) => [x + a * ax + b * bx, y + a * ay + b * by]);
}

function drawGround(bands: readonly Uint8Array[], window: Window, seed: number): void {
  const land = smoothWindow(seed + 1, window, LAND_PERIOD_PX);
  const texture = smoothWindow(seed + 2, window, TEXTURE_PERIOD_PX);
  bands.forEach((band, k) => {
    for (let i = 0; i < band.length; i++) {
      const colour = COLOURS[groundOf(land[i]!)];
      band[i] = colour[k]! + (texture[i]! - 0.5) * colour[3];
    }
  });
}

function drawObject(
  bands: readonly Uint8Array[],
  { x, y, width, height }: Window,
  object: TrueObject,
  classes: readonly SyntheticClass[],
): void {
  const shape = classes[object.classIndex]?.shape ?? "rectangle";
  const reach = Math.hypot(object.lengthPx, object.widthPx) / 2 + 1;
  const clip = (v: number, most: number): number => Math.min(Math.max(v, 0), most);
  const [left, right] = [object.x - reach, object.x + reach].map((v) =>
    clip(Math.ceil(v - x), width),
  );
  const [top, bottom] = [object.y - reach, object.y + reach].map((v) =>
    clip(Math.ceil(v - y), height),
  );
  for (let row = top!; row < bottom!; row++) {
    for (let column = left!; column < right!; column++) {
      const outside = distance(object, shape, x + column + 0.5, y + row + 0.5);
      const cover = clip(0.5 - outside, 1);
      if (cover === 0) continue;
      const i = row * width + column;
      for (const band of bands) band[i] = band[i]! + cover * (object.brightness - band[i]!);
    }
  }
}

function addNoise(
  bands: readonly Uint8Array[],
  { x, y, width, height }: Window,
  seed: number,
  deviation: number,
): void {
  for (let row = 0, i = 0; row < height; row++) {
    for (let column = 0; column < width; column++, i++) {
      let bits = hash(seed + 3, x + column, y + row);
      for (const band of bands) {
        const v = band[i]! + NORMAL[bits & 1023]! * deviation;
        band[i] = v > 0 ? (v < 255 ? v : 255) : 0;
        bits >>>= 10;
      }
    }
  }
}

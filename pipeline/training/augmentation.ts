/**
 * Augmentation: what the sensor, the sun and the flight line could have changed.
 *
 * A tile is cut out of an image at a random place and ground resolution, turned by right angles, mirrored, and its colours
 * changed; some tiles are mosaics of four. Overhead imagery has no up, so every right-angle turn is as likely as any.
 */
import type { Labels } from "./labels.ts";
import { joinLabels, turnLabels } from "./labels.ts";
import type { TrainingImage, TrainingTile } from "./sample.ts";
import type { Random } from "./random.ts";
import { cutTile } from "./cut.ts";

export interface AugmentationOptions {
  /** Side of the tile. */
  readonly sizePx: number;
  /** Tile pixels per image pixel, drawn evenly on a logarithmic scale. @default [0.5, 2] */
  readonly scale?: readonly [from: number, to: number];
  /** Share of tiles that are mosaics of four. @default 0.25 */
  readonly mosaic?: number;
  /** Largest change of brightness, contrast and the balance of channels, as a share. @default 0.25 */
  readonly colour?: number;
}

/** Draws images for a mosaic. */
export type Draw = (random: Random) => Promise<TrainingImage>;

/** One augmented tile of `image`. */
export async function augment(
  image: TrainingImage,
  draw: Draw,
  random: Random,
  options: AugmentationOptions,
): Promise<TrainingTile> {
  const { sizePx, mosaic = 0.25, colour = 0.25 } = options;
  const tile = random.chance(mosaic)
    ? await mosaicOf(image, draw, random, options)
    : randomCut(image, sizePx, random, options);
  const turned = turn(tile, random.below(4), random.chance(0.5));
  changeColours(turned.pixels, random, colour);
  return turned;
}

function randomCut(
  image: TrainingImage,
  sizePx: number,
  random: Random,
  { scale: [from, to] = [0.5, 2] }: AugmentationOptions,
): TrainingTile {
  const scale = from * (to / from) ** random.next();
  const { width, height } = image.pixels;
  // Most tiles are centred near an object, so that sparse images teach as much as crowded ones.
  const aim = random.chance(0.7) ? anObject(image.labels, random) : undefined;
  const place = (extent: number, at: number | undefined): number => {
    const room = Math.round(extent * scale) - sizePx;
    if (room <= 0) return Math.round(room * random.next());
    const start =
      at === undefined ? room * random.next() : at * scale - sizePx * random.between(0.2, 0.8);
    return Math.round(Math.min(Math.max(start, 0), room));
  };
  return cutTile(image, { x: place(width, aim?.[0]), y: place(height, aim?.[1]), scale, sizePx });
}

function anObject(
  { xyxy, classes }: Labels,
  random: Random,
): readonly [x: number, y: number] | undefined {
  if (classes.length === 0) return undefined;
  const i = 4 * random.below(classes.length);
  const middle = (a: number, b: number): number => ((xyxy[i + a] ?? 0) + (xyxy[i + b] ?? 0)) / 2;
  return [middle(0, 2), middle(1, 3)];
}

/** Four tiles of half the side. All must agree on what is labelled: a class counts only where all four label it. */
async function mosaicOf(
  image: TrainingImage,
  draw: Draw,
  random: Random,
  options: AugmentationOptions,
): Promise<TrainingTile> {
  const half = options.sizePx / 2;
  const parts = [randomCut(image, half, random, options)];
  while (parts.length < 4) {
    const other = await draw(random);
    parts.push(randomCut(other, half, random, options));
  }
  return joinTiles(parts, options.sizePx);
}

/** Puts four tiles of half the side beside each other, row by row. */
export function joinTiles(parts: readonly TrainingTile[], sizePx: number): TrainingTile {
  const half = sizePx / 2;
  const pixels = new Float32Array(3 * sizePx * sizePx);
  const corner = (i: number) => [(i % 2) * half, Math.floor(i / 2) * half] as const;
  for (const [i, part] of parts.entries()) {
    const [x0, y0] = corner(i);
    for (let row = 0; row < 3 * half; row++) {
      const [c, y] = [Math.floor(row / half), row % half];
      const from = part.pixels.subarray(row * half, (row + 1) * half);
      pixels.set(from, (c * sizePx + y0 + y) * sizePx + x0);
    }
  }
  const labelled = (parts[0]?.labelled ?? new Uint8Array()).map((_, k) =>
    Math.min(...parts.map((p) => p.labelled[k] ?? 0)),
  );
  return {
    sizePx,
    pixels,
    labels: joinLabels(parts.map(({ labels }, i) => [labels, corner(i)])),
    labelled,
    gsdM: undefined,
  };
}

/** Turns a tile clockwise by `quarters` right angles, after mirroring it left to right where asked. */
export function turn(tile: TrainingTile, quarters: number, mirror: boolean): TrainingTile {
  const { sizePx: n, pixels } = tile;
  const out = new Float32Array(pixels.length);
  const at = (x: number, y: number): number => {
    const [tx, ty] = turned(n - 1, x, y, quarters, mirror);
    return ty * n + tx;
  };
  // Where the first pixel goes, and how far it is from there to where its neighbours go.
  const [first, right, below] = [at(0, 0), at(1, 0) - at(0, 0), at(0, 1) - at(0, 0)];
  for (let row = 0, from = 0; row < 3 * n; row++) {
    const [c, y] = [Math.floor(row / n), row % n];
    let to = c * n * n + first + y * below;
    for (let x = 0; x < n; x++, from++, to += right) out[to] = pixels[from]!;
  }
  const labels = turnLabels(tile.labels, (x, y) => turned(n, x, y, quarters, mirror));
  return { ...tile, pixels: out, labels };
}

/** A point of a square that spans 0 … `span`. */
function turned(
  span: number,
  x: number,
  y: number,
  quarters: number,
  mirror: boolean,
): readonly [number, number] {
  let [u, v] = [mirror ? span - x : x, y];
  for (let i = 0; i < quarters; i++) [u, v] = [span - v, u];
  return [u, v];
}

/** Gain and offset per channel about a common draw: haze, exposure, another sensor's balance. */
function changeColours(pixels: Float32Array, random: Random, share: number): void {
  const plane = pixels.length / 3;
  const contrast = 1 + random.between(-share, share);
  const brightness = random.between(-share, share) / 2;
  for (let c = 0; c < 3; c++) {
    const gain = contrast * (1 + random.between(-share, share) / 3);
    const offset = brightness + (0.5 - 0.5 * contrast);
    for (let i = c * plane; i < (c + 1) * plane; i++) {
      pixels[i] = Math.min(1, Math.max(0, (pixels[i] ?? 0) * gain + offset));
    }
  }
}

/**
 * Polygons painted with exact coverage: every pixel takes as much of a colour as the polygon covers of it, so that an
 * object a few pixels long still has its true size.
 */
import { signedRingArea } from "../ring.ts";
import { TEXTURE_PX, texture } from "./texture.ts";

export type Colour = readonly [red: number, green: number, blue: number];
/** A polygon, `x y x y …` in pixels, not closed. */
export type Ring = readonly number[];

/** Red, green and blue as real numbers on the scale 0…255; may exceed it until the sensor clips them. */
export interface Canvas {
  readonly width: number;
  readonly height: number;
  readonly bands: readonly [Float32Array, Float32Array, Float32Array];
  /** Nothing is painted outside. */
  readonly clip: {
    readonly x1: number;
    readonly y1: number;
    readonly x2: number;
    readonly y2: number;
  };
  /** Change of coverage from pixel to pixel, one more a row than there are pixels; all zero between calls. */
  readonly cover: Float32Array;
  /** Coverage of the row in hand. */
  readonly shares: Float32Array;
  /** Columns of each row from which and up to which coverage changes. */
  readonly firsts: Int32Array;
  readonly ends: Int32Array;
}

/** A surface. */
export interface Material {
  readonly colour: Colour;
  /** What the colour drifts to and fro from, in patches. @default the colour, darker */
  readonly other?: Colour | undefined;
  /** Strength of the drift. @default 0.08 */
  readonly patches?: number | undefined;
  /** Unevenness from pixel to pixel, as a share of the brightness. @default 0.04 */
  readonly grain?: number | undefined;
  /** Share of the light that comes from this surface and not from what lies below. @default 1 */
  readonly opacity?: number | undefined;
  /** Direction of the texture in radians, and its frequency along and across. @default 0, 1, 1 */
  readonly flow?: readonly [angle: number, along: number, across: number] | undefined;
}

export function createCanvas(width: number, height: number): Canvas {
  const band = (): Float32Array => new Float32Array(width * height);
  return {
    width,
    height,
    bands: [band(), band(), band()],
    clip: { x1: 0, y1: 0, x2: width, y2: height },
    cover: new Float32Array((width + 2) * height),
    shares: new Float32Array(width + 2),
    firsts: new Int32Array(height).fill(width),
    ends: new Int32Array(height),
  };
}

/** Paints the union of the rings. */
export function paint(canvas: Canvas, rings: readonly Ring[], material: Material): void {
  const { colour, other, patches = 0.08, grain = 0.04, opacity = 1, flow = [0, 1, 1] } = material;
  const { width, bands } = canvas;
  const [red, green, blue] = bands;
  const [r, g, b] = colour;
  const [dr, dg, db] = [
    ((other?.[0] ?? 0) - r) * patches,
    ((other?.[1] ?? 0) - g) * patches,
    ((other?.[2] ?? 0) - b) * patches,
  ];
  const unevenness = texture();
  const [angle, along, across] = flow;
  const [ux, uy] = [Math.cos(angle) * along, Math.sin(angle) * along];
  const [vx, vy] = [-Math.sin(angle) * across, Math.cos(angle) * across];
  // Another place of the texture for every colour: neighbouring surfaces do not share their spots.
  const [u0, v0] = [FAR + r * 7 + b * 3, FAR + g * 5 + r];
  coverRows(canvas, rings, (y, from, to, shares) => {
    let [u, v] = [u0 + ux * from + uy * y, v0 + vx * from + vy * y];
    for (let x = from, i = y * width + from; x < to; x++, i++, u += ux, v += vx) {
      const a = shares[x]! * opacity;
      if (a < LEAST_SHARE) continue;
      const at = (((v & MASK) << TEXTURE_BITS) | (u & MASK)) << 1;
      const t = unevenness[at + 1]!;
      const m = a * (1 + grain * unevenness[at]!);
      const left = 1 - a;
      red[i] = left * red[i]! + m * (r + t * dr);
      green[i] = left * green[i]! + m * (g + t * dg);
      blue[i] = left * blue[i]! + m * (b + t * db);
    }
  });
}

/** Takes light from the union of the rings: a share of each of the three colours is left. */
export function darken(canvas: Canvas, rings: readonly Ring[], left: Colour): void {
  const { width, bands } = canvas;
  const [red, green, blue] = bands;
  const [r, g, b] = [left[0] - 1, left[1] - 1, left[2] - 1];
  coverRows(canvas, rings, (y, from, to, shares) => {
    for (let x = from, i = y * width + from; x < to; x++, i++) {
      const a = shares[x]!;
      if (a < LEAST_SHARE) continue;
      red[i] = red[i]! * (1 + a * r);
      green[i] = green[i]! * (1 + a * g);
      blue[i] = blue[i]! * (1 + a * b);
    }
  });
}

/** Less of a pixel is not worth painting. */
const LEAST_SHARE = 0.004;
const MASK = TEXTURE_PX - 1;
const TEXTURE_BITS = Math.log2(TEXTURE_PX);
/** Keeps places in a texture above zero. */
const FAR = 2 ** 16;

/** Shares of the pixels `from` … `to` of row `y` that are covered; `shares` counts from the canvas's edge. */
type PaintRow = (y: number, from: number, to: number, shares: Float32Array) => void;

/** Visits the rows of the union of the rings. */
function coverRows(canvas: Canvas, rings: readonly Ring[], paintRow: PaintRow): void {
  const { width, clip, cover, shares, firsts, ends } = canvas;
  let [top, bottom] = [clip.y2, clip.y1];
  for (const ring of rings) {
    // All rings turn alike, so that where two lie over each other their windings add up.
    const turn = signedRingArea(ring) < 0 ? -1 : 1;
    let [x1, y1] = [ring[ring.length - 2]!, ring[ring.length - 1]!];
    for (let k = 0; k < ring.length; k += 2) {
      const x2 = ring[k]!;
      const y2 = ring[k + 1]!;
      if (y2 < top) top = y2;
      if (y2 > bottom) bottom = y2;
      if (y1 < y2) addEdge(canvas, x1, y1, x2, y2, turn);
      else if (y2 < y1) addEdge(canvas, x2, y2, x1, y1, -turn);
      x1 = x2;
      y1 = y2;
    }
  }
  const end = Math.min(clip.y2, Math.ceil(bottom));
  for (let y = Math.max(clip.y1, Math.floor(top)); y < end; y++) {
    const from = firsts[y]!;
    const to = ends[y]!;
    if (from >= to) continue;
    firsts[y] = width;
    ends[y] = 0;
    const row = y * (width + 2);
    let sum = 0;
    for (let x = from; x < to; x++) {
      sum += cover[row + x]!;
      cover[row + x] = 0;
      const share = sum < 0 ? -sum : sum;
      shares[x] = share < 1 ? share : 1;
    }
    paintRow(y, from, Math.min(to, clip.x2), shares);
  }
}

/** Notes what one edge from (ax, ay) down to (bx, by) changes: right of it, its height in each row is covered. */
function addEdge(
  { width, clip, cover, firsts, ends }: Canvas,
  ax: number,
  ay: number,
  bx: number,
  by: number,
  sign: number,
): void {
  const slope = (bx - ax) / (by - ay);
  const end = by < clip.y2 ? by : clip.y2;
  for (let y = ay > clip.y1 ? ay : clip.y1; y < end;) {
    const row = Math.floor(y);
    const next = row + 1 < end ? row + 1 : end;
    const a = clampTo(ax + (y - ay) * slope, clip.x1, clip.x2);
    const b = clampTo(ax + (next - ay) * slope, clip.x1, clip.x2);
    const from = a < b ? a : b;
    const to = a < b ? b : a;
    if (from < firsts[row]!) firsts[row] = from;
    if (to + 2 > ends[row]!) ends[row] = to + 2;
    addRun(cover, row * (width + 2), from, to, sign * (next - y));
    y = next;
  }
}

/** An edge inside one row, from `from` to `to`, that covers `height` of what is right of it. */
function addRun(cover: Float32Array, row: number, from: number, to: number, height: number): void {
  const run = to - from;
  for (let x = from, left = height; ;) {
    const column = Math.floor(x);
    const next = column + 1 < to ? column + 1 : to;
    const part = run > 0 ? (height * (next - x)) / run : left;
    const right = part * ((x + next) / 2 - column);
    cover[row + column] = cover[row + column]! + part - right;
    cover[row + column + 1] = cover[row + column + 1]! + right;
    left -= part;
    if (next >= to) return;
    x = next;
  }
}

const clampTo = (v: number, from: number, to: number): number =>
  v < from ? from : v > to ? to : v;

/** Tile pixels to the network's input, and its detections back to tile pixels. */
import {
  type Boxes,
  coordinates,
  type Detections,
  filterDetections,
  type Frame,
  type Pixels,
  type Samples,
  stride,
  withCoordinates,
} from "../datasets/index.ts";
import type { ModelInput } from "../models/index.ts";
import type { BandChoice } from "./bands.ts";
import type { DecidedStretch } from "./stretch.ts";

/** How tiles of one scene lie in the network's input. */
export interface InputFit {
  /** Size of the network's input. */
  readonly width: number;
  readonly height: number;
  /** Size of a tile in working pixels: the input's, or up to 31 px smaller. */
  readonly tile: { readonly width: number; readonly height: number };
  /** Working pixels per pixel of the wanted ground resolution: not 1 where the tile asked for is not the input's size. */
  readonly zoom: number;
}

/** Strides of all common detectors divide this. */
const STRIDE = 32;

/**
 * Fits tiles of `tilePx` to the input. A tile up to 31 px smaller than the input is padded; another size is reached by
 * zooming the whole working grid, so that every pixel is resampled once, and the tile then has the input's shape.
 */
export function fitInput(
  { width: inputWidth, height: inputHeight }: Pick<ModelInput, "width" | "height">,
  tilePx: number,
): InputFit {
  const open = Math.ceil(tilePx / STRIDE) * STRIDE;
  const [width, height] = [inputWidth ?? open, inputHeight ?? open];
  const spare = Math.max(width, height) - tilePx;
  if (spare >= 0 && spare < STRIDE) {
    const tile = { width: Math.min(width, tilePx), height: Math.min(height, tilePx) };
    return { width, height, tile, zoom: 1 };
  }
  return { width, height, tile: { width, height }, zoom: Math.max(width, height) / tilePx };
}

/** Where a tile's first pixel lies in the input. */
export interface Placement {
  readonly x: number;
  readonly y: number;
}

/** A tile smaller than the input lies at its top left, or in the middle where the model was trained so. */
export function placement(
  tile: { readonly width: number; readonly height: number },
  fit: Pick<InputFit, "width" | "height">,
  how: ModelInput["fit"],
): Placement {
  if (how !== "letterbox") return { x: 0, y: 0 };
  return {
    x: Math.floor((fit.width - tile.width) / 2),
    y: Math.floor((fit.height - tile.height) / 2),
  };
}

/** All that is the same for every tile of a scene. */
export interface Preprocessing {
  readonly input: ModelInput;
  readonly fit: InputFit;
  readonly bands: BandChoice;
  readonly stretch: DecidedStretch;
  /** Metres per working pixel; undefined where the scene's resolution is unknown. */
  readonly gsdM?: number | undefined;
}

/**
 * Writes one tile as `C Y X` floats: stretched to 0…255, cut off there, normalised by the model's mean and deviation.
 * Nodata and the padding get the model's pad value.
 *
 * @param out where to, `channels × height × width` values
 */
export function writeInput(
  pixels: Pixels,
  { input, fit, bands, stretch }: Preprocessing,
  out: Float32Array,
): void {
  const at = placement(pixels, fit, input.fit);
  const plane = fit.width * fit.height;
  const padded = pixels.width < fit.width || pixels.height < fit.height;
  const round = input.type === "uint8";
  for (let channel = 0; channel < input.channels; channel++) {
    const flipped = input.order === "bgr" && input.channels === 3 ? 2 - channel : channel;
    const source = bands.channels[flipped] ?? 0;
    const [low, high] = [stretch.low[source] ?? 0, stretch.high[source] ?? 255];
    const [mean, std] = [input.mean[channel] ?? 0, input.std[channel] ?? 1];
    const to = out.subarray(channel * plane, (channel + 1) * plane);
    if (padded) to.fill((input.padValue - mean) / std);
    const gain = 255 / (high - low);
    const ramp = { gain, offset: -low * gain, mean, std, pad: input.padValue, round };
    writeBand(pixels, source, to, at.y * fit.width + at.x, fit.width, ramp);
  }
}

interface Ramp {
  readonly gain: number;
  readonly offset: number;
  readonly mean: number;
  readonly std: number;
  readonly pad: number;
  readonly round: boolean;
}

/** The hot loop of a scene: one band of one tile. */
function writeBand(
  { bands, valid, width, height }: Pixels,
  band: number,
  to: Float32Array,
  start: number,
  stride: number,
  ramp: Ramp,
): void {
  const values = bands[band]!;
  const shadeOne = shader(values, ramp);
  for (let y = 0; y < height; y++) shadeOne(y * width, width, to, start + y * stride);
  if (valid === undefined) return;
  const pad = (ramp.pad - ramp.mean) / ramp.std;
  for (let i = 0; i < valid.length; i++) {
    if (valid[i] === 0) to[start + Math.floor(i / width) * stride + (i % width)] = pad;
  }
}

/** Writes a number of samples from a place on; there are but 256 bytes, so what each becomes is looked up. */
function shader(values: Samples, ramp: Ramp) {
  if (values instanceof Uint8Array) {
    const table = shades(ramp);
    return (from: number, count: number, to: Float32Array, at: number): void =>
      shadeBytes(values, from, count, table, to, at);
  }
  return (from: number, count: number, to: Float32Array, at: number): void =>
    shadeRow(values.subarray(from, from + count), ramp, to, at);
}

/** Bytes; four at a time take two thirds of the time of one by one. */
function shadeBytes(
  values: Uint8Array,
  from: number,
  count: number,
  table: Float32Array,
  to: Float32Array,
  at: number,
): void {
  let x = 0;
  for (; x + 4 <= count; x += 4) {
    to[at + x] = table[values[from + x]!]!;
    to[at + x + 1] = table[values[from + x + 1]!]!;
    to[at + x + 2] = table[values[from + x + 2]!]!;
    to[at + x + 3] = table[values[from + x + 3]!]!;
  }
  for (; x < count; x++) to[at + x] = table[values[from + x]!]!;
}

/** What each byte becomes. */
function shades(ramp: Ramp): Float32Array {
  const table = new Float32Array(256);
  shadeRow(Uint8Array.from(table.keys()), ramp, table, 0);
  return table;
}

function shadeRow(
  row: Samples,
  { gain, offset, mean, std, round }: Ramp,
  to: Float32Array,
  at: number,
): void {
  const scale = 1 / std;
  for (let x = 0; x < row.length; x++) {
    let v = row[x]! * gain + offset;
    v = v > 0 ? (v < 255 ? v : 255) : 0;
    to[at + x] = ((round ? Math.round(v) : v) - mean) * scale;
  }
}

/** Moves boxes from the network's input to the tile. */
export function toTile(detections: Detections<"tile">, { x, y }: Placement): Detections<"tile"> {
  if (x === 0 && y === 0) return detections;
  const moved = coordinates(detections.boxes).map((v, i) => v - (i % 2 === 0 ? x : y));
  return { ...detections, boxes: withCoordinates(detections.boxes, moved) };
}

/** Leaves out boxes with numbers that are not finite, and those whose middle is not on data of the tile. */
export function onData(detections: Detections<"tile">, pixels: Pixels): Detections<"tile"> {
  const middle = centres(detections.boxes);
  const { width, height, valid } = pixels;
  return filterDetections(detections, (i) => {
    const [x, y] = [Math.floor(middle[i * 2]!), Math.floor(middle[i * 2 + 1]!)];
    // A box that ends at the tile's edge may have its middle just outside by rounding.
    if (!(x >= -1 && y >= -1 && x <= width && y <= height)) return false;
    if (!Number.isFinite(detections.scores[i]!)) return false;
    const column = Math.min(Math.max(x, 0), width - 1);
    const row = Math.min(Math.max(y, 0), height - 1);
    return valid === undefined || valid[row * width + column] === 1;
  });
}

/** Middle of each box, `x y` side by side; NaN where any of its numbers is. */
export function centres<F extends Frame>(boxes: Boxes<F>): Float64Array {
  const [values, width] = [coordinates(boxes), stride(boxes)];
  const out = new Float64Array((values.length / width) * 2);
  for (let from = 0, to = 0; from < values.length; from += width, to += 2) {
    let [x, y] = [0, 0];
    for (let k = 0; k < width; k += 2) {
      x += values[from + k]!;
      y += values[from + k + 1]!;
    }
    out[to] = x / (width / 2);
    out[to + 1] = y / (width / 2);
  }
  return out;
}

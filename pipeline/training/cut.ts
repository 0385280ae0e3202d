/** Cutting a tile out of a labelled image at any place and scale, with the pipeline's own resampler. */
import type { Pixels } from "../../datasets/index.ts";
import { resample, sourceWindow, taps } from "../resample.ts";
import type { Labels, TrainingImage, TrainingTile } from "./sample.ts";

/** Where a tile lies in the image scaled by `scale`; it may reach beyond the image. */
export interface Cut {
  readonly x: number;
  readonly y: number;
  /** Tile pixels per image pixel. */
  readonly scale: number;
  readonly sizePx: number;
}

/** Grey of what lies beyond the image, 0…1. */
const PAD = 114 / 255;

/** An object that is cut must show this much of its area to keep its label. */
const VISIBLE = 0.4;

/** Smallest side of a label that is kept, in tile pixels. */
const SMALLEST_PX = 3;

export function cutTile(image: TrainingImage, { x, y, scale, sizePx }: Cut): TrainingTile {
  const { width, height } = image.pixels;
  const [across, down] = [axis(width, x, scale, sizePx), axis(height, y, scale, sizePx)];
  const pixels = new Float32Array(3 * sizePx * sizePx).fill(PAD);
  if (across.count > 0 && down.count > 0) {
    const [tx, ty] = [
      taps(width, across.target, across.start, across.count),
      taps(height, down.target, down.start, down.count),
    ];
    const scaled = resample(windowOf(image.pixels, sourceWindow(tx, ty)), tx, ty);
    for (const [c, band] of scaled.bands.entries()) {
      for (let row = 0; row < down.count; row++) {
        const to = (c * sizePx + down.start - y + row) * sizePx + across.start - x;
        for (let i = 0; i < across.count; i++)
          pixels[to + i] = (band[row * across.count + i] ?? 0) / 255;
      }
    }
  }
  const factors = [across.target / width, down.target / height] as const;
  return {
    sizePx,
    pixels,
    labels: cutLabels(image.labels, factors, { x, y, sizePx }),
    labelled: image.labelled,
    gsdM: image.gsdM === undefined ? undefined : image.gsdM / scale,
  };
}

/** The part of the tile that the scaled image covers, along one axis. */
function axis(extent: number, from: number, scale: number, sizePx: number) {
  const target = Math.max(1, Math.round(extent * scale));
  const start = Math.max(0, from);
  return { target, start, count: Math.max(0, Math.min(target, from + sizePx) - start) };
}

function windowOf(
  { width, bands, valid }: Pixels,
  window: {
    readonly x: number;
    readonly y: number;
    readonly width: number;
    readonly height: number;
  },
): Pixels {
  const part = (band: Pixels["bands"][number]): Pixels["bands"][number] => {
    const out = new Float32Array(window.width * window.height);
    for (let row = 0; row < window.height; row++) {
      const at = (window.y + row) * width + window.x;
      out.set(band.subarray(at, at + window.width), row * window.width);
    }
    return out;
  };
  return {
    width: window.width,
    height: window.height,
    bands: bands.map(part),
    valid: valid && Uint8Array.from(part(valid)),
  };
}

function cutLabels(
  { xyxy, classes }: Labels,
  [fx, fy]: readonly [number, number],
  { x, y, sizePx }: { readonly x: number; readonly y: number; readonly sizePx: number },
): Labels {
  const [boxes, kept]: [number[], number[]] = [[], []];
  const inside = (v: number): number => Math.min(Math.max(v, 0), sizePx);
  for (const [i, k] of classes.entries()) {
    const at = (side: number): number => xyxy[4 * i + side] ?? 0;
    const [x1, y1, x2, y2] = [at(0) * fx - x, at(1) * fy - y, at(2) * fx - x, at(3) * fy - y];
    const [a, b, c, d] = [inside(x1), inside(y1), inside(x2), inside(y2)];
    if (Math.min(c - a, d - b) < SMALLEST_PX) continue;
    if ((c - a) * (d - b) < VISIBLE * (x2 - x1) * (y2 - y1)) continue;
    boxes.push(a, b, c, d);
    kept.push(k);
  }
  return { xyxy: Float64Array.from(boxes), classes: Uint16Array.from(kept) };
}

/** Cutting a tile out of a labelled image at any place and scale, with the pipeline's own resampler. */
import type { Pixels } from "../../datasets/index.ts";
import { resample, sourceWindow, taps } from "../resample.ts";
import type { Place } from "./labels.ts";
import { cutLabels } from "./labels.ts";
import type { TrainingImage, TrainingTile } from "./sample.ts";

/** Where a tile lies in the image scaled by `scale`; it may reach beyond the image. */
export interface Cut extends Place {
  /** Tile pixels per image pixel. */
  readonly scale: number;
}

/** Grey of what lies beyond the image, 0…1. */
const PAD = 114 / 255;

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

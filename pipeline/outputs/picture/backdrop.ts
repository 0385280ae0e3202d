/** The scene as a picture: stretched, resampled, read block by block. */
import type { Scene, Window } from "../../../datasets/index.ts";
import { chooseBands, toColours } from "../../bands.ts";
import { dataOnly } from "../../nodata.ts";
import { resample, sourceWindow, taps } from "../../resample.ts";
import { decideStretch } from "../../stretch.ts";

export interface BackdropOptions {
  /** Long side of the picture at most; smaller scenes are not enlarged. @default 2048 */
  readonly maxSidePx?: number | undefined;
  /** Bands that become red, green and blue, counted from 1. @default by their roles */
  readonly bands?: readonly number[] | undefined;
  /** As the setting `stretch` has it. @default "auto" */
  readonly stretch?: string | undefined;
  readonly nodata?: number | "none" | undefined;
  readonly signal?: AbortSignal | undefined;
}

export interface PictureSize {
  readonly width: number;
  readonly height: number;
  /** Picture pixels per scene pixel. */
  readonly scale: number;
}

export function pictureSize(
  scene: { readonly width: number; readonly height: number },
  maxSidePx = 2048,
): PictureSize {
  const scale = Math.min(1, maxSidePx / Math.max(scene.width, scene.height));
  return {
    width: Math.max(1, Math.round(scene.width * scale)),
    height: Math.max(1, Math.round(scene.height * scale)),
    scale,
  };
}

/** Side of what is read at once, in pixels of the level. */
const READ_PX = 2048;
/** What shows where there is no data: a dark blue-grey that no stretch gives by chance. */
const NODATA_RGB = [22, 26, 33] as const;

/**
 * Reads the picture, `R G B R G B …`, rows from the top. Beside the picture itself only one block is held.
 *
 * @throws {SceneError} where the scene cannot be read
 */
export async function readBackdrop(
  scene: Scene,
  size: PictureSize,
  { bands, stretch = "auto", nodata, signal }: BackdropOptions = {},
): Promise<Uint8Array> {
  const choice = chooseBands(scene, 3, bands);
  const decided = await decideStretch(scene, choice, stretch, { nodata, signal });
  const level = Math.max(
    0,
    scene.levels.findLastIndex(({ width }) => width >= size.width),
  );
  const { width, height } = scene.levels[level] ?? scene;
  const rgb = new Uint8Array(3 * size.width * size.height);
  for (const window of blocks(size, width / size.width)) {
    const x = taps(width, size.width, window.x, window.width);
    const y = taps(height, size.height, window.y, window.height);
    const read = await scene.read(sourceWindow(x, y), { bands: choice.read, level, signal });
    const { bands: planes, valid } = resample(toColours(dataOnly(read, nodata), choice), x, y);
    for (let channel = 0; channel < 3; channel++) {
      const source = choice.channels[channel] ?? 0;
      const [low = 0, high = 255] = [decided.low[source], decided.high[source]];
      const plane = planes[source] ?? new Uint8Array();
      for (let i = 0; i < window.width * window.height; i++) {
        const row = window.y + Math.floor(i / window.width);
        const at = 3 * (row * size.width + window.x + (i % window.width)) + channel;
        const isData = valid === undefined || valid[i] === 1;
        const value = (((plane[i] ?? 0) - low) * 255) / (high - low);
        rgb[at] = isData ? Math.min(255, Math.max(0, Math.round(value))) : NODATA_RGB[channel]!;
      }
    }
  }
  return rgb;
}

/** Blocks of the picture, row by row, each of which reads at most {@link READ_PX} squared. */
function* blocks({ width, height }: PictureSize, step: number): Generator<Window, void, undefined> {
  const side = Math.max(1, Math.floor(READ_PX / Math.max(1, step)));
  for (let y = 0; y < height; y += side) {
    for (let x = 0; x < width; x += side) {
      yield { x, y, width: Math.min(side, width - x), height: Math.min(side, height - y) };
    }
  }
}

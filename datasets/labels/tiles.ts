/** Labelled scenes cut into labelled tiles. */
import type { Window } from "../scene.ts";
import { type CropOptions, cropLabels } from "./crop.ts";
import type { LabelledDataset, LabelledImage } from "./labels.ts";

/** The name under which a tile of an image goes: `scene.tif@512,0`. */
export const tileName = (file: string, { x, y }: Window): string =>
  `${file}@${Math.round(x)},${Math.round(y)}`;

/**
 * The labels of each window of an image, in pixels of the window, as an image of its own. {@link cropLabels} says what
 * happens to objects that an edge cuts; where windows overlap, an object is in each that shows it.
 */
export function tileLabels(
  image: LabelledImage,
  windows: readonly Window[],
  options: CropOptions = {},
): readonly LabelledImage[] {
  return windows.map((window) => ({
    ...cropLabels(image, window, options),
    file: tileName(image.file, window),
    id: undefined,
  }));
}

/** A set cut into square tiles; the last of a row or column is shifted inside, as in detection. */
export function tileDataset(
  dataset: LabelledDataset,
  { sizePx, overlapPx = 0, ...crop }: TileDatasetOptions,
): LabelledDataset {
  if (!(sizePx >= 1) || !(overlapPx >= 0 && overlapPx < sizePx)) {
    throw new RangeError(
      `tileDataset: overlapPx must be less than sizePx, received overlapPx ${overlapPx}, sizePx ${sizePx}`,
    );
  }
  const images = dataset.images.flatMap((image) => {
    const [width, height] = [Math.min(sizePx, image.width), Math.min(sizePx, image.height)];
    const rows = starts(image.height, sizePx, overlapPx);
    const columns = starts(image.width, sizePx, overlapPx);
    const windows = rows.flatMap((y) => columns.map((x) => ({ x, y, width, height })));
    return tileLabels(image, windows, crop);
  });
  return { ...dataset, images };
}

export interface TileDatasetOptions extends CropOptions {
  readonly sizePx: number;
  /** @default 0 */
  readonly overlapPx?: number | undefined;
}

function starts(length: number, size: number, overlap: number): readonly number[] {
  const count = Math.max(1, Math.ceil((length - overlap) / (size - overlap)));
  return Array.from({ length: count }, (_, i) =>
    Math.max(0, Math.min(i * (size - overlap), length - size)),
  );
}

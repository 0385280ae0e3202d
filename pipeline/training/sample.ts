/** What the trainer learns from: images with boxes, and the batches made of them. */
import type { Pixels } from "../../datasets/index.ts";
import type { Labels } from "./labels.ts";
import { boxRows } from "./labels.ts";

/** One labelled image, decoded. */
export interface TrainingImage {
  readonly source: string;
  /** Red, green and blue, 0…255. */
  readonly pixels: Pixels;
  readonly labels: Labels;
  /** 1 for each class that this image's source labels exhaustively. */
  readonly labelled: Uint8Array;
  /** Metres per pixel, where known. */
  readonly gsdM: number | undefined;
}

/** A square training tile: values 0…1 as `[3, size, size]`, and what lies on it. */
export interface TrainingTile {
  readonly sizePx: number;
  readonly pixels: Float32Array;
  readonly labels: Labels;
  readonly labelled: Uint8Array;
  readonly gsdM: number | undefined;
}

/** Tiles in the shape that the step graph takes; `G` rows of labels per image, padded with zeros. */
export interface TrainingBatch {
  readonly size: number;
  readonly rows: number;
  /** `[B, 3, Y, X]` */
  readonly images: Float32Array;
  /** `[B, G, 4]`, or `[B, G, 5]` where labels have corners; see `Targets` of `models`. */
  readonly boxes: Float32Array;
  /** One-hot `[B, G, K]`. */
  readonly classes: Float32Array;
  /** `[B, 1, K]` */
  readonly labelled: Float32Array;
  /** Metres per pixel `[B]`, 0 where unknown. */
  readonly gsdM: Float32Array;
}

/** How many label rows a batch may have: few sizes, since each is a compiled graph of its own. */
export const LABEL_ROWS = [16, 64, 224] as const;

/** Packs tiles; labels beyond the largest row count are an error of the caller's tile size. */
export function packBatch(tiles: readonly TrainingTile[], classCount: number): TrainingBatch {
  const most = Math.max(...tiles.map(({ labels }) => labels.classes.length));
  const rows = LABEL_ROWS.find((count) => count >= most);
  if (rows === undefined) {
    throw new RangeError(
      `packBatch: a tile must hold at most ${LABEL_ROWS.at(-1)} objects, received ${most}; use smaller tiles`,
    );
  }
  const [size, sizePx] = [tiles.length, tiles[0]?.sizePx ?? 0];
  const plane = 3 * sizePx * sizePx;
  const perBox = tiles[0]?.labels.corners === undefined ? 4 : 5;
  const batch = {
    size,
    rows,
    images: new Float32Array(size * plane),
    boxes: new Float32Array(size * rows * perBox),
    classes: new Float32Array(size * rows * classCount),
    labelled: new Float32Array(size * classCount),
    gsdM: new Float32Array(size),
  };
  for (const [b, tile] of tiles.entries()) {
    batch.images.set(tile.pixels, b * plane);
    batch.boxes.set(boxRows(tile.labels), b * rows * perBox);
    for (const [i, k] of tile.labels.classes.entries())
      batch.classes[(b * rows + i) * classCount + k] = 1;
    batch.labelled.set(tile.labelled, b * classCount);
    batch.gsdM[b] = tile.gsdM ?? 0;
  }
  return batch;
}

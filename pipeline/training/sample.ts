/** What the trainer learns from: images with boxes, and the batches made of them. */
import type { Pixels } from "../../datasets/index.ts";
import type { Labels } from "./labels.ts";
import { boxRows, largest } from "./labels.ts";

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
  /** Objects of each tile that found no row. */
  readonly leftOut: readonly number[];
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

const MOST_ROWS = LABEL_ROWS[2];

/** Packs tiles. Of a tile with more objects than rows the smallest are left out, and are no negatives of their classes. */
export function packBatch(tiles: readonly TrainingTile[], classCount: number): TrainingBatch {
  const fitted = tiles.map(({ labels }) => largest(labels, MOST_ROWS));
  const most = Math.max(...fitted.map(({ kept }) => kept.classes.length));
  const rows = LABEL_ROWS.find((count) => count >= most) ?? MOST_ROWS;
  const [size, sizePx] = [tiles.length, tiles[0]?.sizePx ?? 0];
  const plane = 3 * sizePx * sizePx;
  const perBox = tiles[0]?.labels.corners === undefined ? 4 : 5;
  const batch = {
    size,
    rows,
    leftOut: fitted.map(({ left }) => left.length),
    images: new Float32Array(size * plane),
    boxes: new Float32Array(size * rows * perBox),
    classes: new Float32Array(size * rows * classCount),
    labelled: new Float32Array(size * classCount),
    gsdM: new Float32Array(size),
  };
  for (const [b, { kept, left }] of fitted.entries()) {
    const { pixels, labelled, gsdM = 0 } = tiles[b]!;
    batch.images.set(pixels, b * plane);
    batch.boxes.set(boxRows(kept), b * rows * perBox);
    for (const [i, k] of kept.classes.entries()) batch.classes[(b * rows + i) * classCount + k] = 1;
    batch.labelled.set(labelled, b * classCount);
    for (const k of left) batch.labelled[b * classCount + k] = 0;
    batch.gsdM[b] = gsdM;
  }
  return batch;
}

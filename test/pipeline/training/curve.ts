/** Tiles with bright rectangles, the same ones every time: what a network is trained on here and in PyTorch. */
import type { TrainingBatch } from "../../../pipeline/training/sample.ts";

export interface BatchOptions {
  readonly size: number;
  readonly sidePx: number;
  readonly rows: number;
  readonly classes: number;
}

/** Numbers in 0…1 (mulberry32). */
function randomOf(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/**
 * A batch of noise with one to four rectangles an image, a colour for each class. The source of the last image does not
 * label class 0, and that image's ground resolution is not known.
 */
export function drawnBatch(
  seed: number,
  { size, sidePx, rows, classes }: BatchOptions,
): TrainingBatch {
  const random = randomOf(seed);
  const plane = sidePx * sidePx;
  const images = Float32Array.from({ length: size * 3 * plane }, () => 0.3 * random());
  const [boxes, oneHot] = [
    new Float32Array(size * rows * 4),
    new Float32Array(size * rows * classes),
  ];
  for (let b = 0; b < size; b++) {
    const count = 1 + Math.floor(4 * random());
    for (let i = 0; i < count; i++) {
      const kind = Math.floor(classes * random());
      const side = () => Math.floor(sidePx * (0.12 + 0.3 * random()));
      const [width, height] = [side(), side()];
      const x = Math.floor((sidePx - width) * random());
      const y = Math.floor((sidePx - height) * random());
      boxes.set([x, y, x + width, y + height], (b * rows + i) * 4);
      oneHot[(b * rows + i) * classes + kind] = 1;
      for (let c = 0; c < 3; c++) {
        const value = 0.5 + 0.5 * (((kind + 1) >> c) & 1);
        for (let row = y; row < y + height; row++) {
          const at = (b * 3 + c) * plane + row * sidePx + x;
          images.fill(value, at, at + width);
        }
      }
    }
  }
  const labelled = new Float32Array(size * classes).fill(1);
  labelled[(size - 1) * classes] = 0;
  const gsdM = Float32Array.from({ length: size }, (_, b) => (b === size - 1 ? 0 : 0.3 + 0.2 * b));
  return { size, rows, leftOut: [], images, boxes, classes: oneHot, labelled, gsdM };
}

/** The run that `test/fixtures/training/curve.json` holds the losses of. */
export const CURVE = {
  classes: 5,
  tilePx: 64,
  batchSize: 4,
  rows: 16,
  steps: 50,
  /** Different batches, taken in turn. */
  batches: 5,
  seed: 1,
  /** Reached at step `warmup`, rising evenly. */
  rate: 1e-3,
  warmup: 25,
  weightDecay: 0.05,
} as const;

/** The learning rate of a step, counted from 0. */
export const curveRate = (step: number): number =>
  CURVE.rate * Math.min(1, (step + 1) / CURVE.warmup);

export const curveBatches = (): TrainingBatch[] =>
  Array.from({ length: CURVE.batches }, (_, i) =>
    drawnBatch(i + 1, {
      size: CURVE.batchSize,
      sidePx: CURVE.tilePx,
      rows: CURVE.rows,
      classes: CURVE.classes,
    }),
  );

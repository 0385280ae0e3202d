/**
 * The order of training: which image is tile `i` of epoch `e`, and what is done to it. A tile depends on
 * (seed, epoch, index) alone, so a resumed run sees the tiles that an uninterrupted one would have seen.
 */
import { describe } from "../errors.ts";
import type { AugmentationOptions } from "./augmentation.ts";
import { augment } from "./augmentation.ts";
import type { Labels } from "./labels.ts";
import type { Random } from "./random.ts";
import { randomOf, shuffled } from "./random.ts";
import type { TrainingImage, TrainingTile } from "./sample.ts";
import { TrainingError } from "./training-error.ts";

/** An image before it is decoded. */
export interface TrainingRecord {
  readonly path: string;
  readonly labels: Labels;
  readonly labelled: Uint8Array;
  readonly gsdM: number | undefined;
  /** Pixels of the image that the labels were made on, where they say it; one of another size is no match. */
  readonly labelledSize?: { readonly width: number; readonly height: number } | undefined;
  /** How often it is seen in an epoch; large images hold several tiles. @default 1 */
  readonly repeat?: number | undefined;
  /** Where there is no file: what makes the image, with its labels. */
  readonly synthetic?: SyntheticSource | undefined;
}

/** Which synthetic image a record stands for. */
export interface SyntheticSource {
  readonly seed: number;
  readonly sizePx: number;
  /** Index of each synthetic class in the classes of the training run. */
  readonly classIndices: readonly number[];
}

export interface LoaderOptions extends AugmentationOptions {
  readonly seed: number;
}

/** Decodes a record; keeps what it has decoded as it sees fit. */
export type Decode = (record: TrainingRecord) => Promise<TrainingImage>;

/** Indices of the records of an epoch, in order. */
export function epochOrder(
  records: readonly TrainingRecord[],
  seed: number,
  epoch: number,
): Uint32Array {
  const each = Uint32Array.from(
    records.flatMap(({ repeat = 1 }, i) => Array.from({ length: repeat }, () => i)),
  );
  return shuffled(each.length, randomOf(seed, epoch)).map((i) => each[i] ?? 0);
}

/**
 * Makes tile `index` of an epoch. An image that cannot be decoded is replaced by the next one of the order and reported.
 *
 * @throws {TrainingError} where none can be
 */
export async function makeTile(
  records: readonly TrainingRecord[],
  order: Uint32Array,
  [epoch, index]: readonly [epoch: number, index: number],
  decode: Decode,
  options: LoaderOptions,
  onBadImage: (path: string, error: unknown) => void = () => {},
): Promise<TrainingTile> {
  const random = randomOf(options.seed, epoch, index);
  const attempt = async (at: number): Promise<TrainingImage> => {
    let cause: unknown;
    for (const i of order.keys()) {
      const record = records[order[(at + i) % order.length] ?? 0];
      if (record === undefined) continue;
      try {
        return await decode(record);
      } catch (error) {
        onBadImage(record.path, error);
        cause ??= error;
      }
    }
    const why = cause === undefined ? "" : `, the first because ${describe(cause).sentence}`;
    throw new TrainingError(
      `makeTile: the training set must hold an image that can be used, received ${records.length} of which none can${why}`,
      { cause },
    );
  };
  const image = await attempt(index);
  // A mosaic takes images whose sources label the same classes, so that no object in it goes unlabelled.
  let alike: Uint32Array | undefined;
  const draw = (r: Random): Promise<TrainingImage> => {
    alike ??= order.filter((i) => isSame(records[i]?.labelled, image.labelled));
    return attempt(order.indexOf(alike[r.below(alike.length)] ?? 0));
  };
  return augment(image, draw, random, options);
}

const isSame = (a: Uint8Array | undefined, b: Uint8Array): boolean =>
  a !== undefined && a.every((v, i) => v === b[i]);

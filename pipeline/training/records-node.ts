/** Labelled datasets as what the loader takes: all in one list, under one table of classes. */
import { isAbsolute, join } from "node:path";
import type { LabelledDataset, LabelledImage } from "../../datasets/index.ts";
import { toLabels } from "./labels.ts";
import type { TrainingRecord } from "./loader.ts";
import { TrainingError } from "./training-error.ts";

/** A dataset, and the folder its images are in. */
export interface TrainingSource {
  readonly folder: string;
  readonly dataset: LabelledDataset;
}

/** Class names of all sources, each once, in the order they are met. */
export function unionOfClasses(sources: readonly TrainingSource[]): readonly string[] {
  return [...new Set(sources.flatMap(({ dataset }) => dataset.classes))];
}

export interface RecordOptions {
  /** Tiles of this side are cut out of the images; a larger image is seen several times an epoch. */
  readonly tilePx: number;
  /** For an oriented network; upright labels become boxes along the axes. @default false */
  readonly oriented?: boolean;
}

/** Most tiles of an image that count for the length of an epoch. */
const MOST_TILES = 4;

/**
 * One record per image. An epoch has about as many tiles as the images hold; a source's share of them goes with the
 * square root of its images, so that a small one is not drowned, and an image's share of its source with the square root
 * of its objects, so that the one crowded harbour among hundreds of lone ships is not. A class that no source of an image
 * labels takes no part in that image's loss.
 *
 * @throws {TrainingError} where a source knows a class that is not in `classes`, or there is no object at all
 */
export function toRecords(
  sources: readonly TrainingSource[],
  classes: readonly string[],
  { tilePx, oriented = false }: RecordOptions,
): TrainingRecord[] {
  const tilesOf = ({ width, height }: LabelledImage): number =>
    Math.min(MOST_TILES, Math.max(1, (width * height) / (tilePx * tilePx)));
  const all = sources.flatMap(({ dataset }) => dataset.images);
  const tiles = all.reduce((total, image) => total + tilesOf(image), 0);
  const roots = sources.reduce((total, { dataset }) => total + Math.sqrt(dataset.images.length), 0);
  const records = sources.flatMap(({ folder, dataset }) => {
    const indices = dataset.classes.map((name) => classes.indexOf(name));
    const stranger = dataset.classes[indices.indexOf(-1)];
    if (stranger !== undefined) {
      throw new TrainingError(
        `toRecords: classes must be among ${classes.join(", ")}, received ${stranger} in ${folder}`,
      );
    }
    const perImage = tiles / roots / Math.sqrt(dataset.images.length);
    const crowds = dataset.images.map(({ objects }) => Math.sqrt(1 + objects.length));
    const usual = crowds.reduce((total, crowd) => total + crowd, 0) / crowds.length;
    return dataset.images.map((image, i): TrainingRecord => {
      return {
        path: isAbsolute(image.file) ? image.file : join(folder, image.file),
        ...columns(image, { indices, count: classes.length, oriented }),
        labelledSize: { width: image.width, height: image.height },
        gsdM: image.gsdM,
        repeat: Math.max(1, Math.round((perImage * (crowds[i] ?? usual)) / usual)),
      };
    });
  });
  if (!records.some(({ labels }) => labels.classes.length > 0)) {
    throw new TrainingError(
      `toRecords: the training set must hold an object, received ${records.length} images without`,
    );
  }
  return records;
}

/** Crowd boxes and difficult objects are no examples to learn from. */
function columns(
  image: LabelledImage,
  {
    indices,
    count,
    oriented,
  }: {
    readonly indices: readonly number[];
    readonly count: number;
    readonly oriented: boolean;
  },
): Pick<TrainingRecord, "labels" | "labelled"> {
  const objects = image.objects.filter(({ crowd, difficult }) => !crowd && !difficult);
  const labelled = new Uint8Array(count);
  for (const k of image.labelledClasses ?? indices.keys()) labelled[indices[k] ?? 0] = 1;
  const classes = objects.map(({ classIndex }) => indices[classIndex] ?? 0);
  return { labels: toLabels(objects, classes, oriented), labelled };
}

/** What makes a label unusable, in one sentence each: where, what must hold, what came. */
import type { LabelledDataset, LabelledImage, LabelledObject } from "./labels.ts";
import { signedRingArea } from "../ring.ts";
import { LabelsError } from "./labels.ts";

/** Part of a pixel that rounding in a label file may put a box outside its image. */
const SLACK_PX = 1;

/** A record that cannot be used, and why. */
export interface LabelFault {
  /** Index into the dataset's images. */
  readonly image: number;
  /** Index into the image's objects; undefined where the image itself is at fault. */
  readonly object: number | undefined;
  readonly message: string;
}

/**
 * All faults of a dataset. A box that its image cuts is none (DOTA has them); one with its centre outside is.
 *
 * @param source - the file or folder, for the messages
 */
export function findFaults(dataset: LabelledDataset, source: string): readonly LabelFault[] {
  const faults: LabelFault[] = [];
  const files = new Map<string, number>();
  dataset.images.forEach((image, i): void => {
    const where = `${source}: image ${image.file}`;
    const fault = (message: string, object?: number): void => {
      faults.push({ image: i, object, message });
    };
    if (files.has(image.file)) fault(`${where}: must be listed once, received it twice`);
    files.set(image.file, i);
    if (image.fault !== undefined) return fault(image.fault);
    if (!(image.width > 0 && image.height > 0)) {
      fault(`${where}: must have a size, received ${image.width}×${image.height}`);
    }
    image.objects.forEach((object, k) => {
      const message = faultOf(object, image, dataset.classes.length);
      if (message !== undefined) fault(`${where}, object ${k + 1}: ${message}`, k);
    });
  });
  return faults;
}

function faultOf(
  object: LabelledObject,
  image: LabelledImage,
  classes: number,
): string | undefined {
  const { classIndex, box, corners, score } = object;
  const numbers = (corners ?? box).join(" ");
  if (!Number.isInteger(classIndex) || classIndex < 0 || classIndex >= classes) {
    return `the class must be below ${classes}, received ${classIndex}`;
  }
  if (![...box, ...(corners ?? [])].every(Number.isFinite)) {
    return `coordinates must be numbers, received ${numbers}`;
  }
  if (!hasArea(object)) return `the box must have an area, received ${numbers}`;
  if (!isCentredIn(image, box)) {
    return `the box must lie in the image of ${image.width}×${image.height} px, received ${numbers}`;
  }
  if (score !== undefined && !(score >= 0 && score <= 1)) {
    return `the score must be in 0…1, received ${score}`;
  }
  return undefined;
}

function hasArea({ box: [x1, y1, x2, y2], corners }: LabelledObject): boolean {
  return x2 > x1 && y2 > y1 && (corners === undefined || signedRingArea(corners) !== 0);
}

function isCentredIn(
  { width, height }: LabelledImage,
  [x1, y1, x2, y2]: LabelledObject["box"],
): boolean {
  const isWithin = (centre: number, size: number): boolean =>
    centre >= -SLACK_PX && centre <= size + SLACK_PX;
  return isWithin((x1 + x2) / 2, width) && isWithin((y1 + y2) / 2, height);
}

/** The dataset, if nothing is wrong with it. @throws {LabelsError} with the first fault and their number */
export function checked(dataset: LabelledDataset, source: string): LabelledDataset {
  if (dataset.images.length === 0) {
    throw new LabelsError(`${source}: must hold at least one image, received none`);
  }
  const faults = findFaults(dataset, source);
  const [first] = faults;
  if (first === undefined) return dataset;
  const more = faults.length > 1 ? ` (and ${faults.length - 1} more)` : "";
  throw new LabelsError(first.message + more);
}

/** The dataset without what is at fault: bad objects, and images that cannot be used at all. */
export function withoutFaults(
  dataset: LabelledDataset,
  source: string,
): { readonly dataset: LabelledDataset; readonly faults: readonly LabelFault[] } {
  const faults = findFaults(dataset, source);
  const bad = new Set(faults.map(({ image, object }) => `${image} ${object ?? ""}`));
  const images = dataset.images.flatMap((image, i) =>
    bad.has(`${i} `)
      ? []
      : [{ ...image, objects: image.objects.filter((_, k) => !bad.has(`${i} ${k}`)) }],
  );
  return { dataset: { ...dataset, images }, faults };
}

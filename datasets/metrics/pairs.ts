/** Truth and detections of one class, image by image, with the overlap of each with each. */
import { intersectionArea, quadArea } from "../convex.ts";
import type { LabelledDataset, LabelledImage, LabelledObject } from "../labels/labels.ts";
import { LabelsError, cornersOf } from "../labels/labels.ts";
import { overlapRatio, sharedArea } from "../overlap.ts";
import { signedRingArea } from "../ring.ts";

/** One class in one image. */
export interface Pair {
  readonly truth: readonly LabelledObject[];
  /** By falling score; equal scores in the order they came. */
  readonly found: readonly LabelledObject[];
  /** Intersection over union of `found[d]` and `truth[t]`; over the detection alone where the truth is a crowd. */
  readonly overlap: (d: number, t: number) => number;
}

/** Images of truth and detections that are the same file. */
export interface ImagePair {
  readonly truth: LabelledImage;
  readonly found: LabelledImage | undefined;
}

/** @throws {LabelsError} for detections in an image, or with a class table, that the truth does not have */
export function pairImages(truth: LabelledDataset, found: LabelledDataset): readonly ImagePair[] {
  if (found.classes.some((name, i) => name !== truth.classes[i])) {
    throw new LabelsError(
      `metrics: detections must have the classes of the truth, ${truth.classes.join(", ")}, received ${found.classes.join(", ")}`,
    );
  }
  const byFile = new Map(found.images.map((image) => [image.file, image]));
  const pairs = truth.images.map((image) => ({ truth: image, found: byFile.get(image.file) }));
  for (const { file } of truth.images) byFile.delete(file);
  const [unknown] = byFile.keys();
  if (unknown === undefined) return pairs;
  throw new LabelsError(`metrics: detections must be in images of the truth, received ${unknown}`);
}

/**
 * What one class has in each image; images that do not label the class are left out, with their detections.
 *
 * @param oriented - compares oriented boxes instead of upright ones
 */
export function classPairs(
  images: readonly ImagePair[],
  classIndex: number,
  oriented: boolean,
): readonly Pair[] {
  return images.flatMap(({ truth, found }) => {
    if (truth.labelledClasses?.includes(classIndex) === false) return [];
    const isOfClass = (object: LabelledObject): boolean => object.classIndex === classIndex;
    const detections = (found?.objects ?? []).filter(isOfClass).toSorted(byFallingScore);
    return [pairOf(truth.objects.filter(isOfClass), detections, oriented)];
  });
}

/** Any objects of one image against any others. */
export function pairOf(
  truth: readonly LabelledObject[],
  found: readonly LabelledObject[],
  oriented: boolean,
): Pair {
  const width = oriented ? 8 : 4;
  const numbers = (objects: readonly LabelledObject[]): Float64Array =>
    Float64Array.from(objects.flatMap((object) => (oriented ? cornersOf(object) : object.box)));
  const [a, b] = [numbers(found), numbers(truth)];
  const overlaps = new Float64Array(found.length * truth.length);
  found.forEach((detection, d) => {
    const area = areaOf(detection, oriented);
    truth.forEach((label, t) => {
      const shared = oriented
        ? intersectionArea(a, d * width, b, t * width)
        : sharedArea(a, d * width, b, t * width);
      overlaps[d * truth.length + t] = label.crowd
        ? Math.min(1, shared / area)
        : overlapRatio(shared, area, areaOf(label, oriented), "iou");
    });
  });
  return { truth, found, overlap: (d, t) => overlaps[d * truth.length + t] ?? 0 };
}

export function byFallingScore(a: LabelledObject, b: LabelledObject): number {
  return (b.score ?? 1) - (a.score ?? 1);
}

/** Area of the box that is compared. */
export function areaOf(object: LabelledObject, oriented: boolean): number {
  if (oriented) return quadArea(Float64Array.from(cornersOf(object)));
  const [x1, y1, x2, y2] = object.box;
  return (x2 - x1) * (y2 - y1);
}

/** Area that decides whether an object is small or large: of its outline, where it has one. */
export function shapeArea(object: LabelledObject): number {
  const rings = object.polygon ?? (object.corners && [object.corners]);
  if (rings === undefined) return areaOf(object, false);
  return rings.reduce((sum, ring) => sum + Math.abs(signedRingArea(ring)), 0);
}

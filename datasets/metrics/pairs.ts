/** Truth and detections of one class, image by image, and which overlap. */
import Flatbush from "flatbush";
import { intersectionArea, quadArea } from "../convex.ts";
import type { LabelledDataset, LabelledImage, LabelledObject } from "../labels/labels.ts";
import { LabelsError, cornersOf } from "../labels/labels.ts";
import { overlapRatio, sharedArea } from "../overlap.ts";

/** One class in one image. */
export interface Pair {
  readonly truth: readonly LabelledObject[];
  /** By falling score; equal scores in the order they came. */
  readonly found: readonly LabelledObject[];
  /** The objects of the truth that `found[d]` overlaps at all, by rising `t`. */
  readonly touching: (d: number) => readonly Touch[];
}

/** An object of the truth under a detection. */
export interface Touch {
  readonly t: number;
  /** Intersection over union; over the detection alone where the truth is a crowd. */
  readonly overlap: number;
}

/** Images of truth and detections that are the same file. */
export interface ImagePair {
  readonly truth: LabelledImage;
  readonly found: LabelledImage | undefined;
}

/** @throws {LabelsError} for detections in an image, or with a class table, that the truth does not have, or of an image twice */
export function pairImages(truth: LabelledDataset, found: LabelledDataset): readonly ImagePair[] {
  if (found.classes.some((name, i) => name !== truth.classes[i])) {
    throw new LabelsError(
      `metrics: detections must have the classes of the truth, ${truth.classes.join(", ")}, received ${found.classes.join(", ")}`,
    );
  }
  const byFile = new Map<string, LabelledImage>();
  for (const image of found.images) {
    if (byFile.has(image.file)) {
      throw new LabelsError(
        `metrics: the detections of an image must come together, received those of ${image.file} twice`,
      );
    }
    byFile.set(image.file, image);
  }
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

/** Any objects of one image against any others; a spatial index keeps merged scenes from costing every pair. */
export function pairOf(
  truth: readonly LabelledObject[],
  found: readonly LabelledObject[],
  oriented: boolean,
): Pair {
  if (truth.length === 0 || found.length === 0) return { truth, found, touching: () => [] };
  const tree = new Flatbush(truth.length);
  for (const { box } of truth) tree.add(...box);
  tree.finish();
  const width = oriented ? 8 : 4;
  const numbers = (objects: readonly LabelledObject[]): Float64Array =>
    Float64Array.from(objects.flatMap((object) => (oriented ? cornersOf(object) : object.box)));
  const [a, b] = [numbers(found), numbers(truth)];
  const touches = found.map((detection, d) => {
    const area = areaOf(detection, oriented);
    return tree.search(...detection.box).map((t): Touch => {
      const label = truth[t]!;
      const shared = oriented
        ? intersectionArea(a, d * width, b, t * width)
        : sharedArea(a, d * width, b, t * width);
      const overlap = label.crowd
        ? Math.min(1, shared / area)
        : overlapRatio(shared, area, areaOf(label, oriented), "iou");
      return { t, overlap };
    });
  });
  for (const [d, own] of touches.entries()) {
    touches[d] = own.filter(({ overlap }) => overlap > 0).toSorted((x, y) => x.t - y.t);
  }
  return { truth, found, touching: (d) => touches[d] ?? [] };
}

/** The first of equals. */
export function mostOverlapped(touches: readonly Touch[]): Touch | undefined {
  return touches.reduce<Touch | undefined>(
    (best, touch) => (best === undefined || touch.overlap > best.overlap ? touch : best),
    undefined,
  );
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

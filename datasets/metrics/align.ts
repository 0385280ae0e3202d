/** Detections brought into the terms of the truth: its image names and its class table. */
import type { LabelledDataset, LabelledObject } from "../labels/labels.ts";
import { LabelsError } from "../labels/labels.ts";

export interface AlignOptions {
  /** Detector's class → class of the truth, where the names differ: `{ airplane: "plane" }`. */
  readonly classMap?: Readonly<Record<string, string>> | undefined;
}

export interface Aligned {
  readonly found: LabelledDataset;
  /** Detections of classes that the truth does not know, by name; they are left out. */
  readonly otherClasses: Readonly<Record<string, number>>;
  /** Classes that the truth has objects of and the detector does not know. */
  readonly unknownClasses: readonly string[];
}

/**
 * Pairs images by path, else by the last part of it, else, where both sides have one image, these two. Class names are
 * equal whatever their case, and whether words are parted by spaces, hyphens or underscores.
 *
 * @throws {LabelsError} for detections in an image that the truth does not have, or a class map to no class of it
 */
export function alignDetections(
  truth: LabelledDataset,
  found: LabelledDataset,
  { classMap = {} }: AlignOptions = {},
): Aligned {
  const indices = classIndices(truth.classes, found.classes, classMap);
  const nameOf = imageNames(truth, found);
  const otherClasses: Record<string, number> = {};
  const images = found.images.flatMap((image) => {
    const file = nameOf(image.file);
    if (file === undefined && image.objects.length === 0) return [];
    if (file === undefined) {
      throw new LabelsError(
        `metrics: detections must be in images of the truth, received ${image.file}`,
      );
    }
    const objects = image.objects.flatMap((object): LabelledObject[] => {
      const classIndex = indices[object.classIndex];
      if (classIndex !== undefined) return [{ ...object, classIndex }];
      const name = found.classes[object.classIndex] ?? `class ${object.classIndex}`;
      otherClasses[name] = (otherClasses[name] ?? 0) + 1;
      return [];
    });
    return [{ ...image, file, objects }];
  });
  const present = new Set(truth.images.flatMap(({ objects }) => objects.map((o) => o.classIndex)));
  const known = new Set(indices);
  return {
    found: { ...truth, images },
    otherClasses,
    unknownClasses: truth.classes.filter((_, i) => present.has(i) && !known.has(i)),
  };
}

const plain = (name: string): string =>
  name
    .trim()
    .toLowerCase()
    .replaceAll(/[\s_-]+/g, "-");

/** For each class of the detector its index in the truth's table, if it is there. */
function classIndices(
  wanted: readonly string[],
  own: readonly string[],
  classMap: Readonly<Record<string, string>>,
): readonly (number | undefined)[] {
  const places = new Map(wanted.map((name, i) => [plain(name), i]));
  const mapped = new Map(Object.entries(classMap).map(([from, to]) => [plain(from), plain(to)]));
  for (const [from, to] of Object.entries(classMap)) {
    if (places.has(plain(to))) continue;
    throw new LabelsError(
      `metrics: ${from} must be mapped to a class of the truth, ${wanted.join(", ")}, received ${to}`,
    );
  }
  return own.map((name) => places.get(mapped.get(plain(name)) ?? plain(name)));
}

function imageNames(
  truth: LabelledDataset,
  found: LabelledDataset,
): (file: string) => string | undefined {
  const [only] = truth.images;
  if (truth.images.length === 1 && found.images.length === 1) return () => only?.file;
  const exact = new Set(truth.images.map(({ file }) => file));
  const byEnd = new Map<string, string | undefined>();
  for (const { file } of truth.images) {
    const end = lastPart(file);
    byEnd.set(end, byEnd.has(end) ? undefined : file); // two of one name: neither is meant
  }
  return (file) => (exact.has(file) ? file : byEnd.get(lastPart(file)));
}

const lastPart = (file: string): string => file.split(/[/\\]/).at(-1) ?? file;

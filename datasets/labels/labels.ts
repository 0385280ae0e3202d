/** Labelled images in memory: the one form that every label format is read into and written from. */
import { signedRingArea } from "../ring.ts";

export interface LabelledObject {
  /** Index into {@link LabelledDataset.classes}. */
  readonly classIndex: number;
  /** The upright box, `x1 y1 x2 y2` in pixels; encloses {@link corners} and {@link polygon} where they are. */
  readonly box: readonly [x1: number, y1: number, x2: number, y2: number];
  /** The oriented box, `x1 y1 … x4 y4`; undefined where only an upright one is known. */
  readonly corners: readonly number[] | undefined;
  /** The outline's rings, `x y x y …` each, not closed; undefined where only a box is known. */
  readonly polygon: readonly (readonly number[])[] | undefined;
  /** Counts neither as found nor as missed. */
  readonly difficult: boolean;
  /** A box round many objects (COCO `iscrowd`). */
  readonly crowd: boolean;
  /** In 0…1 for a detection, undefined for a label. */
  readonly score: number | undefined;
  /** Pixels that the object covers, where its label says so and neither outline nor box has that area. */
  readonly areaPx2?: number | undefined;
}

export interface LabelledImage {
  /** Path relative to the label file or folder, with `/`. */
  readonly file: string;
  /** Number in a COCO file, to which results refer. */
  readonly id: number | undefined;
  readonly width: number;
  readonly height: number;
  /** Metres per pixel. */
  readonly gsdM: number | undefined;
  /** Classes whose every object is labelled here; undefined where that is all. What is unlabelled of another is no negative. */
  readonly labelledClasses: readonly number[] | undefined;
  readonly objects: readonly LabelledObject[];
  /** Why the image cannot be used, in a sentence that names it: `withoutFaults` leaves it out. */
  readonly fault?: string | undefined;
}

export interface LabelledDataset {
  readonly classes: readonly string[];
  /** Category ids of a COCO file, one a class; undefined where they count from one. */
  readonly classIds?: readonly number[] | undefined;
  readonly images: readonly LabelledImage[];
}

/** A label or result file does not follow its format; the message names file and record. */
export class LabelsError extends Error {
  override readonly name = "LabelsError";
  readonly code = "ERR_LABELS";
}

/** A label of an upright box, with what most have. */
export function boxLabel(
  classIndex: number,
  box: LabelledObject["box"],
  rest: Partial<LabelledObject> = {},
): LabelledObject {
  return {
    classIndex,
    box,
    corners: undefined,
    polygon: undefined,
    difficult: false,
    crowd: false,
    score: undefined,
    ...rest,
  };
}

/** A label of an oriented box; the upright one follows from it. */
export function cornersLabel(
  classIndex: number,
  corners: readonly number[],
  rest: Partial<LabelledObject> = {},
): LabelledObject {
  return boxLabel(classIndex, boundsOf(corners), { corners, ...rest });
}

/** The upright box of points `x y x y …`. */
export function boundsOf(points: readonly number[]): LabelledObject["box"] {
  const xs = points.filter((_, i) => i % 2 === 0);
  const ys = points.filter((_, i) => i % 2 === 1);
  return [Math.min(...xs), Math.min(...ys), Math.max(...xs), Math.max(...ys)];
}

/** The oriented box, or the upright one's corners: top left, top right, bottom right, bottom left. */
export function cornersOf({
  corners,
  box: [x1, y1, x2, y2],
}: Pick<LabelledObject, "box" | "corners">): readonly number[] {
  return corners ?? [x1, y1, x2, y1, x2, y2, x1, y2];
}

/** Area that decides whether an object is small or large: as its label says, else of its outline, else of its box. */
export function shapeArea(object: LabelledObject): number {
  const { areaPx2, polygon } = object;
  const rings = polygon ?? [cornersOf(object)];
  return areaPx2 ?? rings.reduce((sum, ring) => sum + Math.abs(signedRingArea(ring)), 0);
}

/** Class names that come as they are met; `indexOf` gives each its number. */
export interface ClassTable {
  readonly names: readonly string[];
  /** @throws {LabelsError} for a name that is not in a closed table */
  readonly indexOf: (name: string, where: string) => number;
}

/** @param known - the only names allowed, in order; without it every new name is added. */
export function classTable(known?: readonly string[]): ClassTable {
  const names = [...(known ?? [])];
  const indices = new Map(names.map((name, i) => [name, i]));
  return {
    names,
    indexOf: (name, where) => {
      const index = indices.get(name);
      if (index !== undefined) return index;
      if (known !== undefined) {
        throw new LabelsError(
          `${where}: the class must be one of ${known.join(", ")}, received ${JSON.stringify(name)}`,
        );
      }
      indices.set(name, names.length);
      return names.push(name) - 1;
    },
  };
}

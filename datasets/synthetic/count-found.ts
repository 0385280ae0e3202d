/** How many of the known objects of a synthetic scene were found. */
import type { OrientedBoxes } from "../boxes.ts";
import { overlap } from "../overlap.ts";
import type { TrueObject } from "./objects.ts";

/** What lies in a scene. */
export interface Known {
  readonly objects: readonly Pick<TrueObject, "classIndex" | "x" | "y" | "lengthPx">[];
  readonly boxes: OrientedBoxes<"scene">;
}

/** Boxes that a detector reports, the best first. */
export interface Reported {
  readonly boxes: OrientedBoxes<"scene">;
  /** Class of each, in the numbers of the known objects. */
  readonly classes: ArrayLike<number>;
}

export interface FoundCount {
  /** Known objects that are reported by a box of their class. */
  readonly found: number;
  readonly known: number;
  /** Boxes that report no known object, or one that another box has reported already. */
  readonly extra: number;
}

/**
 * Pairs boxes with known objects, each with the one it overlaps most, each object once.
 *
 * @param iouAtLeast intersection over union from which a box reports an object
 */
export function countFound(
  known: Known,
  { boxes, classes }: Reported,
  iouAtLeast = 0.5,
): FoundCount {
  const free = new Set(known.objects.keys());
  const count = boxes.corners.length / 8;
  for (let i = 0; i < count; i++) {
    let [best, bestIou] = [-1, iouAtLeast];
    for (const j of free) {
      const { x, y, classIndex, lengthPx } = known.objects[j]!;
      const isFar =
        Math.hypot(boxes.corners[8 * i]! - x, boxes.corners[8 * i + 1]! - y) > 2 * lengthPx;
      if (isFar || classIndex !== classes[i]) continue;
      const iou = overlap(boxes, i, known.boxes, j, "iou");
      if (iou >= bestIou) [best, bestIou] = [j, iou];
    }
    free.delete(best);
  }
  const all = known.objects.length;
  const found = all - free.size;
  return { found, known: all, extra: count - found };
}

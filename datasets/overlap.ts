/** How much two boxes overlap. */
import { type Boxes, type Frame, writeUprightCorners } from "./boxes.ts";
import { intersectionArea, quadArea } from "./convex.ts";

/**
 * `iou`: the shared area over the area of both together. `ios`: the shared area over the smaller box, 1 where
 * one box lies inside the other.
 */
export type OverlapMetric = "iou" | "ios";

/** The metric, in 0…1, from three areas; 0 where a box has no area. */
export function overlapRatio(
  shared: number,
  areaA: number,
  areaB: number,
  metric: OverlapMetric,
): number {
  const whole = metric === "iou" ? areaA + areaB - shared : Math.min(areaA, areaB);
  return whole > 0 ? Math.min(1, shared / whole) : 0;
}

/** Area that two upright boxes share. */
export function sharedArea(a: Float64Array, atA: number, b: Float64Array, atB: number): number {
  const width = Math.min(a[atA + 2]!, b[atB + 2]!) - Math.max(a[atA]!, b[atB]!);
  const height = Math.min(a[atA + 3]!, b[atB + 3]!) - Math.max(a[atA + 1]!, b[atB + 1]!);
  return width > 0 && height > 0 ? width * height : 0;
}

/** Area of an upright box; 0 for one whose corners are swapped. */
export function uprightArea(xyxy: Float64Array, at: number): number {
  return Math.max(0, xyxy[at + 2]! - xyxy[at]!) * Math.max(0, xyxy[at + 3]! - xyxy[at + 1]!);
}

/** Overlap of box `i` of `a` with box `j` of `b`, exact for upright and oriented boxes and for one of each. */
export function overlap<F extends Frame>(
  a: Boxes<F>,
  i: number,
  b: Boxes<F>,
  j: number,
  metric: OverlapMetric,
): number {
  if (a.kind === "axis-aligned" && b.kind === "axis-aligned") {
    const shared = sharedArea(a.xyxy, 4 * i, b.xyxy, 4 * j);
    return overlapRatio(shared, uprightArea(a.xyxy, 4 * i), uprightArea(b.xyxy, 4 * j), metric);
  }
  const [cornersA, atA] = cornersOf(a, i, 0);
  const [cornersB, atB] = cornersOf(b, j, 8);
  const shared = intersectionArea(cornersA, atA, cornersB, atB);
  return overlapRatio(shared, quadArea(cornersA, atA), quadArea(cornersB, atB), metric);
}

const scratch = new Float64Array(16);

function cornersOf(
  boxes: Boxes<Frame>,
  index: number,
  at: 0 | 8,
): readonly [corners: Float64Array, at: number] {
  if (boxes.kind === "oriented") return [boxes.corners, 8 * index];
  writeUprightCorners(boxes.xyxy, 4 * index, scratch, at);
  return [scratch, at];
}

/** Detections as columns: row `i` of every column speaks of the same object. */
import {
  type Boxes,
  type Frame,
  coordinates,
  stride,
  toCorners,
  withCoordinates,
} from "./boxes.ts";

export interface Detections<F extends Frame> {
  readonly count: number;
  readonly boxes: Boxes<F>;
  /** In 0…1. */
  readonly scores: Float32Array;
  /** Index into the model's list of classes. */
  readonly classes: Uint16Array;
}

/** No detections. @default kind "axis-aligned" */
export function noDetections<F extends Frame>(
  frame: F,
  kind: Boxes<F>["kind"] = "axis-aligned",
): Detections<F> {
  const numbers = new Float64Array(0);
  return {
    count: 0,
    boxes:
      kind === "axis-aligned" ? { kind, frame, xyxy: numbers } : { kind, frame, corners: numbers },
    scores: new Float32Array(0),
    classes: new Uint16Array(0),
  };
}

/** The rows at `indices`, in that order; an index may come twice. */
export function takeDetections<F extends Frame>(
  { boxes, scores, classes }: Detections<F>,
  indices: ArrayLike<number>,
): Detections<F> {
  const [from, width, count] = [coordinates(boxes), stride(boxes), indices.length];
  const numbers = new Float64Array(count * width);
  const taken = { scores: new Float32Array(count), classes: new Uint16Array(count) };
  for (let row = 0; row < count; row++) {
    const index = indices[row]!;
    for (let k = 0; k < width; k++) numbers[row * width + k] = from[index * width + k]!;
    taken.scores[row] = scores[index]!;
    taken.classes[row] = classes[index]!;
  }
  return { count, boxes: withCoordinates(boxes, numbers), ...taken };
}

/** The rows for which `keep` holds, in order. */
export function filterDetections<F extends Frame>(
  detections: Detections<F>,
  keep: (row: number) => boolean,
): Detections<F> {
  const rows: number[] = [];
  for (let row = 0; row < detections.count; row++) if (keep(row)) rows.push(row);
  return rows.length === detections.count ? detections : takeDetections(detections, rows);
}

/** The rows from `from` up to, not including, `to`, as views of the same memory. */
export function sliceDetections<F extends Frame>(
  { boxes, scores, classes }: Detections<F>,
  from: number,
  to: number,
): Detections<F> {
  const width = stride(boxes);
  return {
    count: to - from,
    boxes: withCoordinates(boxes, coordinates(boxes).subarray(from * width, to * width)),
    scores: scores.subarray(from, to),
    classes: classes.subarray(from, to),
  };
}

/** All rows of all parts, in order. Upright boxes become oriented ones where the parts are mixed. */
export function concatDetections<F extends Frame>(
  frame: F,
  parts: readonly Detections<F>[],
): Detections<F> {
  const filled = parts.filter(({ count }) => count > 0);
  const [first] = filled;
  if (first === undefined) return noDetections(frame, parts[0]?.boxes.kind);
  if (filled.length === 1) return first;
  const mixed = filled.some(({ boxes }) => boxes.kind !== first.boxes.kind);
  const boxes = filled.map((part) => (mixed ? toCorners(part.boxes) : part.boxes));
  const [like] = boxes as [Boxes<F>]; // as many as `filled`, which is not empty
  const count = filled.reduce((sum, part) => sum + part.count, 0);
  const numbers = new Float64Array(count * stride(like));
  const [scores, classes] = [new Float32Array(count), new Uint16Array(count)];
  let row = 0;
  for (const [i, part] of filled.entries()) {
    numbers.set(coordinates(boxes[i]!), row * stride(like));
    scores.set(part.scores, row);
    classes.set(part.classes, row);
    row += part.count;
  }
  return { count, boxes: withCoordinates(like, numbers), scores, classes };
}

/** Boxes as columns. */

/** Which plane a coordinate lies in. The only way across is a named function. */
export type Frame = "tile" | "scene" | "map";

/** Upright boxes: `x1 y1 x2 y2` each, in pixels (`map`: CRS units). */
export interface AxisAlignedBoxes<F extends Frame> {
  readonly kind: "axis-aligned";
  readonly frame: F;
  readonly xyxy: Float64Array;
}

/**
 * Oriented boxes: `x1 y1 x2 y2 x3 y3 x4 y4` each, the corners in order round the box, clockwise as seen on
 * the screen (y down). Corners are the truth; an angle is derived from them.
 */
export interface OrientedBoxes<F extends Frame> {
  readonly kind: "oriented";
  readonly frame: F;
  readonly corners: Float64Array;
}

export type Boxes<F extends Frame> = AxisAlignedBoxes<F> | OrientedBoxes<F>;

/** Numbers that one box takes: 4 or 8. */
export function stride(boxes: Boxes<Frame>): 4 | 8 {
  return boxes.kind === "axis-aligned" ? 4 : 8;
}

/** The numbers of all boxes, {@link stride} each. */
export function coordinates(boxes: Boxes<Frame>): Float64Array {
  return boxes.kind === "axis-aligned" ? boxes.xyxy : boxes.corners;
}

/** Boxes of the same kind and frame over other numbers. */
export function withCoordinates<F extends Frame>(like: Boxes<F>, numbers: Float64Array): Boxes<F> {
  return like.kind === "axis-aligned"
    ? { kind: like.kind, frame: like.frame, xyxy: numbers }
    : { kind: like.kind, frame: like.frame, corners: numbers };
}

/** The same boxes by their corners: top left, top right, bottom right, bottom left of an upright box. */
export function toCorners<F extends Frame>(boxes: Boxes<F>): OrientedBoxes<F> {
  if (boxes.kind === "oriented") return boxes;
  const { xyxy, frame } = boxes;
  const corners = new Float64Array(xyxy.length * 2);
  for (let from = 0, to = 0; from < xyxy.length; from += 4, to += 8) {
    writeUprightCorners(xyxy, from, corners, to);
  }
  return { kind: "oriented", frame, corners };
}

/** Writes the four corners of the upright box at `from` to `to`. */
export function writeUprightCorners(
  xyxy: Float64Array,
  from: number,
  corners: Float64Array,
  to: number,
): void {
  const [x1, y1, x2, y2] = [xyxy[from]!, xyxy[from + 1]!, xyxy[from + 2]!, xyxy[from + 3]!];
  corners[to] = corners[to + 6] = x1;
  corners[to + 1] = corners[to + 3] = y1;
  corners[to + 2] = corners[to + 4] = x2;
  corners[to + 5] = corners[to + 7] = y2;
}

/** The upright boxes that enclose the boxes. */
export function toBounds<F extends Frame>(boxes: Boxes<F>): AxisAlignedBoxes<F> {
  if (boxes.kind === "axis-aligned") return boxes;
  const { corners, frame } = boxes;
  const xyxy = new Float64Array(corners.length / 2);
  for (let from = 0, to = 0; from < corners.length; from += 8, to += 4) {
    writeBounds(corners, from, xyxy, to);
  }
  return { kind: "axis-aligned", frame, xyxy };
}

/** Writes the bounds of the four corners at `from` to `to`. */
export function writeBounds(
  corners: Float64Array,
  from: number,
  xyxy: Float64Array,
  to: number,
): void {
  const [xa, ya, xb, yb] = [
    corners[from]!,
    corners[from + 1]!,
    corners[from + 2]!,
    corners[from + 3]!,
  ];
  const [xc, yc, xd, yd] = [
    corners[from + 4]!,
    corners[from + 5]!,
    corners[from + 6]!,
    corners[from + 7]!,
  ];
  xyxy[to] = Math.min(xa, xb, xc, xd);
  xyxy[to + 1] = Math.min(ya, yb, yc, yd);
  xyxy[to + 2] = Math.max(xa, xb, xc, xd);
  xyxy[to + 3] = Math.max(ya, yb, yc, yd);
}

/** Upright boxes from `cx cy w h` each. */
export function fromCentres<F extends Frame>(frame: F, cxcywh: Float64Array): AxisAlignedBoxes<F> {
  const xyxy = new Float64Array(cxcywh.length);
  for (let i = 0; i < cxcywh.length; i += 4) {
    const [cx, cy, halfW, halfH] = [
      cxcywh[i]!,
      cxcywh[i + 1]!,
      cxcywh[i + 2]! / 2,
      cxcywh[i + 3]! / 2,
    ];
    xyxy.set([cx - halfW, cy - halfH, cx + halfW, cy + halfH], i);
  }
  return { kind: "axis-aligned", frame, xyxy };
}

/**
 * Oriented boxes as centre, size and angle, in the conventions that detectors and label formats use.
 *
 * Everywhere the angle is in radians, turns +x towards +y (clockwise on the screen, y down), and says where
 * the side called `w` points. Conventions differ in which of the equal descriptions of a box they choose:
 *
 * | name    | angle          | sides | used by |
 * |---------|----------------|-------|---------|
 * | `le90`  | [−π/2, π/2)    | w ≥ h | mmrotate `le90` |
 * | `le135` | [−π/4, 3π/4)   | w ≥ h | mmrotate `le135` |
 * | `oc`    | (0, π/2]       | any   | OpenCV ≥ 4.5.1 `minAreaRect`, mmrotate `oc` |
 * | `yolo`  | [−π/4, 3π/4)   | any; w ≥ h when written here | raw angle of the YOLO OBB heads |
 *
 * Corners are the truth: a reader turns its angles into corners at once ({@link rotatedToCorners} takes any
 * convention), and a writer derives the angle it needs ({@link cornersToRotated}).
 */
import type { Frame, OrientedBoxes } from "./boxes.ts";

export type AngleConvention = "le90" | "le135" | "oc" | "yolo";

/** Lowest angle of the interval of length π in which `w` is the longer side. */
const LONG_SIDE_FROM = { le90: -Math.PI / 2, le135: -Math.PI / 4, yolo: -Math.PI / 4 } as const;

/**
 * Oriented boxes from `cx cy w h angle` each, whatever the convention. The first corner is the one at
 * (−w/2, −h/2) in the box's own axes.
 */
export function rotatedToCorners<F extends Frame>(
  frame: F,
  cxcywha: Float64Array,
): OrientedBoxes<F> {
  const corners = new Float64Array((cxcywha.length / 5) * 8);
  for (let from = 0, to = 0; from < cxcywha.length; from += 5, to += 8) {
    const [cx, cy] = [cxcywha[from]!, cxcywha[from + 1]!];
    const [halfW, halfH] = [cxcywha[from + 2]! / 2, cxcywha[from + 3]! / 2];
    const [cos, sin] = [Math.cos(cxcywha[from + 4]!), Math.sin(cxcywha[from + 4]!)];
    const [ux, uy, vx, vy] = [halfW * cos, halfW * sin, -halfH * sin, halfH * cos];
    corners[to] = cx - ux - vx;
    corners[to + 1] = cy - uy - vy;
    corners[to + 2] = cx + ux - vx;
    corners[to + 3] = cy + uy - vy;
    corners[to + 4] = cx + ux + vx;
    corners[to + 5] = cy + uy + vy;
    corners[to + 6] = cx - ux + vx;
    corners[to + 7] = cy - uy + vy;
  }
  return { kind: "oriented", frame, corners };
}

/**
 * `cx cy w h angle` of each box in a convention. The boxes must be rectangles; a free quadrilateral goes through
 * {@link minAreaRectangle} first. Of a square's two descriptions the one with the lower angle is taken.
 */
export function cornersToRotated(
  { corners }: OrientedBoxes<Frame>,
  convention: AngleConvention,
): Float64Array {
  const rotated = new Float64Array((corners.length / 8) * 5);
  for (let from = 0, to = 0; from < corners.length; from += 8, to += 5) {
    const c = corners.subarray(from, from + 8);
    // Sides as means of opposite edges: half of what the corners' rounding would give.
    const [ux, uy] = [(c[2]! - c[0]! + c[4]! - c[6]!) / 2, (c[3]! - c[1]! + c[5]! - c[7]!) / 2];
    const [vx, vy] = [(c[4]! - c[2]! + c[6]! - c[0]!) / 2, (c[5]! - c[3]! + c[7]! - c[1]!) / 2];
    const [w, h] = [Math.hypot(ux, uy), Math.hypot(vx, vy)];
    // A box squeezed to a line still has a direction: that of the side that is left.
    const angle = w > 0 ? Math.atan2(uy, ux) : Math.atan2(-vx, vy);
    rotated[to] = (c[0]! + c[2]! + c[4]! + c[6]!) / 4;
    rotated[to + 1] = (c[1]! + c[3]! + c[5]! + c[7]!) / 4;
    rotated.set(inConvention(w, h, angle, convention), to + 2);
  }
  return rotated;
}

function inConvention(
  w: number,
  h: number,
  angle: number,
  convention: AngleConvention,
): readonly [w: number, h: number, angle: number] {
  if (convention === "oc") {
    const quarters = Math.ceil(angle / (Math.PI / 2)) - 1;
    const turned = angle - quarters * (Math.PI / 2);
    return quarters % 2 === 0 ? [w, h, turned] : [h, w, turned];
  }
  const from = LONG_SIDE_FROM[convention];
  if (w === h) return [w, h, wrap(angle, from, Math.PI / 2)];
  return w > h
    ? [w, h, wrap(angle, from, Math.PI)]
    : [h, w, wrap(angle + Math.PI / 2, from, Math.PI)];
}

/** The angle that differs by whole periods and lies in [from, from + period). */
function wrap(angle: number, from: number, period: number): number {
  const wrapped = angle - Math.floor((angle - from) / period) * period;
  return wrapped < from + period ? wrapped : from; // rounding may land on the open end
}

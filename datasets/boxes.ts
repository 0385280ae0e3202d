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

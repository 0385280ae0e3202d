/** What lies on images and tiles, and what becomes of it when a tile is cut, turned and joined with others. */
import type { LabelledObject } from "../../datasets/index.ts";
import {
  clipRing,
  cornersOf,
  cornersToRotated,
  minAreaRectangle,
  orderClockwise,
  quadArea,
  signedRingArea,
  toBounds,
} from "../../datasets/index.ts";

/** Objects as columns. */
export interface Labels {
  /** `x1 y1 x2 y2` in pixels; round {@link corners} where they are. */
  readonly xyxy: Float64Array;
  /** Class index of each. */
  readonly classes: Uint16Array;
  /** Rectangles `x1 y1 … x4 y4`, clockwise on the screen: of all that an oriented network learns from, and only of that. */
  readonly corners?: Float64Array | undefined;
}

/** What a label must say: its upright box, and where it is known more than that. */
type Outlined = Pick<LabelledObject, "box" | "corners"> & Partial<Pick<LabelledObject, "polygon">>;

/** @param oriented  keeps oriented boxes: those labelled, else those round outlines, else boxes along the axes */
export function toLabels(
  objects: readonly Outlined[],
  classes: ArrayLike<number>,
  oriented: boolean,
): Labels {
  if (oriented) {
    const corners = objects.flatMap((object) => [...minAreaRectangle(outlineOf(object))]);
    return orientedLabels(corners, Uint16Array.from(classes));
  }
  const xyxy = Float64Array.from(objects.flatMap(({ box }) => box));
  return { xyxy, classes: Uint16Array.from(classes) };
}

/** A labelled quadrilateral need not be a rectangle, and an outline is none. */
function outlineOf(object: Outlined): readonly number[] {
  const outline = object.corners === undefined ? object.polygon?.flat() : undefined;
  return outline === undefined || outline.length === 0 ? cornersOf(object) : outline;
}

function orientedLabels(corners: ArrayLike<number>, classes: Uint16Array): Labels {
  const rectangles = Float64Array.from(corners);
  const { xyxy } = toBounds({ kind: "oriented", frame: "tile", corners: rectangles });
  return { xyxy, classes, corners: rectangles };
}

/** As the training graph takes them: `x1 y1 x2 y2`, or `cx cy w h θ` of the long-side convention `le90`. */
export function boxRows({ xyxy, corners }: Labels): Float64Array {
  if (corners === undefined) return xyxy;
  return cornersToRotated({ kind: "oriented", frame: "tile", corners }, "le90");
}

/** An object that is cut must show this much of its area to keep its label. */
const VISIBLE = 0.4;

/** Smallest side of a label that is kept, in tile pixels. An oriented one's flank is nearer to the object. */
const SMALLEST_PX = 3;
const SMALLEST_ORIENTED_PX = 2;

/** The `count` largest objects, in their order, and the classes of the others. */
export function largest(
  labels: Labels,
  count: number,
): { readonly kept: Labels; readonly left: readonly number[] } {
  const { xyxy, classes, corners } = labels;
  if (classes.length <= count) return { kept: labels, left: [] };
  const area = Array.from(classes, (_, i) => {
    if (corners !== undefined) return quadArea(corners.subarray(8 * i, 8 * i + 8));
    const [x1 = 0, y1 = 0, x2 = 0, y2 = 0] = xyxy.subarray(4 * i, 4 * i + 4);
    return (x2 - x1) * (y2 - y1);
  });
  const order = [...classes.keys()].toSorted((a, b) => (area[b] ?? 0) - (area[a] ?? 0));
  const rows = order.slice(0, count).toSorted((a, b) => a - b);
  const pick = (from: Float64Array, size: number): Float64Array =>
    Float64Array.from(rows.flatMap((i) => [...from.subarray(size * i, size * i + size)]));
  return {
    kept: {
      xyxy: pick(xyxy, 4),
      classes: Uint16Array.from(rows, (i) => classes[i] ?? 0),
      ...(corners && { corners: pick(corners, 8) }),
    },
    left: order.slice(count).map((i) => classes[i] ?? 0),
  };
}

/** Where a tile lies on a scaled image. */
export interface Place {
  readonly x: number;
  readonly y: number;
  readonly sizePx: number;
}

/** Labels of an image scaled by `factors`, on a tile. A cut upright box ends at the edge. */
export function cutLabels(
  labels: Labels,
  factors: readonly [number, number],
  { x, y, sizePx }: Place,
): Labels {
  const { xyxy, classes, corners } = labels;
  if (corners !== undefined) return cutOriented(corners, classes, factors, { x, y, sizePx });
  const [fx, fy] = factors;
  const [boxes, kept]: [number[], number[]] = [[], []];
  const inside = (v: number): number => Math.min(Math.max(v, 0), sizePx);
  for (const [i, k] of classes.entries()) {
    const at = (side: number): number => xyxy[4 * i + side] ?? 0;
    const [x1, y1, x2, y2] = [at(0) * fx - x, at(1) * fy - y, at(2) * fx - x, at(3) * fy - y];
    const [a, b, c, d] = [inside(x1), inside(y1), inside(x2), inside(y2)];
    if (Math.min(c - a, d - b) < SMALLEST_PX) continue;
    if ((c - a) * (d - b) < VISIBLE * (x2 - x1) * (y2 - y1)) continue;
    boxes.push(a, b, c, d);
    kept.push(k);
  }
  return { xyxy: Float64Array.from(boxes), classes: Uint16Array.from(kept) };
}

/** A cut oriented box becomes the smallest rectangle round what is left, which may stand out over the edge. */
function cutOriented(
  corners: Float64Array,
  classes: Uint16Array,
  [fx, fy]: readonly [number, number],
  { x, y, sizePx }: Place,
): Labels {
  const [boxes, kept]: [number[], number[]] = [[], []];
  const tile = { x: 0, y: 0, width: sizePx, height: sizePx };
  for (const [i, k] of classes.entries()) {
    const box = corners
      .subarray(8 * i, 8 * i + 8)
      .map((v, side) => (side % 2 === 0 ? v * fx - x : v * fy - y));
    const isWhole = box.every((v) => v >= 0 && v <= sizePx);
    const seen = isWhole ? box : clipRing([...box], tile);
    if (Math.abs(signedRingArea(seen)) < VISIBLE * quadArea(box)) continue;
    const left = isWhole ? box : minAreaRectangle(seen);
    const [, , w = 0, h = 0] = boxRows(orientedLabels(left, Uint16Array.of(k)));
    if (Math.min(w, h) < SMALLEST_ORIENTED_PX) continue;
    boxes.push(...left);
    kept.push(k);
  }
  return orientedLabels(boxes, Uint16Array.from(kept));
}

/** Labels of a tile whose points go elsewhere: by right angles, mirrored or not. */
export function turnLabels(
  { xyxy, classes, corners }: Labels,
  turned: (x: number, y: number) => readonly [number, number],
): Labels {
  const moved = (from: Float64Array): Float64Array => {
    const to = new Float64Array(from.length);
    for (let i = 0; i < to.length; i += 2) to.set(turned(from[i] ?? 0, from[i + 1] ?? 0), i);
    return to;
  };
  // A mirror turns corners round the other way.
  if (corners !== undefined) return orientedLabels(orderClockwise(moved(corners)), classes);
  const boxes = moved(xyxy);
  for (let i = 0; i < boxes.length; i += 4) {
    const side = (k: number): number => boxes[i + k] ?? 0;
    const [ax, ay, bx, by] = [side(0), side(1), side(2), side(3)];
    boxes.set([Math.min(ax, bx), Math.min(ay, by), Math.max(ax, bx), Math.max(ay, by)], i);
  }
  return { xyxy: boxes, classes };
}

/** Labels of several tiles, each at its place in a larger one. */
export function joinLabels(
  parts: readonly (readonly [labels: Labels, at: readonly [x: number, y: number]])[],
): Labels {
  const joined = (of: (labels: Labels) => Float64Array): Float64Array =>
    Float64Array.from(
      parts.flatMap(([labels, at]) => Array.from(of(labels), (v, i) => v + (at[i % 2] ?? 0))),
    );
  const classes = Uint16Array.from(parts.flatMap(([labels]) => [...labels.classes]));
  const xyxy = joined((labels) => labels.xyxy);
  return parts[0]?.[0].corners === undefined
    ? { xyxy, classes }
    : { xyxy, classes, corners: joined(({ corners = new Float64Array() }) => corners) };
}

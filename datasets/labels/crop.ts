/** Labels of a part of an image: what happens to objects that its edge cuts. */
import { minAreaRectangle } from "../min-area-rectangle.ts";
import { clipRing, signedRingArea } from "../ring.ts";
import type { Window } from "../scene.ts";
import type { LabelledImage, LabelledObject } from "./labels.ts";
import { boundsOf, cornersOf } from "./labels.ts";

export interface CropOptions {
  /**
   * Share of its area that an object must show to be one that has to be found. What shows less is kept as `difficult`: to
   * find it is as right as not to.
   *
   * @default 0.5
   */
  readonly visibleAtLeast?: number | undefined;
  /** Below this share nothing is left to see, and the object is dropped. @default 0.05 */
  readonly traceAtLeast?: number | undefined;
}

/**
 * The image's labels inside a window, in pixels of the window.
 *
 * A cut upright box ends at the edge. A cut oriented box becomes the smallest rectangle round what is left of it (which
 * may stand out over the edge); a cut outline ends at the edge, and an object whose outline does not come in is none
 * here. A crowd is kept however little shows of it.
 */
export function cropLabels(
  image: LabelledImage,
  window: Window,
  { visibleAtLeast = 0.5, traceAtLeast = 0.05 }: CropOptions = {},
): LabelledImage {
  const objects = image.objects.flatMap((object) => {
    const share = visibleShare(object, window);
    if (share <= 0 || (share < traceAtLeast && !object.crowd)) return [];
    const cut = share < 1 - 1e-9 ? clipped(object, window) : shifted(object, window);
    if (cut.polygon?.length === 0) return []; // only the empty part of its box shows
    return [{ ...cut, difficult: object.difficult || (share < visibleAtLeast && !object.crowd) }];
  });
  return { ...image, width: window.width, height: window.height, objects };
}

/** Share of the box's area that lies in the window, in 0…1. */
export function visibleShare(object: LabelledObject, window: Window): number {
  const corners = cornersOf(object);
  const area = Math.abs(signedRingArea(corners));
  return area === 0 ? 0 : Math.abs(signedRingArea(clipRing(corners, window))) / area;
}

function shifted(object: LabelledObject, { x, y }: Window): LabelledObject {
  const move = (points: readonly number[]): readonly number[] =>
    points.map((value, i) => value - (i % 2 === 0 ? x : y));
  const [x1, y1, x2, y2] = object.box;
  return {
    ...object,
    box: [x1 - x, y1 - y, x2 - x, y2 - y],
    corners: object.corners && move(object.corners),
    polygon: object.polygon?.map(move),
  };
}

function clipped(object: LabelledObject, window: Window): LabelledObject {
  const { corners, polygon, box } = object;
  const seen = corners && [...minAreaRectangle(clipRing(corners, window))];
  const rings = polygon
    ?.map((ring) => clipRing(ring, window))
    .filter((ring) => signedRingArea(ring) !== 0);
  const [x1, y1, x2, y2] = box;
  const upright = clipRing([x1, y1, x2, y1, x2, y2, x1, y2], window);
  const outline = seen ?? rings?.flat() ?? [];
  const bounds = boundsOf(outline.length > 0 ? outline : upright);
  return shifted(
    { ...object, box: bounds, corners: seen, polygon: rings, areaPx2: undefined },
    window,
  );
}

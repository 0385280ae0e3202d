/** What shows the scene and its objects: a map where the scene lies on the Earth, a plain canvas where not. */
import type { FoundObject } from "../../../pipeline/index.ts";
import type { SceneOpened, TileDone } from "../messages.ts";

/** All that a viewer draws over the scene. */
export interface Drawn {
  readonly objects: readonly FoundObject[];
  /** Objects that may still change. */
  readonly provisional: readonly FoundObject[];
  /** CSS colours, one for each class. */
  readonly colours: readonly string[];
  readonly selected: FoundObject | undefined;
  readonly tile: TileDone["bounds"] | undefined;
}

export interface Viewer {
  readonly draw: (drawn: Drawn) => void;
  /** Brings an object into the middle. */
  readonly goTo: (object: FoundObject) => void;
  readonly close: () => void;
}

export type CreateViewer = (
  host: HTMLElement,
  scene: SceneOpened,
  onPick: (object: FoundObject | undefined) => void,
) => Promise<Viewer>;

/** The smallest object whose outline holds a point of the scene: one on top of another can be reached. */
export function objectAt(
  objects: readonly FoundObject[],
  x: number,
  y: number,
): FoundObject | undefined {
  let best: FoundObject | undefined;
  let least = Infinity;
  for (const object of objects) {
    const area = areaAround(object.corners, x, y);
    if (area === undefined || area >= least) continue;
    [best, least] = [object, area];
  }
  return best;
}

/** The area of a convex quadrilateral; undefined where the point lies outside. */
function areaAround(corners: Float64Array, x: number, y: number): number | undefined {
  let twice = 0;
  for (let k = 0; k < 8; k += 2) {
    const [ax, ay] = [corners[k]!, corners[k + 1]!];
    const [bx, by] = [corners[(k + 2) % 8]!, corners[(k + 3) % 8]!];
    // Clockwise on the screen: inside is on the right of every edge.
    if ((bx - ax) * (y - ay) - (by - ay) * (x - ax) < 0) return undefined;
    twice += ax * by - bx * ay;
  }
  return Math.abs(twice) / 2;
}

/** Detections of a tile as the scene sees them. */
import { type Boxes, type Detections, coordinates, toBounds } from "../../datasets/index.ts";
import type { Tile, TilePlan, WorkingGrid } from "../tiles.ts";
import { type Candidates, asCandidates } from "./candidates.ts";
import { BOTTOM, LEFT, RIGHT, TOP } from "./fragments.ts";
import { finite } from "./merge.ts";
import type { MergeRules } from "./options.ts";

/** How far beyond its tile a detection may meet others, in sizes of the tile. An object whose centre is in the tile and that a tile can hold stays within. */
export const OVERHANG = 0.5;

/** Moves boxes from pixels of a tile to pixels of the scene at full resolution. */
export function toScene(
  { window }: Tile,
  detections: Detections<"tile">,
  { scaleX, scaleY }: WorkingGrid,
): Detections<"scene"> {
  const numbers = coordinates(detections.boxes).slice();
  for (let k = 0; k < numbers.length; k += 2) {
    numbers[k] = (numbers[k]! + window.x) / scaleX;
    numbers[k + 1] = (numbers[k + 1]! + window.y) / scaleY;
  }
  const { kind } = detections.boxes;
  const frame = "scene";
  const boxes: Boxes<"scene"> =
    kind === "axis-aligned" ? { kind, frame, xyxy: numbers } : { kind, frame, corners: numbers };
  return { ...detections, boxes };
}

/** Candidates of a tile: moved to the scene, with the inner edges they touch and how far they reach. */
export function seenBy(
  tile: Tile,
  detections: Detections<"tile">,
  { grid, sizePx }: TilePlan,
  { edgePx }: MergeRules,
): Candidates {
  const scene = toScene(tile, finite(detections), grid);
  const { x, y, width, height } = tile.window;
  const [x1, y1] = [x / grid.scaleX, y / grid.scaleY];
  const [x2, y2] = [(x + width) / grid.scaleX, (y + height) / grid.scaleY];
  const [edgeX, edgeY] = [edgePx / grid.scaleX, edgePx / grid.scaleY];
  const [overX, overY] = [
    (OVERHANG * sizePx.width) / grid.scaleX,
    (OVERHANG * sizePx.height) / grid.scaleY,
  ];
  const inner =
    (x > 0 ? LEFT : 0) |
    (y > 0 ? TOP : 0) |
    (x + width < grid.width ? RIGHT : 0) |
    (y + height < grid.height ? BOTTOM : 0);
  const bounds = toBounds(scene.boxes).xyxy;
  const cut = new Uint8Array(scene.count);
  const [window, reach] = [new Float64Array(bounds.length), new Float64Array(bounds.length)];
  const clamp = (value: number, from: number, to: number) => Math.min(Math.max(value, from), to);
  for (let row = 0, at = 0; row < scene.count; row++, at += 4) {
    const [bx1, by1, bx2, by2] = [bounds[at]!, bounds[at + 1]!, bounds[at + 2]!, bounds[at + 3]!];
    cut[row] =
      inner &
      ((bx1 <= x1 + edgeX ? LEFT : 0) |
        (by1 <= y1 + edgeY ? TOP : 0) |
        (bx2 >= x2 - edgeX ? RIGHT : 0) |
        (by2 >= y2 - edgeY ? BOTTOM : 0));
    window.set([x1, y1, x2, y2], at);
    // Parts of one object may each end a little short of the edge between them.
    const [padX, padY] = cut[row] === 0 ? [0, 0] : [edgeX / 2, edgeY / 2];
    reach[at] = clamp(bx1 - padX, x1 - overX, x2 + overX);
    reach[at + 1] = clamp(by1 - padY, y1 - overY, y2 + overY);
    reach[at + 2] = clamp(bx2 + padX, x1 - overX, x2 + overX);
    reach[at + 3] = clamp(by2 + padY, y1 - overY, y2 + overY);
  }
  return asCandidates(scene, { cut, tile: window, reach });
}

/** Candidates of a pass over the whole scene: nothing cut them. */
export function seenWhole(detections: Detections<"scene">): Candidates {
  const scene = finite(detections);
  const bounds = toBounds(scene.boxes).xyxy;
  const tile = new Float64Array(bounds.length);
  return asCandidates(scene, { cut: new Uint8Array(scene.count), tile, reach: bounds });
}

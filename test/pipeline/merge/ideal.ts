/** An ideal detector: of every object it reports exactly what each tile shows, if that is enough to know it by. */
import {
  type Detections,
  type Window,
  minAreaRectangle,
  quadArea,
  rotatedToCorners,
} from "../../../datasets/index.ts";
import type { Tile, TileDetections, TilePlan } from "../../../pipeline/tiles.ts";

/** `cx cy w h angle` in scene pixels. */
export interface TrueObject {
  readonly box: readonly [cx: number, cy: number, w: number, h: number, angle: number];
  readonly classIndex: number;
  readonly score: number;
}

/** Tiles of one size in rows, the last of each row and column shifted inside. */
export function cutIntoTiles(
  width: number,
  height: number,
  sizePx: number,
  overlapPx: number,
  scale = 1,
): TilePlan {
  const starts = (length: number): number[] => {
    const list: number[] = [];
    for (let at = 0; at + sizePx < length; at += sizePx - overlapPx) list.push(at);
    return [...list, Math.max(0, length - sizePx)];
  };
  const tiles: Tile[] = [];
  for (const y of starts(height)) {
    for (const x of starts(width)) {
      const window = { x, y, width: Math.min(sizePx, width), height: Math.min(sizePx, height) };
      tiles.push({ index: tiles.length, window });
    }
  }
  return {
    grid: { width, height, scaleX: scale, scaleY: scale },
    sizePx: { width: sizePx, height: sizePx },
    overlapPx,
    tiles,
  };
}

/** What a tile shows of the objects: `upright` bounds or `turned` rectangles, of the parts of at least 25 %. */
export function detectIn(
  window: Window,
  objects: readonly TrueObject[],
  kind: "upright" | "turned",
): Detections<"tile"> {
  const [numbers, scores, classes]: [number[], number[], number[]] = [[], [], []];
  for (const { box, classIndex, score } of objects) {
    const corners = cornersOf(box);
    const seen = clipTo(window, corners);
    const share = seen.length < 6 ? 0 : polygonArea(seen) / quadArea(Float64Array.from(corners));
    if (share < 0.25) continue;
    const whole = share > 1 - 1e-9;
    const round =
      kind === "turned" ? (whole ? corners : [...minAreaRectangle(seen)]) : boundsOf(seen);
    numbers.push(...round.map((value, k) => value - (k % 2 === 0 ? window.x : window.y)));
    // Every tile is as sure of a part as of the whole, or surer: the rule must not lean on scores.
    scores.push(whole ? score : Math.min(1, score * 1.2));
    classes.push(classIndex);
  }
  const frame = "tile";
  return {
    count: scores.length,
    boxes:
      kind === "turned"
        ? { kind: "oriented", frame, corners: Float64Array.from(numbers) }
        : { kind: "axis-aligned", frame, xyxy: Float64Array.from(numbers) },
    scores: Float32Array.from(scores),
    classes: Uint16Array.from(classes),
  };
}

/** The detections of every tile, in plan order. */
export async function* detectTiles(
  plan: TilePlan,
  objects: readonly TrueObject[],
  kind: "upright" | "turned",
): AsyncGenerator<TileDetections> {
  for (const tile of plan.tiles) {
    const detections = detectIn(tile.window, objects, kind);
    if (detections.count > 0) yield { tile, detections };
  }
}

export function cornersOf(box: TrueObject["box"]): number[] {
  return [...rotatedToCorners("scene", Float64Array.from(box)).corners];
}

export function boundsOf(points: readonly number[]): number[] {
  const xs = points.filter((_, k) => k % 2 === 0);
  const ys = points.filter((_, k) => k % 2 === 1);
  return [Math.min(...xs), Math.min(...ys), Math.max(...xs), Math.max(...ys)];
}

/** A convex polygon clipped to a window, side by side: written apart from the product's clipping. */
function clipTo({ x, y, width, height }: Window, polygon: readonly number[]): number[] {
  const sides: ((px: number, py: number) => number)[] = [
    (px) => px - x,
    (px) => x + width - px,
    (_, py) => py - y,
    (_, py) => y + height - py,
  ];
  return sides.reduce<number[]>(
    (points, inside) => {
      const kept: number[] = [];
      for (let k = 0; k < points.length; k += 2) {
        const [ax, ay] = [points[k]!, points[k + 1]!];
        const [bx, by] = [points[(k + 2) % points.length]!, points[(k + 3) % points.length]!];
        const [a, b] = [inside(ax, ay), inside(bx, by)];
        if (a >= 0) kept.push(ax, ay);
        if (a * b < 0) kept.push(ax + ((bx - ax) * a) / (a - b), ay + ((by - ay) * a) / (a - b));
      }
      return kept;
    },
    [...polygon],
  );
}

function polygonArea(points: readonly number[]): number {
  let twice = 0;
  for (let k = 0; k < points.length; k += 2) {
    const [bx, by] = [points[(k + 2) % points.length]!, points[(k + 3) % points.length]!];
    twice += points[k]! * by - bx * points[k + 1]!;
  }
  return Math.abs(twice) / 2;
}

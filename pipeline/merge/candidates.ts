/** Detections laid out for merging: columns whose rows go from the best to the worst. */
import {
  type Boxes,
  type Detections,
  coordinates,
  intersectionArea,
  quadArea,
  sharedArea,
  stride,
  toBounds,
  uprightArea,
  withCoordinates,
} from "../../datasets/index.ts";

/** Rows of boxes in scene pixels. Lower rows rank higher, after {@link rank}. */
export interface Candidates {
  readonly count: number;
  readonly boxes: Boxes<"scene">;
  /** `x1 y1 x2 y2` round each box; the very numbers of upright boxes. */
  readonly bounds: Float64Array;
  readonly areas: Float64Array;
  readonly scores: Float32Array;
  readonly classes: Uint16Array;
  /** How the tile saw each box; undefined where no tiles are known. */
  readonly sight: Sight | undefined;
}

/** What is known of a box because a tile saw it. */
export interface Sight {
  /** Inner edges of the tile that the box touches: 1 left, 2 top, 4 right, 8 bottom. */
  readonly cut: Uint8Array;
  /** The tile, `x1 y1 x2 y2`. */
  readonly tile: Float64Array;
  /** The bounds within which a box meets others, `x1 y1 x2 y2`; see `OVERHANG` in sight.ts. */
  readonly reach: Float64Array;
}

/** Columns for detections that no tile cut, in the order given. */
export function asCandidates(
  { count, boxes, scores, classes }: Detections<"scene">,
  sight?: Sight,
): Candidates {
  const [numbers, width] = [coordinates(boxes), stride(boxes)];
  const areas = new Float64Array(count);
  for (let row = 0; row < count; row++) {
    areas[row] = width === 4 ? uprightArea(numbers, 4 * row) : quadArea(numbers, 8 * row);
  }
  return { count, boxes, bounds: toBounds(boxes).xyxy, areas, scores, classes, sight };
}

/** The rows at `rows`, in that order. */
export function takeCandidates(c: Candidates, rows: ArrayLike<number>): Candidates {
  const boxes = withCoordinates(c.boxes, gather(coordinates(c.boxes), rows, stride(c.boxes)));
  return {
    count: rows.length,
    boxes,
    bounds: boxes.kind === "axis-aligned" ? boxes.xyxy : gather(c.bounds, rows, 4),
    areas: gather(c.areas, rows, 1),
    scores: gather(c.scores, rows, 1),
    classes: gather(c.classes, rows, 1),
    sight: c.sight && {
      cut: gather(c.sight.cut, rows, 1),
      tile: gather(c.sight.tile, rows, 4),
      reach: gather(c.sight.reach, rows, 4),
    },
  };
}

type Column = Float64Array | Float32Array | Uint16Array | Uint8Array;

function gather<C extends Column>(column: C, rows: ArrayLike<number>, width: number): C {
  // A typed array's constructor makes one of its own kind.
  const taken = new (column.constructor as new (length: number) => C)(rows.length * width);
  for (let row = 0, to = 0; row < rows.length; row++) {
    const from = rows[row]! * width;
    for (let k = 0; k < width; k++) taken[to++] = column[from + k]!;
  }
  return taken;
}

/**
 * Rows from the highest score to the lowest. Equal scores are ordered by what the rows hold, never by where they stood,
 * so the result of merging does not depend on the order of its input: only rows equal in everything can change places.
 */
export function rank(c: Candidates): Candidates {
  return takeCandidates(c, rankOrder(c));
}

/** Scores below 1 as 32 bits, rows in the 21 below: a sort of plain numbers, many times as fast as one that compares. */
const ROW_LIMIT = 2 ** 21;

function rankOrder(c: Candidates): Uint32Array {
  const { count, scores } = c;
  const order = new Uint32Array(count);
  if (count > ROW_LIMIT || !scores.every((score) => score >= 0)) {
    return order.map((_, row) => row).sort((a, b) => scores[b]! - scores[a]! || byContent(c, a, b));
  }
  // The bits of non-negative floats, less the sign of −0, rise with their values.
  const bits = new Uint32Array(scores.buffer, scores.byteOffset, count);
  const keys = new Float64Array(count);
  for (let row = 0; row < count; row++)
    keys[row] = (0x7fff_ffff - (bits[row]! & 0x7fff_ffff)) * ROW_LIMIT + row;
  keys.sort();
  for (let at = 0; at < count; at++) order[at] = keys[at]! % ROW_LIMIT;
  for (let from = 0, to = 1; from < count; from = to++) {
    while (to < count && scores[order[to]!] === scores[order[from]!]) to++;
    if (to - from > 1) order.subarray(from, to).sort((a, b) => byContent(c, a, b));
  }
  return order;
}

function byContent(c: Candidates, a: number, b: number): number {
  const width = stride(c.boxes);
  return (
    c.classes[a]! - c.classes[b]! ||
    (c.sight ? c.sight.cut[a]! - c.sight.cut[b]! : 0) ||
    byNumbers(coordinates(c.boxes), a * width, b * width, width) ||
    (c.sight ? byNumbers(c.sight.tile, a * 4, b * 4, 4) : 0)
  );
}

function byNumbers(column: Float64Array, a: number, b: number, width: number): number {
  for (let k = 0; k < width; k++) {
    const difference = column[a + k]! - column[b + k]!;
    if (difference !== 0) return difference;
  }
  return 0;
}

/** All rows of all parts. The parts are of one kind, and all with or all without sight. */
export function concatCandidates(parts: readonly [Candidates, ...Candidates[]]): Candidates {
  const [first] = parts;
  if (parts.length === 1) return first;
  const boxes = withCoordinates(first.boxes, join(parts.map((part) => coordinates(part.boxes))));
  const sights = parts.map((part) => part.sight).filter((sight) => sight !== undefined);
  return {
    count: parts.reduce((sum, part) => sum + part.count, 0),
    boxes,
    bounds: boxes.kind === "axis-aligned" ? boxes.xyxy : join(parts.map((part) => part.bounds)),
    areas: join(parts.map((part) => part.areas)),
    scores: join(parts.map((part) => part.scores)),
    classes: join(parts.map((part) => part.classes)),
    sight: first.sight && {
      cut: join(sights.map((sight) => sight.cut)),
      tile: join(sights.map((sight) => sight.tile)),
      reach: join(sights.map((sight) => sight.reach)),
    },
  };
}

function join<C extends Column>(columns: readonly C[]): C {
  const length = columns.reduce((sum, column) => sum + column.length, 0);
  const joined = new (columns[0]!.constructor as new (length: number) => C)(length);
  let at = 0;
  for (const column of columns) {
    joined.set(column, at);
    at += column.length;
  }
  return joined;
}

/** Area that two rows share. The better row always comes first: the last bit of the result depends on the order. */
export function shareOf({ boxes, bounds }: Candidates): (a: number, b: number) => number {
  if (boxes.kind === "axis-aligned") return (a, b) => sharedArea(bounds, 4 * a, bounds, 4 * b);
  const numbers = coordinates(boxes);
  return (a, b) =>
    a < b
      ? intersectionArea(numbers, 8 * a, numbers, 8 * b)
      : intersectionArea(numbers, 8 * b, numbers, 8 * a);
}

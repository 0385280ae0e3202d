/**
 * The tables behind a SQLite R*Tree (sqlite.org/src/file/ext/rtree/rtree.c, "Database Format of R-Tree Tables"), packed
 * from all extents at once: the WebAssembly build of SQLite has no R*Tree module, so it cannot fill one itself. Every
 * other SQLite reads them.
 */
import type { Extents } from "./extents.ts";
import { widen } from "./extents.ts";

/** SQLite's own choice for pages of 4,096 bytes: 51 cells of an id and four coordinates. */
const CELLS_IN_NODE = 51;
const CELL_BYTES = 24;
const NODE_BYTES = 4 + CELLS_IN_NODE * CELL_BYTES;

export interface RtreeNode {
  /** The root is 1. */
  readonly number: number;
  /** Undefined for the root. */
  readonly parent: number | undefined;
  /** Rows of a leaf; empty above the leaves. */
  readonly rows: readonly number[];
  readonly data: Uint8Array;
}

/** The cells of one level of the tree, from left to right. */
interface Level {
  readonly count: number;
  readonly id: (i: number) => number;
  readonly box: (i: number) => Float64Array;
}

/**
 * Packs the tree; row ids count from one in the order of `extents`.
 *
 * @yields every node, the root last
 */
export function* packRtree(extents: Extents): Generator<RtreeNode, void, undefined> {
  const order = extents.hilbertOrder();
  const place = (i: number): number => order[i] ?? 0;
  const leaves: Level = {
    count: extents.count,
    id: (i) => place(i) + 1,
    box: (i) => extents.at(place(i)),
  };
  let level = leaves;
  let depth = 0;
  for (let first = 2; level.count > CELLS_IN_NODE; depth++) {
    const above = levelAbove(level, first);
    const grandparents = groupsOf(above.count);
    for (let node = 0; node < above.count; node++) {
      const [from, to] = groupRange(node, above.count, level.count);
      yield {
        number: first + node,
        // Numbers go level by level, so the nodes above start where this level ends.
        parent:
          grandparents === 1
            ? 1
            : first + above.count + groupOfItem(node, grandparents, above.count),
        rows: level === leaves ? ids(level, from, to) : [],
        data: nodeBytes(level, from, to, 0),
      };
    }
    first += above.count;
    level = above;
  }
  yield {
    number: 1,
    parent: undefined,
    rows: level === leaves ? ids(level, 0, level.count) : [],
    data: nodeBytes(level, 0, level.count, depth),
  };
}

/** The nodes over a level, numbered from `first`, as cells of the level above. */
function levelAbove(level: Level, first: number): Level {
  const count = groupsOf(level.count);
  const boxes = new Float64Array(4 * count);
  const box = (i: number): Float64Array => boxes.subarray(4 * i, 4 * i + 4);
  for (let node = 0; node < count; node++) {
    box(node).set([Infinity, Infinity, -Infinity, -Infinity]);
    const [from, to] = groupRange(node, count, level.count);
    for (let i = from; i < to; i++) widen(box(node), level.box(i));
  }
  return { count, id: (i) => first + i, box };
}

/** As few groups as can be; {@link groupRange} makes them nearly equal. */
function groupsOf(count: number): number {
  return Math.ceil(count / CELLS_IN_NODE);
}

function groupOfItem(item: number, groups: number, count: number): number {
  return Math.floor((item * groups) / count);
}

/** Half-open range of the items in a group: those that {@link groupOfItem} puts there. */
function groupRange(
  group: number,
  groups: number,
  count: number,
): readonly [from: number, to: number] {
  return [Math.ceil((group * count) / groups), Math.ceil(((group + 1) * count) / groups)];
}

function ids(level: Level, from: number, to: number): readonly number[] {
  return Array.from({ length: to - from }, (_, i) => level.id(from + i));
}

/** Big-endian: depth of the tree (root only), number of cells, then `id minx maxx miny maxy` each. */
function nodeBytes(level: Level, from: number, to: number, depth: number): Uint8Array {
  const view = new DataView(new ArrayBuffer(NODE_BYTES));
  view.setUint16(0, depth);
  view.setUint16(2, to - from);
  for (let i = from, at = 4; i < to; i++, at += CELL_BYTES) {
    const [west = 0, south = 0, east = 0, north = 0] = level.box(i);
    view.setBigInt64(at, BigInt(level.id(i)));
    view.setFloat32(at + 8, notAbove(west));
    view.setFloat32(at + 12, -notAbove(-east));
    view.setFloat32(at + 16, notAbove(south));
    view.setFloat32(at + 20, -notAbove(-north));
  }
  return new Uint8Array(view.buffer);
}

const bits = new DataView(new ArrayBuffer(4));

/** The largest 32-bit float that is not above `value`. */
function notAbove(value: number): number {
  const near = Math.fround(value);
  if (near <= value) return near;
  bits.setFloat32(0, near);
  const pattern = bits.getInt32(0);
  if (near === 0) return -(2 ** -149);
  bits.setInt32(0, near > 0 ? pattern - 1 : pattern + 1);
  return bits.getFloat32(0);
}

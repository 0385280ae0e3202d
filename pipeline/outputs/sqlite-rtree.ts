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

interface Cell {
  readonly id: number;
  readonly box: Float64Array;
}

/**
 * Packs the tree; row ids count from one in the order of `extents`.
 *
 * @yields every node, the root last
 */
export function* packRtree(extents: Extents): Generator<RtreeNode, void, undefined> {
  let next = 2;
  let cells: readonly Cell[] = Array.from(extents.hilbertOrder(), (i) => ({
    id: i + 1,
    box: extents.at(i),
  }));
  let isLeaf = true;
  let depth = 0;
  while (cells.length > CELLS_IN_NODE) {
    // A node's parent gets its number after all nodes of its level.
    const groups = inGroups(cells);
    const firstParent = next + groups.length;
    const parents = groups.length > CELLS_IN_NODE ? evenGroups(groups.length) : undefined;
    const above: Cell[] = [];
    for (const [i, group] of groups.entries()) {
      const box = Float64Array.of(Infinity, Infinity, -Infinity, -Infinity);
      for (const cell of group) widen(box, cell.box);
      above.push({ id: next, box });
      yield {
        number: next++,
        parent: parents === undefined ? 1 : firstParent + (parents[i] ?? 0),
        rows: isLeaf ? group.map(({ id }) => id) : [],
        data: nodeBytes(group, 0),
      };
    }
    cells = above;
    isLeaf = false;
    depth++;
  }
  yield {
    number: 1,
    parent: undefined,
    rows: isLeaf ? cells.map(({ id }) => id) : [],
    data: nodeBytes(cells, depth),
  };
}

/** For each of `count` items, the number of its group; groups are as few as can be and nearly equal. */
function evenGroups(count: number): readonly number[] {
  const groups = Math.ceil(count / CELLS_IN_NODE);
  return Array.from({ length: count }, (_, i) => Math.floor((i * groups) / count));
}

function inGroups(cells: readonly Cell[]): readonly (readonly Cell[])[] {
  const groups: Cell[][] = [];
  evenGroups(cells.length).forEach((group, i) => {
    const cell = cells[i];
    if (cell !== undefined) (groups[group] ??= []).push(cell);
  });
  return groups;
}

/** Big-endian: depth of the tree (root only), number of cells, then `id minx maxx miny maxy` each. */
function nodeBytes(cells: readonly Cell[], depth: number): Uint8Array {
  const view = new DataView(new ArrayBuffer(NODE_BYTES));
  view.setUint16(0, depth);
  view.setUint16(2, cells.length);
  cells.forEach(({ id, box: [west = 0, south = 0, east = 0, north = 0] }, i) => {
    const at = 4 + i * CELL_BYTES;
    view.setBigInt64(at, BigInt(id));
    view.setFloat32(at + 8, notAbove(west));
    view.setFloat32(at + 12, -notAbove(-east));
    view.setFloat32(at + 16, notAbove(south));
    view.setFloat32(at + 20, -notAbove(-north));
  });
  return new Uint8Array(view.buffer);
}

const bits = new DataView(new ArrayBuffer(4));

/** The largest 32-bit float that is not above `value`. */
export function notAbove(value: number): number {
  const near = Math.fround(value);
  if (near <= value) return near;
  bits.setFloat32(0, near);
  const pattern = bits.getInt32(0);
  if (near === 0) return -(2 ** -149);
  bits.setInt32(0, near > 0 ? pattern - 1 : pattern + 1);
  return bits.getFloat32(0);
}

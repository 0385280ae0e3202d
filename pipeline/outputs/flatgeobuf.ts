/**
 * FlatGeobuf 3: header, packed Hilbert R-tree, features in the order of the tree.
 *
 * The index stands before the features, so features wait in the spool until all are known; memory holds an extent, an
 * offset and a length for each.
 */
import type { FoundObject } from "../objects.ts";
import type { Extents } from "./extents.ts";
import { createExtents, widen } from "./extents.ts";
import { COLUMNS, attributesOf, closedRing, cornersIn, crsName, extent } from "./feature.ts";
import type { Table } from "./flatbuffer.ts";
import { flatbuffer } from "./flatbuffer.ts";
import type { Encoder, OutputContext, Spool } from "./output.ts";
import { stem } from "./output.ts";

/** `fgb`, major version 3, `fgb`, patch version 0. */
const MAGIC = Uint8Array.of(0x66, 0x67, 0x62, 3, 0x66, 0x67, 0x62, 0);
const NODE_SIZE = 16;
const NODE_BYTES = 40;
const POLYGON = 3;
const COLUMN_TYPES = { integer: 5, real: 10, string: 11 } as const; // the schema's Int, Double, String

export function flatgeobuf(context: OutputContext, spool: Spool): Encoder {
  const extents = createExtents();
  const lengths: number[] = [];
  return {
    begin: () => "", // the header counts the features
    write: async (object) => {
      const ring = closedRing(cornersIn(object, context.crs));
      const bytes = flatbuffer(feature(object, ring));
      extents.add(extent(ring));
      lengths.push(bytes.length);
      await spool.append(bytes);
      return "";
    },
    end: () => file(context, extents, lengths, spool),
  };
}

async function* file(
  context: OutputContext,
  extents: Extents,
  lengths: readonly number[],
  spool: Spool,
): AsyncGenerator<Uint8Array, void, undefined> {
  yield MAGIC;
  yield flatbuffer(header(context, extents));
  if (extents.count === 0) return;
  const order = extents.hilbertOrder();
  const starts = new Float64Array(lengths.length);
  for (let i = 1; i < lengths.length; i++) {
    starts[i] = (starts[i - 1] ?? 0) + (lengths[i - 1] ?? 0);
  }
  yield packedTree(extents, order, lengths);
  for (const i of order) yield spool.read(starts[i] ?? 0, lengths[i] ?? 0);
}

function header(context: OutputContext, extents: Extents): Table {
  const { scene, crs } = context;
  const total = extents.total();
  return [
    { string: stem(scene.source) },
    total && { float64s: total },
    { uint8: POLYGON },
    undefined, // no z
    undefined, // no m
    undefined, // no t
    undefined, // no tm
    {
      tables: Object.entries(COLUMNS).map(([name, type]) => [
        { string: name },
        { uint8: COLUMN_TYPES[type] },
      ]),
    },
    { uint64: extents.count },
    { uint16: extents.count === 0 ? 0 : NODE_SIZE },
    crs === "pixel" ? undefined : { table: crsTable(context) },
    undefined,
    { string: crs === "pixel" ? "Coordinates are pixels, y down" : "" },
  ];
}

function crsTable(context: OutputContext): Table {
  const { scene, crs, wkt } = context;
  const epsg = crs === "wgs84" ? 4326 : scene.crs?.epsg;
  return [
    epsg === undefined ? undefined : { string: "EPSG" },
    epsg === undefined ? undefined : { int32: epsg },
    { string: crs === "wgs84" ? "WGS 84" : (scene.crs?.name ?? crsName(crs, scene)) },
    undefined,
    crs === "source" && wkt !== undefined ? { string: wkt } : undefined,
  ];
}

function feature(object: FoundObject, ring: Float64Array): Table {
  return [{ table: [undefined, { float64s: ring }] }, { bytes: properties(object) }];
}

const utf8 = new TextEncoder();

/** Column number and value, one after another; what is unknown is left out. */
function properties(object: FoundObject): Uint8Array {
  const values = Object.values(attributesOf(object)) as (string | number | undefined)[];
  const bytes = new Uint8Array(256 + 3 * object.class.length);
  const view = new DataView(bytes.buffer);
  let at = 0;
  Object.values(COLUMNS).forEach((type, column) => {
    const value = values[column];
    if (value === undefined) return;
    view.setUint16(at, column, true);
    at += 2;
    if (type === "string") {
      const text = utf8.encode(String(value));
      view.setUint32(at, text.length, true);
      bytes.set(text, at + 4);
      at += 4 + text.length;
    } else if (type === "integer") {
      view.setInt32(at, Number(value), true);
      at += 4;
    } else {
      view.setFloat64(at, Number(value), true);
      at += 8;
    }
  });
  return bytes.subarray(0, at);
}

/**
 * The tree as it lies in the file: the root first, the leaves last, each node `minx miny maxx maxy offset`. A leaf's
 * offset counts bytes from the first feature, another's counts nodes from the root.
 */
export function packedTree(
  extents: Extents,
  order: Uint32Array,
  lengths: readonly number[],
): Uint8Array {
  const levels = levelSizes(order.length);
  const firsts = levels.map((_, level) => levels.slice(level + 1).reduce((sum, n) => sum + n, 0));
  const nodes = levels.reduce((sum, n) => sum + n, 0);
  const view = new DataView(new ArrayBuffer(nodes * NODE_BYTES));
  let offset = 0;
  order.forEach((i, place) => {
    setNode(view, (firsts[0] ?? 0) + place, extents.at(i), offset);
    offset += lengths[i] ?? 0;
  });
  for (let level = 1; level < levels.length; level++) {
    const [below = 0, belowSize = 0] = [firsts[level - 1], levels[level - 1]];
    for (let node = 0; node < (levels[level] ?? 0); node++) {
      const first = below + node * NODE_SIZE;
      const past = Math.min(first + NODE_SIZE, below + belowSize);
      const box = Float64Array.of(Infinity, Infinity, -Infinity, -Infinity);
      for (let child = first; child < past; child++) widen(box, nodeExtent(view, child));
      setNode(view, (firsts[level] ?? 0) + node, box, first);
    }
  }
  return new Uint8Array(view.buffer);
}

/** Nodes of each level, leaves first; there is always a level above the leaves. */
function levelSizes(leaves: number): readonly number[] {
  const sizes = [leaves];
  do sizes.push(Math.ceil((sizes.at(-1) ?? 0) / NODE_SIZE));
  while ((sizes.at(-1) ?? 0) > 1);
  return sizes;
}

function setNode(view: DataView, node: number, box: Float64Array, offset: number): void {
  const at = node * NODE_BYTES;
  box.forEach((value, k) => view.setFloat64(at + 8 * k, value, true));
  view.setBigUint64(at + 32, BigInt(offset), true);
}

function nodeExtent(view: DataView, node: number): Float64Array {
  return Float64Array.from({ length: 4 }, (_, k) =>
    view.getFloat64(node * NODE_BYTES + 8 * k, true),
  );
}

/** The bytes of TIFF directories, classic or BigTIFF, little-endian. */

/** A tag of a directory. Tags are given in rising order. */
export interface Field {
  readonly tag: number;
  readonly type: FieldType;
  readonly values: readonly number[] | string;
}

/** `offset` is 32 bits in a classic file and 64 in a BigTIFF. */
export type FieldType = "ascii" | "short" | "long" | "double" | "offset";

const CODES = { ascii: 2, short: 3, long: 4, double: 12, offset: 4 } as const;
const SIZES = { ascii: 1, short: 2, long: 4, double: 8, offset: 4 } as const;
const LONG8 = 16;

/** Bytes before the first block: room for either header, for which one it is shows only at the end. */
export const HEADER_BYTES = 16;

/** Offsets at and beyond this do not fit a classic TIFF. */
export const CLASSIC_END: number = 2 ** 32;

export function header(firstDirectory: number, big: boolean): Uint8Array {
  const bytes = new Uint8Array(HEADER_BYTES);
  const view = new DataView(bytes.buffer);
  view.setUint16(0, 0x4949);
  view.setUint16(2, big ? 43 : 42, true);
  if (big) {
    view.setUint16(4, 8, true); // bytes of an offset
    view.setBigUint64(8, BigInt(firstDirectory), true);
  } else view.setUint32(4, firstDirectory, true);
  return bytes;
}

/** Directories one after another, as they stand in the file from `offset`. */
export function directoryBytes(
  directories: readonly (readonly Field[])[],
  offset: number,
  big: boolean,
): Uint8Array {
  const sizes = directories.map((fields) => directorySize(fields, big));
  const bytes = new Uint8Array(sizes.reduce((sum, size) => sum + size, 0));
  let at = 0;
  directories.forEach((fields, index) => {
    const size = sizes[index] ?? 0;
    const isLast = index === directories.length - 1;
    const part = bytes.subarray(at, at + size);
    putDirectory(part, fields, { offset: offset + at, next: isLast ? 0 : offset + at + size, big });
    at += size;
  });
  return bytes;
}

interface Position {
  readonly offset: number;
  readonly next: number;
  readonly big: boolean;
}

/** Sizes of the parts of a directory. */
function measures(big: boolean) {
  return big
    ? { countBytes: 8, entryBytes: 20, inlineBytes: 8, valueAt: 12 }
    : { countBytes: 2, entryBytes: 12, inlineBytes: 4, valueAt: 8 };
}

function directorySize(fields: readonly Field[], big: boolean): number {
  const { countBytes, entryBytes, inlineBytes } = measures(big);
  const outside = fields
    .map((field) => valueBytes(field, big))
    .filter((length) => length > inlineBytes);
  const head = even(countBytes + fields.length * entryBytes + inlineBytes);
  return head + outside.reduce((sum, length) => sum + even(length), 0);
}

function valueBytes(field: Field, big: boolean): number {
  const size = field.type === "offset" && big ? 8 : SIZES[field.type];
  return count(field) * size;
}

/** A text ends with a zero, which counts. */
function count({ values }: Field): number {
  return typeof values === "string" ? new TextEncoder().encode(values).length + 1 : values.length;
}

/** Values begin at even offsets. */
function even(length: number): number {
  return length + (length % 2);
}

function putDirectory(bytes: Uint8Array, fields: readonly Field[], position: Position): void {
  const { offset, next, big } = position;
  const { countBytes, entryBytes, inlineBytes, valueAt } = measures(big);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const putOffset = (at: number, value: number): void => {
    if (big) view.setBigUint64(at, BigInt(value), true);
    else view.setUint32(at, value, true);
  };
  if (big) view.setBigUint64(0, BigInt(fields.length), true);
  else view.setUint16(0, fields.length, true);
  let outside = even(countBytes + fields.length * entryBytes + inlineBytes);
  fields.forEach((field, index) => {
    const at = countBytes + index * entryBytes;
    view.setUint16(at, field.tag, true);
    view.setUint16(at + 2, field.type === "offset" && big ? LONG8 : CODES[field.type], true);
    putOffset(at + 4, count(field));
    const length = valueBytes(field, big);
    const isInline = length <= inlineBytes;
    if (!isInline) putOffset(at + valueAt, offset + outside);
    putValues(view, isInline ? at + valueAt : outside, field, big);
    if (!isInline) outside += even(length);
  });
  putOffset(countBytes + fields.length * entryBytes, next);
}

function putValues(view: DataView, at: number, { type, values }: Field, big: boolean): void {
  if (typeof values === "string") {
    const text = new TextEncoder().encode(values);
    new Uint8Array(view.buffer, view.byteOffset + at, text.length).set(text);
    return;
  }
  values.forEach((value, i) => {
    if (type === "short") view.setUint16(at + i * 2, value, true);
    else if (type === "double") view.setFloat64(at + i * 8, value, true);
    else if (type === "offset" && big) view.setBigUint64(at + i * 8, BigInt(value), true);
    else view.setUint32(at + i * 4, value, true);
  });
}

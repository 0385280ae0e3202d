/**
 * Just enough of the FlatBuffers wire format to write FlatGeobuf: a size-prefixed tree of tables, laid out from front
 * to back, each table after its vtable, its children behind it. Everything is aligned counting from the prefix.
 */

/** A field's value; `undefined` is left to the schema's default. */
export type Field =
  | { readonly uint8: number }
  | { readonly uint16: number }
  | { readonly int32: number }
  | { readonly uint64: number }
  | { readonly string: string }
  | { readonly bytes: Uint8Array }
  | { readonly float64s: ArrayLike<number> }
  | { readonly table: Table }
  | { readonly tables: readonly Table[] };

/** Fields by their number in the schema. */
export type Table = readonly (Field | undefined)[];

/** A size-prefixed buffer, padded to a multiple of eight bytes. */
export function flatbuffer(root: Table): Uint8Array {
  const writer = new Writer();
  const prefix = writer.reserve(4, 4);
  writer.refer(writer.reserve(4, 4), () => writer.table(root));
  writer.align(8);
  writer.view.setUint32(prefix, writer.length - 4, true);
  return writer.bytes.slice(0, writer.length);
}

const utf8 = new TextEncoder();

class Writer {
  bytes: Uint8Array<ArrayBuffer> = new Uint8Array(512);
  view: DataView = new DataView(this.bytes.buffer);
  length = 0;

  align(to: number): void {
    this.reserve(0, to);
  }

  /** Makes zeroed room and says where it starts. */
  reserve(size: number, alignment: number): number {
    const start = Math.ceil(this.length / alignment) * alignment;
    this.length = start + size;
    if (this.length > this.bytes.length) {
      const larger = new Uint8Array(2 ** Math.ceil(Math.log2(this.length + 1)));
      larger.set(this.bytes);
      this.bytes = larger;
      this.view = new DataView(larger.buffer);
    }
    return start;
  }

  /** Points the offset at `place` to what `write` puts down. */
  refer(place: number, write: () => number): void {
    const target = write();
    this.view.setUint32(place, target - place, true);
  }

  table(fields: Table): number {
    const vtable = this.reserve(4 + 2 * fields.length, 2);
    const start = this.reserve(4, 4);
    this.view.setInt32(start, start - vtable, true);
    const later: (() => void)[] = [];
    fields.forEach((field, i) => {
      if (field === undefined) return;
      const place = this.reserve(inlineBytes(field), inlineBytes(field));
      this.view.setUint16(vtable + 4 + 2 * i, place - start, true);
      if (!this.scalar(place, field)) {
        later.push(() => this.refer(place, () => this.child(field)));
      }
    });
    this.view.setUint16(vtable, 4 + 2 * fields.length, true);
    this.view.setUint16(vtable + 2, this.length - start, true);
    for (const write of later) write();
    return start;
  }

  /** Writes a field that lies in its table; false for one that lies elsewhere. */
  scalar(place: number, field: Field): boolean {
    if ("uint8" in field) this.view.setUint8(place, field.uint8);
    else if ("uint16" in field) this.view.setUint16(place, field.uint16, true);
    else if ("int32" in field) this.view.setInt32(place, field.int32, true);
    else if ("uint64" in field) this.view.setBigUint64(place, BigInt(field.uint64), true);
    else return false;
    return true;
  }

  child(field: Field): number {
    if ("table" in field) return this.table(field.table);
    if ("tables" in field) return this.tables(field.tables);
    if ("float64s" in field) return this.float64s(field.float64s);
    if ("bytes" in field) return this.vector(field.bytes, 0);
    if ("string" in field) return this.vector(utf8.encode(field.string), 1);
    throw new TypeError("flatbuffer: a scalar lies in its table, received one elsewhere");
  }

  /** Bytes with their count; a string has a zero behind it that does not count. */
  vector(bytes: Uint8Array, zeros: number): number {
    const start = this.reserve(4 + bytes.length + zeros, 4);
    this.view.setUint32(start, bytes.length, true);
    this.bytes.set(bytes, start + 4);
    return start;
  }

  float64s(values: ArrayLike<number>): number {
    this.reserve(4, 8); // so that the count ends where the doubles are aligned
    const start = this.reserve(4 + 8 * values.length, 4);
    this.view.setUint32(start, values.length, true);
    for (let i = 0; i < values.length; i++) {
      this.view.setFloat64(start + 4 + 8 * i, values[i] ?? 0, true);
    }
    return start;
  }

  tables(tables: readonly Table[]): number {
    const start = this.reserve(4 + 4 * tables.length, 4);
    this.view.setUint32(start, tables.length, true);
    tables.forEach((table, i) => this.refer(start + 4 + 4 * i, () => this.table(table)));
    return start;
  }
}

function inlineBytes(field: Field): number {
  if ("uint8" in field) return 1;
  if ("uint16" in field) return 2;
  return "uint64" in field ? 8 : 4;
}

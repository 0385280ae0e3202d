/** Values of TIFF tags (TIFF 6.0 §2, BigTIFF). */

/** By field type; 0 where there is no such type. */
const VALUE_BYTES = [0, 1, 1, 2, 4, 8, 1, 1, 2, 4, 8, 4, 8, 4, 0, 0, 8, 8, 8] as const;

/** Bytes of one value of a field type; undefined for a type that is unknown. */
export function valueBytes(type: number): number | undefined {
  const bytes = VALUE_BYTES[type];
  return bytes === 0 ? undefined : bytes;
}

/** All values in these bytes; a rational is its quotient. */
export function decodeNumbers(
  bytes: Uint8Array,
  type: number,
  littleEndian: boolean,
): readonly number[] {
  const view = dataView(bytes);
  const size = valueBytes(type) ?? 1;
  const decoded: number[] = [];
  for (let at = 0; at + size <= bytes.length; at += size) {
    decoded.push(decodeNumber(view, at, type, littleEndian));
  }
  return decoded;
}

function decodeNumber(view: DataView, at: number, type: number, little: boolean): number {
  switch (type) {
    case 3:
      return view.getUint16(at, little);
    case 4:
    case 13:
      return view.getUint32(at, little);
    case 5:
      return view.getUint32(at, little) / view.getUint32(at + 4, little);
    case 6:
      return view.getInt8(at);
    case 8:
      return view.getInt16(at, little);
    case 9:
      return view.getInt32(at, little);
    case 10:
      return view.getInt32(at, little) / view.getInt32(at + 4, little);
    case 11:
      return view.getFloat32(at, little);
    case 12:
      return view.getFloat64(at, little);
    case 16:
    case 18:
      return Number(view.getBigUint64(at, little));
    case 17:
      return Number(view.getBigInt64(at, little));
    default:
      return view.getUint8(at);
  }
}

export function dataView(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

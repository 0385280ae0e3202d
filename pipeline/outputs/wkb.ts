/** A ring as well-known binary (OGC 06-103r4 §8): little-endian, one polygon of one ring. */
export function polygonWkb(ring: Float64Array): Uint8Array {
  const bytes = new Uint8Array(13 + 8 * ring.length);
  const view = new DataView(bytes.buffer);
  view.setUint8(0, 1); // little-endian
  view.setUint32(1, 3, true); // polygon
  view.setUint32(5, 1, true); // rings
  view.setUint32(9, ring.length / 2, true); // points
  ring.forEach((value, i) => view.setFloat64(13 + 8 * i, value, true));
  return bytes;
}

/**
 * Weights in half precision on the device, where that loses nothing: files keep weights in halves, and what has not been
 * folded into another number since is one still. Shaders unpack pairs of them, which every adapter can.
 */

/** Fewer values are not worth a shader of their own. */
const LEAST_VALUES = 64;

/** The tensors of which every value is a half-precision number, packed in pairs, the first in the lower bits. */
export function halvesOf(
  tensors: ReadonlyMap<string, Float32Array>,
): ReadonlyMap<string, Uint32Array> {
  const found = new Map<string, Uint32Array>();
  for (const [name, data] of tensors) {
    const packed = data.length >= LEAST_VALUES ? packHalves(data) : undefined;
    if (packed) found.set(name, packed);
  }
  return found;
}

/** Pairs of IEEE 754 binary16 numbers, or nothing where a value is none. */
export function packHalves(data: Float32Array): Uint32Array | undefined {
  const bits = new Uint32Array(data.buffer, data.byteOffset, data.length);
  const packed = new Uint32Array(Math.ceil(data.length / 2));
  for (const [i, word] of bits.entries()) {
    const half = halfOf(word);
    if (half === undefined) return undefined;
    packed[i >> 1] = (packed[i >> 1] ?? 0) | (half << (16 * (i & 1)));
  }
  return packed;
}

/** The half with the value of a float32, both as bits; nothing where it would lose digits or exceed halves. */
function halfOf(word: number): number | undefined {
  const sign = (word >>> 16) & 0x8000;
  if (word << 1 === 0) return sign;
  const exponent = ((word >>> 23) & 0xff) - 127;
  if (exponent > 15 || exponent < -24) return undefined;
  // Below 2⁻¹⁴ the exponent stays, and digits go.
  const lost = 13 + Math.max(0, -14 - exponent);
  const digits = (word & 0x7fffff) | 0x800000;
  if ((digits & ((1 << lost) - 1)) !== 0) return undefined;
  // The hidden bit adds one to the exponent.
  return sign | ((digits >>> lost) + (Math.max(exponent, -14) + 14) * 1024);
}

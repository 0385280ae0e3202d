/** Half precision (IEEE 754 binary16), which Node 20 has no array for. */

const bits = new Uint32Array(1);
const float = new Float32Array(bits.buffer);

/** Exact: every half is a float32. */
export function fromHalf(halves: Uint16Array): Float32Array {
  const out = new Float32Array(halves.length);
  for (let i = 0; i < halves.length; i++) {
    const half = halves[i] ?? 0;
    const sign = half & 0x8000 ? -1 : 1;
    const exponent = (half >> 10) & 31;
    const fraction = half & 1023;
    if (exponent === 31) out[i] = fraction === 0 ? sign * Infinity : Number.NaN;
    else if (exponent === 0) out[i] = sign * fraction * 2 ** -24;
    else out[i] = sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
  }
  return out;
}

/** To the nearest half, ties to even; beyond ±65,504 to infinity. */
export function toHalf(floats: Float32Array): Uint16Array {
  const out = new Uint16Array(floats.length);
  for (let i = 0; i < floats.length; i++) {
    float[0] = floats[i] ?? 0;
    const word = bits[0] ?? 0;
    const sign = (word >>> 16) & 0x8000;
    const magnitude = word & 0x7fff_ffff;
    if (magnitude > 0x7f80_0000) out[i] = sign | 0x7e00;
    else if (magnitude >= 0x4780_0000) out[i] = sign | 0x7c00;
    else if (magnitude < 0x3880_0000)
      out[i] = sign | roundToEven(Math.abs(float[0] ?? 0) * 2 ** 24);
    else out[i] = sign | roundToEven((magnitude - 0x3800_0000) / 8192);
  }
  return out;
}

function roundToEven(x: number): number {
  const floor = Math.floor(x);
  const rest = x - floor;
  return floor + (rest > 0.5 || (rest === 0.5 && floor % 2 === 1) ? 1 : 0);
}

/** Half-precision numbers, both kinds, as bits in a Uint16Array (Node 20 has no Float16Array). */

const word = new Float32Array(1);
const bits = new Uint32Array(word.buffer);

/** IEEE 754 binary16 to a number. */
export function fromHalf(half: number): number {
  const sign = half & 0x8000 ? -1 : 1;
  const [exponent, fraction] = [(half >> 10) & 0x1f, half & 0x3ff];
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 31) return fraction === 0 ? sign * Infinity : Number.NaN;
  return sign * 2 ** (exponent - 15) * (1 + fraction / 1024);
}

/** A number to IEEE 754 binary16, to the nearest, ties to even; beyond 65,504 it is infinite. */
export function toHalf(value: number): number {
  const sign = value < 0 || Object.is(value, -0) ? 0x8000 : 0;
  const size = Math.abs(value);
  if (Number.isNaN(value)) return 0x7e00;
  // At 65,520 and beyond, the nearest number is the one after the largest.
  if (size >= 65520) return sign | 0x7c00;
  const exponent = Math.max(Math.floor(Math.log2(size)), -14);
  const scaled = size * 2 ** (10 - exponent);
  const whole = Math.floor(scaled);
  const rest = scaled - whole;
  const up = rest > 0.5 || (rest === 0.5 && whole % 2 === 1);
  // The hidden bit adds one to the exponent, and rounding up may carry into it: both are right.
  return sign | (whole + Number(up) + (exponent + 14) * 1024);
}

/** The nearest half (its bits) that has so many significant binary digits of 11, ties to even; the rest are zeros. */
export function roundHalf(half: number, digits: number): number {
  const unit = 2 ** (11 - digits);
  const size = half & 0x7fff;
  if (size >= 0x7c00) return half;
  const rest = size % unit;
  const up = rest > unit / 2 || (rest === unit / 2 && (size / unit) % 2 >= 1);
  const rounded = size - rest + (up ? unit : 0);
  // Where the next number would be infinite, it is the one below.
  return (half & 0x8000) | (rounded >= 0x7c00 ? size - rest : rounded);
}

/** bfloat16 to a number: the upper half of a float32. */
export function fromBrain(half: number): number {
  bits[0] = half << 16;
  return word[0] ?? Number.NaN;
}

/** A number to bfloat16, to the nearest, ties to even. */
export function toBrain(value: number): number {
  if (Number.isNaN(value)) return 0x7fc0;
  word[0] = value;
  const all = bits[0] ?? 0;
  return ((all + 0x7fff + ((all >>> 16) & 1)) >>> 16) & 0xffff;
}

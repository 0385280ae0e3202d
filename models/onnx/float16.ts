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

/** A float32 to IEEE 754 binary16, to the nearest, ties to even; beyond 65,504 it is infinite. */
export function toHalf(value: number): number {
  word[0] = value;
  const all = bits[0] ?? 0;
  const sign = (all >>> 16) & 0x8000;
  const size = all & 0x7fff_ffff;
  if (size > 0x7f80_0000) return sign | 0x7e00; // not a number
  if (size >= 0x4780_0000) return sign | 0x7c00;
  // Below the smallest normal half, halves are multiples of one unit.
  if (size < 0x3880_0000) return sign | roundToEven(Math.abs(value) * 2 ** 24);
  // The exponent has another bias; a carry of the fraction into it is right, up to infinity.
  return sign | roundToEven((size - 0x3800_0000) / 8192);
}

function roundToEven(x: number): number {
  const whole = Math.floor(x);
  const rest = x - whole;
  return whole + Number(rest > 0.5 || (rest === 0.5 && whole % 2 === 1));
}

/** All of them; exact, for every half is a float32. */
export function fromHalves(halves: Uint16Array): Float32Array {
  const values = new Float32Array(halves.length);
  for (let i = 0; i < halves.length; i++) values[i] = fromHalf(halves[i] ?? 0);
  return values;
}

/** All of them, to the nearest. */
export function toHalves(values: Float32Array): Uint16Array {
  const halves = new Uint16Array(values.length);
  for (let i = 0; i < values.length; i++) halves[i] = toHalf(values[i] ?? 0);
  return halves;
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

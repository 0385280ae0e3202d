/** From stored bytes to samples: byte order, predictors 2 and 3 (TIFF 6.0 §14, TIFF Technical Note 3), packed bits. */
import type { Samples } from "../../scene.ts";
import { allocate, view } from "../samples.ts";
import type { EncodedBlock } from "./codecs.ts";

const MACHINE_IS_LITTLE_ENDIAN = new Uint8Array(new Uint16Array([1]).buffer)[0] === 1;

/** Samples of a decoded block in the machine's byte order, bands interleaved; changes `bytes`. */
export function toSamples(bytes: Uint8Array, block: EncodedBlock, isNative: boolean): Samples {
  const { layout, samples } = block;
  const { bits, sampleType } = layout;
  if (bits === 16 && layout.isFloat) return widenHalves(bytes, layout.littleEndian, isNative);
  if (bits % 8 !== 0) return unpackBits(bytes, block);
  const predictor = isNative ? 1 : layout.predictor;
  const rowSamples = block.width * samples;
  if (predictor === 3) undoFloatPredictor(bytes, rowSamples, samples, bits / 8);
  else if (!isNative && layout.littleEndian !== MACHINE_IS_LITTLE_ENDIAN)
    swapBytes(bytes, bits / 8);
  const values = view(sampleType, bytes);
  if (predictor === 2) undoDifferences(values, rowSamples, samples);
  return values;
}

function swapBytes(bytes: Uint8Array, size: number): void {
  if (size === 1) return;
  for (let at = 0; at + size <= bytes.length; at += size) {
    bytes.subarray(at, at + size).reverse();
  }
}

/** Each sample was stored as its difference to the one before it in the row and band. */
function undoDifferences(values: Samples, rowSamples: number, stride: number): void {
  const integers =
    values instanceof Float32Array || values instanceof Float64Array ? bitsOf(values) : values;
  for (let row = 0; row < integers.length; row += rowSamples) {
    const end = Math.min(row + rowSamples, integers.length);
    for (let i = row + stride; i < end; i += 1) {
      integers[i] = (integers[i] ?? 0) + (integers[i - stride] ?? 0);
    }
  }
}

/** Predictor 2 on floats differences their bits. */
function bitsOf(values: Float32Array | Float64Array): Samples {
  if (values instanceof Float64Array) throw new Error("predictor 2 with 64-bit floats is unknown");
  return new Uint32Array(values.buffer, values.byteOffset, values.length);
}

/** Bytes of equal weight lie together in the row, differenced; the most significant ones come first. */
function undoFloatPredictor(
  bytes: Uint8Array,
  rowSamples: number,
  stride: number,
  size: number,
): void {
  const rowBytes = rowSamples * size;
  const sorted = new Uint8Array(rowBytes);
  for (let row = 0; row + rowBytes <= bytes.length; row += rowBytes) {
    for (let i = row + stride; i < row + rowBytes; i += 1) {
      bytes[i] = (bytes[i] ?? 0) + (bytes[i - stride] ?? 0);
    }
    sorted.set(bytes.subarray(row, row + rowBytes));
    for (let i = 0; i < rowSamples; i += 1) {
      for (let b = 0; b < size; b += 1) {
        const weight = MACHINE_IS_LITTLE_ENDIAN ? size - 1 - b : b;
        bytes[row + i * size + b] = sorted[weight * rowSamples + i] ?? 0;
      }
    }
  }
}

/** Samples of 1 to 15 bits, most significant bit first, every row from a whole byte. */
function unpackBits(bytes: Uint8Array, { layout, width, height, samples }: EncodedBlock): Samples {
  const { bits } = layout;
  const rowSamples = width * samples;
  const rowBytes = Math.ceil((rowSamples * bits) / 8);
  const values = allocate(layout.sampleType, rowSamples * height);
  for (let row = 0; row < height; row += 1) {
    for (let i = 0; i < rowSamples; i += 1) {
      const bit = i * bits;
      const at = row * rowBytes + (bit >> 3);
      const word = ((bytes[at] ?? 0) << 16) | ((bytes[at + 1] ?? 0) << 8) | (bytes[at + 2] ?? 0);
      values[row * rowSamples + i] = (word >>> (24 - (bit & 7) - bits)) & ((1 << bits) - 1);
    }
  }
  return values;
}

/** IEEE 754 binary16 to float32. */
function widenHalves(bytes: Uint8Array, littleEndian: boolean, isNative: boolean): Float32Array {
  const little = isNative ? MACHINE_IS_LITTLE_ENDIAN : littleEndian;
  const halves = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const values = new Float32Array(bytes.byteLength >> 1);
  for (let i = 0; i < values.length; i += 1) {
    const half = halves.getUint16(i * 2, little);
    const exponent = (half >> 10) & 31;
    const fraction = half & 1023;
    const sign = half >> 15 === 0 ? 1 : -1;
    if (exponent === 31) values[i] = fraction === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN;
    else if (exponent === 0) values[i] = sign * fraction * 2 ** -24;
    else values[i] = sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
  }
  return values;
}

/** Making and copying band data. */
import type { Samples, SampleType } from "../scene.ts";

const ARRAYS = {
  uint8: Uint8Array,
  int8: Int8Array,
  uint16: Uint16Array,
  int16: Int16Array,
  uint32: Uint32Array,
  int32: Int32Array,
  float32: Float32Array,
  float64: Float64Array,
} as const satisfies Record<SampleType, unknown>;

export function allocate(type: SampleType, length: number): Samples {
  return new ARRAYS[type](length);
}

/** The type of an array, by its class. */
export function sampleTypeOf(samples: Samples): SampleType {
  for (const type of Object.keys(ARRAYS) as SampleType[]) {
    if (samples instanceof ARRAYS[type]) return type;
  }
  throw new TypeError(`sampleTypeOf: a band must be a typed array, received ${typeof samples}`);
}

/** Sees bytes as samples in the machine's byte order; copies them where they are not aligned. */
export function view(type: SampleType, bytes: Uint8Array): Samples {
  const size = ARRAYS[type].BYTES_PER_ELEMENT;
  const aligned = bytes.byteOffset % size === 0 ? bytes : bytes.slice();
  return new ARRAYS[type](
    aligned.buffer as ArrayBuffer, // our bytes are never shared
    aligned.byteOffset,
    Math.floor(aligned.byteLength / size),
  );
}

/** A part of a plane, in the plane's own pixels. */
export interface Patch {
  readonly fromX: number;
  readonly fromY: number;
  readonly toX: number;
  readonly toY: number;
  readonly width: number;
  readonly height: number;
}

/** Copies a rectangle of one plane into another, row by row. */
export function copyPatch(
  from: Samples,
  fromWidth: number,
  to: Samples,
  toWidth: number,
  { fromX, fromY, toX, toY, width, height }: Patch,
): void {
  for (let row = 0; row < height; row += 1) {
    const start = (fromY + row) * fromWidth + fromX;
    to.set(from.subarray(start, start + width), (toY + row) * toWidth + toX);
  }
}

/** Interleaved bands to one plane each. */
export function deinterleave(values: Samples, count: number): readonly Samples[] {
  if (count === 1) return [values];
  const type = sampleTypeOf(values);
  const length = Math.floor(values.length / count);
  const planes = Array.from({ length: count }, () => allocate(type, length));
  const [red, green, blue] = planes;
  if (count === 3 && red !== undefined && green !== undefined && blue !== undefined) {
    splitThree(values, red, green, blue);
  } else planes.forEach((plane, band) => takeBand(values, count, band, plane));
  return planes;
}

/** One pass over what most pictures are: three strided passes read the pixels three times. */
function splitThree(values: Samples, red: Samples, green: Samples, blue: Samples): void {
  for (let i = 0, from = 0; i < red.length; i += 1, from += 3) {
    red[i] = values[from]!;
    green[i] = values[from + 1]!;
    blue[i] = values[from + 2]!;
  }
}

function takeBand(values: Samples, count: number, band: number, plane: Samples): void {
  for (let i = 0, from = band; i < plane.length; i += 1, from += count) plane[i] = values[from]!;
}

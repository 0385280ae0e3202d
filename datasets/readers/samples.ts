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

/** Pixels with all of their samples side by side. */
export interface Interleaved {
  readonly width: number;
  /** Samples of a pixel. */
  readonly count: number;
  readonly values: Samples;
}

/** Copies a rectangle of some bands of interleaved pixels, each into its own plane. */
export function copyBands(
  { values, width, count }: Interleaved,
  bands: readonly number[],
  to: readonly Samples[],
  toWidth: number,
  patch: Patch,
): void {
  const [first, second, third] = bands;
  const [red, green, blue] = to;
  if (bands.length === 3 && red !== undefined && green !== undefined && blue !== undefined) {
    const from = { values, width, count };
    copyThree(from, [first!, second!, third!], [red, green, blue], toWidth, patch);
  } else {
    bands.forEach((band, i) => {
      const plane = to[i];
      if (plane === undefined) return;
      if (count === 1) copyPatch(values, width, plane, toWidth, patch);
      else copyBand({ values, width, count }, band, plane, toWidth, patch);
    });
  }
}

/** One pass over what most pictures are: three strided passes read the pixels three times. */
function copyThree(
  { values, width, count }: Interleaved,
  [first, second, third]: readonly [number, number, number],
  [red, green, blue]: readonly [Samples, Samples, Samples],
  toWidth: number,
  patch: Patch,
): void {
  for (let row = 0; row < patch.height; row += 1) {
    let from = ((patch.fromY + row) * width + patch.fromX) * count;
    const start = (patch.toY + row) * toWidth + patch.toX;
    const end = start + patch.width;
    for (let at = start; at < end; at += 1, from += count) {
      red[at] = values[from + first]!;
      green[at] = values[from + second]!;
      blue[at] = values[from + third]!;
    }
  }
}

function copyBand(
  { values, width, count }: Interleaved,
  band: number,
  plane: Samples,
  toWidth: number,
  patch: Patch,
): void {
  for (let row = 0; row < patch.height; row += 1) {
    let from = ((patch.fromY + row) * width + patch.fromX) * count + band;
    const start = (patch.toY + row) * toWidth + patch.toX;
    const end = start + patch.width;
    for (let at = start; at < end; at += 1, from += count) plane[at] = values[from]!;
  }
}

/** Interleaved bands to one plane each. */
export function deinterleave(values: Samples, count: number): readonly Samples[] {
  if (count === 1) return [values];
  const type = sampleTypeOf(values);
  const width = Math.floor(values.length / count);
  const planes = Array.from({ length: count }, () => allocate(type, width));
  const whole = { fromX: 0, fromY: 0, toX: 0, toY: 0, width, height: 1 };
  copyBands({ values, width, count }, [...planes.keys()], planes, width, whole);
  return planes;
}

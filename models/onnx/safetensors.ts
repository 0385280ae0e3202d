/**
 * Weights as files: safetensors (https://huggingface.co/docs/safetensors, "Format").
 *
 * Eight bytes of header length, a JSON header, and the values, little-endian, without gaps.
 */
import { volume } from "../../attention/index.ts";
import { ModelError } from "../card.ts";
import { fromBrain, fromHalf, roundHalf, toBrain, toHalf } from "./float16.ts";

/** Bytes of one value of each type that a file may hold. */
const BYTES = {
  F64: 8,
  F32: 4,
  F16: 2,
  BF16: 2,
  I64: 8,
  I32: 4,
  I16: 2,
  I8: 1,
  U8: 1,
  BOOL: 1,
} as const;

export type StoredType = keyof typeof BYTES;

export interface StoredTensor {
  readonly type: StoredType;
  readonly shape: readonly number[];
  /** Little-endian, a view of the file. */
  readonly bytes: Uint8Array;
}

export interface Safetensors {
  readonly metadata: Readonly<Record<string, string>>;
  readonly tensors: ReadonlyMap<string, StoredTensor>;
}

/** Headers longer than this are refused, as the reference reader does. */
const LONGEST_HEADER = 100_000_000;

const fault = (what: string): ModelError => new ModelError(`readSafetensors: ${what}`);

/**
 * Reads a file; tensors stay views of `bytes`.
 *
 * @throws {ModelError} where the header is no header, or offsets overlap, leave gaps or miss a tensor's size
 */
export function readSafetensors(bytes: Uint8Array): Safetensors {
  const header = readHeader(bytes);
  const values = bytes.subarray(8 + header.length);
  const tensors = new Map<string, StoredTensor>();
  let metadata: Record<string, string> = {};
  const ends: [start: number, end: number][] = [];
  for (const [name, entry] of Object.entries(header.entries)) {
    if (name === "__metadata__") {
      metadata = Object.fromEntries(Object.entries(entry).map(([k, v]) => [k, String(v)]));
      continue;
    }
    const { type, shape, start, end } = readEntry(name, entry, values.length);
    ends.push([start, end]);
    tensors.set(name, { type, shape, bytes: values.subarray(start, end) });
  }
  let at = 0;
  for (const [start, end] of ends.sort((a, b) => a[0] - b[0] || a[1] - b[1])) {
    if (start !== at)
      throw fault(`tensors must follow each other, received a start at ${start} after ${at}`);
    at = end;
  }
  if (at !== values.length) {
    throw fault(`the tensors must fill the file, received ${values.length} bytes for ${at}`);
  }
  return { metadata, tensors };
}

function readHeader(bytes: Uint8Array): {
  length: number;
  entries: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
} {
  if (bytes.length < 8) throw fault(`a file must have 8 bytes or more, received ${bytes.length}`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const length = Number(view.getBigUint64(0, true));
  if (length > Math.min(bytes.length - 8, LONGEST_HEADER)) {
    throw fault(`the header must lie within ${bytes.length} bytes, received a length of ${length}`);
  }
  let entries: unknown;
  try {
    entries = JSON.parse(
      new TextDecoder("utf-8", { fatal: true }).decode(bytes.subarray(8, 8 + length)),
    );
  } catch (cause) {
    throw new ModelError(
      `readSafetensors: the header must be JSON, received ${length} other bytes`,
      {
        cause,
      },
    );
  }
  const isTable = (value: unknown): value is Record<string, unknown> =>
    typeof value === "object" && value !== null && !Array.isArray(value);
  if (!isTable(entries) || !Object.values(entries).every(isTable)) {
    throw fault("the header must be a table of tensors, received other JSON");
  }
  return { length, entries: entries as Record<string, Record<string, unknown>> };
}

/** Checks one line of the header. */
function readEntry(name: string, entry: Readonly<Record<string, unknown>>, room: number) {
  const { dtype, shape, data_offsets: offsets } = entry;
  const isSize = (v: unknown): v is number => Number.isSafeInteger(v) && Number(v) >= 0;
  if (typeof dtype !== "string" || !Object.hasOwn(BYTES, dtype)) {
    throw fault(
      `${name} must be of a type in ${Object.keys(BYTES).join(", ")}, received ${String(dtype)}`,
    );
  }
  if (!Array.isArray(shape) || !shape.every(isSize)) {
    throw fault(`${name} must have a shape of whole numbers, received ${JSON.stringify(shape)}`);
  }
  if (!Array.isArray(offsets) || offsets.length !== 2 || !offsets.every(isSize)) {
    throw fault(`${name} must have two offsets, received ${JSON.stringify(offsets)}`);
  }
  const type = dtype as StoredType;
  const [start, end] = offsets as [number, number];
  const size = volume(shape) * BYTES[type];
  if (end - start !== size || end > room) {
    throw fault(`${name} must be ${size} bytes within ${room}, received ${start} to ${end}`);
  }
  return { type, shape: shape as readonly number[], start, end };
}

/** The values of a tensor as float32: a view where the file holds aligned float32, else converted. */
export function toFloat32({ type, bytes }: StoredTensor): Float32Array {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const count = bytes.length / BYTES[type];
  if (type === "F32" && bytes.byteOffset % 4 === 0) {
    return new Float32Array(bytes.buffer, bytes.byteOffset, count);
  }
  const read = READERS[type];
  return Float32Array.from({ length: count }, (_, i) => read(view, i * BYTES[type]));
}

const READERS: Readonly<Record<StoredType, (view: DataView, at: number) => number>> = {
  F64: (view, at) => view.getFloat64(at, true),
  F32: (view, at) => view.getFloat32(at, true),
  F16: (view, at) => fromHalf(view.getUint16(at, true)),
  BF16: (view, at) => fromBrain(view.getUint16(at, true)),
  I64: (view, at) => Number(view.getBigInt64(at, true)),
  I32: (view, at) => view.getInt32(at, true),
  I16: (view, at) => view.getInt16(at, true),
  I8: (view, at) => view.getInt8(at),
  U8: (view, at) => view.getUint8(at),
  BOOL: (view, at) => view.getUint8(at),
};

/**
 * A tensor of float32 values, stored as they are or shorter.
 *
 * @param digits - significant binary digits that an F16 keeps, of its 11
 */
export function fromFloat32(
  shape: readonly number[],
  values: Float32Array,
  type: "F32" | "F16" | "BF16" = "F32",
  digits = 11,
): StoredTensor {
  if (type === "F32") {
    return {
      type,
      shape,
      bytes: new Uint8Array(values.buffer, values.byteOffset, values.byteLength),
    };
  }
  const shorten = type === "F16" ? (value: number) => roundHalf(toHalf(value), digits) : toBrain;
  const halves = Uint16Array.from(values, shorten);
  return { type, shape, bytes: new Uint8Array(halves.buffer) };
}

/** Writes a file: tensors in the order given, aligned to 8 bytes. Equal tensors give equal bytes. */
export function writeSafetensors(
  tensors: ReadonlyMap<string, StoredTensor>,
  metadata: Readonly<Record<string, string>> = {},
): Uint8Array {
  let at = 0;
  const entries = Object.fromEntries(
    [...tensors].map(([name, { type, shape, bytes }]) => {
      const size = volume(shape) * BYTES[type];
      if (bytes.length !== size) {
        throw new ModelError(
          `writeSafetensors: ${name} [${shape.join(" ")}] must be ${size} bytes, received ${bytes.length}`,
        );
      }
      const line = { dtype: type, shape, data_offsets: [at, at + size] };
      at += size;
      return [name, line];
    }),
  );
  const facts = Object.keys(metadata).length > 0 ? { __metadata__: metadata } : {};
  const text = JSON.stringify({ ...facts, ...entries });
  const encoded = new TextEncoder().encode(text);
  const length = Math.ceil(encoded.length / 8) * 8;
  const file = new Uint8Array(8 + length + at);
  new DataView(file.buffer).setBigUint64(0, BigInt(length), true);
  file.fill(0x20, 8, 8 + length);
  file.set(encoded, 8);
  let end = 8 + length;
  for (const { bytes } of tensors.values()) {
    file.set(bytes, end);
    end += bytes.length;
  }
  return file;
}

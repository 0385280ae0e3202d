/** Tensors of the protocol and tensors of engines, both ways: as JSON and as the bytes of the binary extension. */
import type { EngineTensor, Port } from "../../../pipeline/index.ts";
import { RequestError } from "../problem.ts";
import type { InferInput, InferOutput, JsonData } from "./protocol.ts";

type Kind = EngineTensor["type"];

/** Datatype → how engines call it, bytes of one element. */
const DATATYPES: Readonly<Record<string, { readonly type: Kind; readonly bytes: number }>> = {
  FP32: { type: "float32", bytes: 4 },
  INT32: { type: "int32", bytes: 4 },
  INT64: { type: "int64", bytes: 8 },
  UINT8: { type: "uint8", bytes: 1 },
  BOOL: { type: "bool", bytes: 1 },
};

/** The datatype of a port; half precision is spoken to in FP32, as engines are. */
export function datatypeOf(type: string): string {
  const known = Object.entries(DATATYPES).find(([, entry]) => entry.type === type)?.[0];
  return known ?? (type === "float16" || type === "float64" ? "FP32" : "INT32");
}

/** An input whose data has been found: in the JSON, or among the bytes after it. */
export interface GivenInput extends InferInput {
  readonly bytes: Uint8Array | undefined;
}

/**
 * Hands the bytes after the JSON to the inputs they belong to.
 *
 * @throws {RequestError} where they are too few or too many
 */
export function withBytes(inputs: readonly InferInput[], tail: Uint8Array): readonly GivenInput[] {
  let at = 0;
  const given = inputs.map((input): GivenInput => {
    const size = input.parameters?.["binary_data_size"];
    if (size === undefined) {
      if (input.data === undefined) throw bad(`${input.name} must have data, received none`);
      return { ...input, bytes: undefined };
    }
    if (typeof size !== "number" || !Number.isInteger(size) || size < 0) {
      throw bad(`${input.name} must have a whole binary_data_size, received ${size}`);
    }
    if (input.data !== undefined) throw bad(`${input.name} must have data or bytes, not both`);
    const bytes = tail.subarray(at, at + size);
    at += size;
    return { ...input, bytes };
  });
  if (at !== tail.length) throw bad(`${at} bytes must follow the JSON, received ${tail.length}`);
  return given;
}

/** An input as a tensor for the port of its name. @throws {RequestError} where it does not fit */
export function toTensor(input: GivenInput, port: Port): EngineTensor {
  const wanted = datatypeOf(port.type);
  const entry = DATATYPES[input.datatype];
  if (entry === undefined || input.datatype !== wanted) {
    throw bad(`${input.name} must be ${wanted}, received ${input.datatype}`);
  }
  const fits =
    input.shape.length === port.dims.length &&
    port.dims.every((size, i) => size === undefined || size === input.shape[i]);
  if (!fits) {
    const shape = port.dims.map((size) => size ?? "any").join(" ");
    throw bad(`${input.name} must be [${shape}], received [${input.shape.join(" ")}]`);
  }
  const count = input.shape.reduce((a, b) => a * b, 1);
  if (count === 0) throw bad(`${input.name} must hold a value, received an empty shape`);
  const data =
    input.bytes === undefined
      ? fromJson(input, entry.type, count)
      : fromBytes(input, entry.type, count * entry.bytes);
  return { type: entry.type, dims: input.shape, data } as EngineTensor; // each kind has its array
}

function fromBytes({ name, bytes = new Uint8Array() }: GivenInput, type: Kind, length: number) {
  if (bytes.length !== length) {
    throw bad(`${name} must have ${length} bytes, received ${bytes.length}`);
  }
  return arrayOf(type, new Uint8Array(bytes).buffer); // a copy begins where its elements may
}

function arrayOf(type: Kind, buffer: ArrayBuffer): EngineTensor["data"] {
  switch (type) {
    case "float32":
      return new Float32Array(buffer);
    case "int32":
      return new Int32Array(buffer);
    case "int64":
      return new BigInt64Array(buffer);
    default:
      return new Uint8Array(buffer);
  }
}

function fromJson({ name, data = [] }: GivenInput, type: Kind, count: number) {
  const values = (data as readonly unknown[]).flat(8);
  if (values.length !== count) {
    throw bad(`${name} must have ${count} values, received ${values.length}`);
  }
  const wanted = type === "bool" ? "boolean" : "number";
  const isWhole = type !== "float32" && type !== "bool";
  const odd = values.findIndex(
    (value) => typeof value !== wanted || (isWhole && !Number.isSafeInteger(value)),
  );
  if (odd >= 0) {
    throw bad(
      `${name} must hold ${isWhole ? "whole numbers" : `${wanted}s`}, received another at ${odd}`,
    );
  }
  if (type === "int64") return BigInt64Array.from(values as number[], BigInt);
  if (type === "float32") return Float32Array.from(values as number[]);
  return type === "int32"
    ? Int32Array.from(values as number[])
    : Uint8Array.from(values as number[], Number);
}

/** The texts or files of a BYTES input: each with its length before it, or base64 in JSON. */
export function toFiles(input: GivenInput): readonly Uint8Array[] {
  if (input.datatype !== "BYTES") {
    throw bad(`${input.name} must be BYTES, received ${input.datatype}`);
  }
  const files = input.bytes === undefined ? decoded(input) : prefixed(input.name, input.bytes);
  const count = input.shape.reduce((a, b) => a * b, 1);
  if (files.length !== count || count === 0) {
    throw bad(`${input.name} must hold ${count} files, at least one, received ${files.length}`);
  }
  return files;
}

function decoded({ name, data = [] }: GivenInput): readonly Uint8Array[] {
  return (data as readonly unknown[]).flat(8).map((text) => {
    if (typeof text !== "string") throw bad(`${name} must hold base64 in JSON`);
    return Buffer.from(text, "base64");
  });
}

function prefixed(name: string, bytes: Uint8Array): readonly Uint8Array[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const files: Uint8Array[] = [];
  for (let at = 0; at < bytes.length;) {
    const length = at + 4 <= bytes.length ? view.getUint32(at, true) : Infinity;
    if (at + 4 + length > bytes.length) throw bad(`${name} must have its length before each file`);
    files.push(bytes.subarray(at + 4, at + 4 + length));
    at += 4 + length;
  }
  return files;
}

/** A named tensor of an answer; texts are a BYTES tensor. */
export interface Output {
  readonly name: string;
  readonly tensor: EngineTensor | { readonly dims: readonly number[]; readonly texts: readonly string[] }; // prettier-ignore
}

/** One output as the JSON says it, and its bytes where the caller asked for these. */
export function toOutput(
  { name, tensor }: Output,
  binary: boolean,
): { readonly output: InferOutput; readonly bytes: Uint8Array | undefined } {
  const datatype = "texts" in tensor ? "BYTES" : datatypeOf(tensor.type);
  const about = { name, datatype, shape: tensor.dims };
  if (!binary) return { output: { ...about, data: toJson(tensor) }, bytes: undefined };
  const bytes = "texts" in tensor ? withLengths(tensor.texts) : bytesOf(tensor.data);
  return { output: { ...about, parameters: { binary_data_size: bytes.length } }, bytes };
}

function toJson(tensor: Output["tensor"]): JsonData {
  if ("texts" in tensor) return tensor.texts;
  return tensor.type === "bool"
    ? Array.from(tensor.data, (value) => value !== 0)
    : Array.from<number | bigint, number>(tensor.data, Number);
}

const bytesOf = ({ buffer, byteOffset, byteLength }: EngineTensor["data"]): Uint8Array =>
  new Uint8Array(buffer, byteOffset, byteLength);

function withLengths(texts: readonly string[]): Uint8Array {
  return Buffer.concat(
    texts.flatMap((text) => {
      const bytes = Buffer.from(text);
      const length = Buffer.alloc(4);
      length.writeUInt32LE(bytes.length);
      return [length, bytes];
    }),
  );
}

export const bad = (sentence: string): RequestError =>
  new RequestError("ERR_REQUEST", `infer: ${sentence}`);

/**
 * The bytes of an ONNX file: `readModel` and `writeModel`.
 *
 * After reading, every repeated field is an array, possibly empty, and every single field that the file leaves out is
 * undefined. Weights are views of the file's bytes. Fields that are not in the tables below are kept as they are and
 * written back.
 */
import { PbfReader, PbfWriter } from "pbf";
import { ModelError } from "../card.ts";
import type { Draft, ModelProto } from "./messages.ts";

export * from "./messages.ts";

type Scalar = "int" | "float" | "double" | "string" | "bytes";
type MessageName = keyof typeof MESSAGES;
/** Name, content, and whether it repeats (numbers one by one, or packed into one run of bytes). */
type Field = readonly [
  name: string,
  kind: Scalar | { readonly of: string },
  many?: "many" | "packed",
];

const of = (message: string): { readonly of: string } => ({ of: message });

/** Field numbers of onnx.proto. */
const MESSAGES = {
  model: {
    1: ["irVersion", "int"],
    2: ["producerName", "string"],
    3: ["producerVersion", "string"],
    4: ["domain", "string"],
    5: ["modelVersion", "int"],
    6: ["docString", "string"],
    7: ["graph", of("graph")],
    8: ["opsetImport", of("opset"), "many"],
    14: ["metadataProps", of("entry"), "many"],
    25: ["functions", of("function"), "many"],
  },
  graph: {
    1: ["node", of("node"), "many"],
    2: ["name", "string"],
    5: ["initializer", of("tensor"), "many"],
    10: ["docString", "string"],
    11: ["input", of("valueInfo"), "many"],
    12: ["output", of("valueInfo"), "many"],
    13: ["valueInfo", of("valueInfo"), "many"],
    16: ["metadataProps", of("entry"), "many"],
  },
  node: {
    1: ["input", "string", "many"],
    2: ["output", "string", "many"],
    3: ["name", "string"],
    4: ["opType", "string"],
    5: ["attribute", of("attribute"), "many"],
    6: ["docString", "string"],
    7: ["domain", "string"],
    8: ["overload", "string"],
    9: ["metadataProps", of("entry"), "many"],
  },
  attribute: {
    1: ["name", "string"],
    2: ["f", "float"],
    3: ["i", "int"],
    4: ["s", "bytes"],
    5: ["t", of("tensor")],
    6: ["g", of("graph")],
    7: ["floats", "float", "many"],
    8: ["ints", "int", "many"],
    9: ["strings", "bytes", "many"],
    10: ["tensors", of("tensor"), "many"],
    11: ["graphs", of("graph"), "many"],
    13: ["docString", "string"],
    20: ["type", "int"],
    21: ["refAttrName", "string"],
  },
  tensor: {
    1: ["dims", "int", "many"],
    2: ["dataType", "int"],
    4: ["floatData", "float", "packed"],
    5: ["int32Data", "int", "packed"],
    6: ["stringData", "bytes", "many"],
    7: ["int64Data", "int", "packed"],
    8: ["name", "string"],
    9: ["rawData", "bytes"],
    10: ["doubleData", "double", "packed"],
    11: ["uint64Data", "int", "packed"],
    12: ["docString", "string"],
    13: ["externalData", of("entry"), "many"],
    14: ["dataLocation", "int"],
  },
  function: {
    1: ["name", "string"],
    4: ["input", "string", "many"],
    5: ["output", "string", "many"],
    6: ["attribute", "string", "many"],
    7: ["node", of("node"), "many"],
    8: ["docString", "string"],
    9: ["opsetImport", of("opset"), "many"],
    10: ["domain", "string"],
    11: ["attributeProto", of("attribute"), "many"],
    12: ["valueInfo", of("valueInfo"), "many"],
    13: ["overload", "string"],
    14: ["metadataProps", of("entry"), "many"],
  },
  valueInfo: {
    1: ["name", "string"],
    2: ["type", of("type")],
    3: ["docString", "string"],
  },
  type: { 1: ["tensorType", of("tensorType")], 6: ["denotation", "string"] },
  tensorType: { 1: ["elemType", "int"], 2: ["shape", of("shape")] },
  shape: { 1: ["dim", of("dimension"), "many"] },
  dimension: { 1: ["dimValue", "int"], 2: ["dimParam", "string"] },
  entry: { 1: ["key", "string"], 2: ["value", "string"] },
  opset: { 1: ["domain", "string"], 2: ["version", "int"] },
} as const satisfies Record<string, Record<number, Field>>;

/** A message of any kind: its fields by name, and the bytes of fields that no table names. */
type Message = Record<string | symbol, unknown>;

/** Bytes of unnamed fields, tags included. */
const UNNAMED = Symbol("fields that onnx.proto has and this file does not name");

/**
 * Reads an ONNX file. Weights stay views of `bytes`.
 *
 * @throws {ModelError} where the bytes are no ONNX file or end too early.
 */
export function readModel(bytes: Uint8Array): ModelProto {
  let model: Message;
  try {
    model = readMessage(new PbfReader(bytes), "model", bytes.length);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new ModelError(`readModel: the bytes must be an ONNX file, received ${reason}`, {
      cause,
    });
  }
  // The tables above are the interfaces above, field by field; the round-trip test holds them together.
  const read = model as unknown as ModelProto;
  if (read.graph === undefined) {
    throw new ModelError(
      `readModel: an ONNX file must hold a graph, received ${bytes.length} bytes without one`,
    );
  }
  return read;
}

/** Writes an ONNX file. Equal messages give equal bytes. */
export function writeModel(model: Draft<ModelProto>): Uint8Array {
  const writer = new PbfWriter();
  writeMessage(writer, "model", model as Message);
  return writer.finish();
}

function readMessage(pbf: PbfReader, name: MessageName, end: number): Message {
  const fields: Record<number, Field> = MESSAGES[name];
  const message: Message = {};
  for (const [field, , many] of Object.values(fields)) if (many) message[field] = [];
  for (let start = pbf.pos, tag = pbf.nextField(end); tag !== 0; tag = pbf.nextField(end)) {
    const field = fields[tag];
    if (field === undefined) {
      pbf.skip(pbf.type);
      message[UNNAMED] = [...unnamed(message), pbf.buf.subarray(start, pbf.pos)];
    } else if (field[2] === undefined) message[field[0]] = readOne(pbf, field[1]);
    else readMany(pbf, field[1], message[field[0]] as unknown[]);
    if (pbf.pos > end) throw new RangeError(`a ${name} that ends after its last byte`);
    start = pbf.pos;
  }
  return message;
}

function readOne(pbf: PbfReader, kind: Field[1]): unknown {
  if (typeof kind === "object") {
    const length = pbf.readVarint();
    if (pbf.pos + length > pbf.length) throw new RangeError(`a ${kind.of} that is cut off`);
    return readMessage(pbf, kind.of as MessageName, pbf.pos + length);
  }
  switch (kind) {
    case "int":
      return pbf.readVarint(true);
    case "float":
      return pbf.readFloat();
    case "double":
      return pbf.readDouble();
    case "string":
      return pbf.readString();
    case "bytes":
      return pbf.readBytes();
  }
}

/** Appends to `into`: numbers come packed or one by one, everything else one by one. */
function readMany(pbf: PbfReader, kind: Field[1], into: unknown[]): void {
  const packed = (kind === "int" || kind === "float" || kind === "double") && pbf.type === 2;
  if (!packed) {
    into.push(readOne(pbf, kind));
    return;
  }
  const length = pbf.readVarint();
  const end = pbf.pos + length;
  if (end > pbf.length) throw new RangeError(`a list of ${kind}s that is cut off`);
  while (pbf.pos < end) into.push(readOne(pbf, kind));
}

function writeMessage(pbf: PbfWriter, name: MessageName, message: Message): void {
  const fields: Record<number, Field> = MESSAGES[name];
  for (const [tag, [field, kind, many]] of Object.entries(fields)) {
    const value = message[field];
    if (value === undefined) continue;
    if (many === undefined) writeOne(pbf, Number(tag), kind, value);
    else if (many === "packed") writePacked(pbf, Number(tag), kind, value as readonly number[]);
    else for (const each of value as readonly unknown[]) writeOne(pbf, Number(tag), kind, each);
  }
  for (const bytes of unnamed(message)) {
    pbf.realloc(bytes.length);
    pbf.buf.set(bytes, pbf.pos);
    pbf.pos += bytes.length;
  }
}

function writeOne(pbf: PbfWriter, tag: number, kind: Field[1], value: unknown): void {
  if (typeof kind === "object") {
    const write = (m: Message, to: PbfWriter) => writeMessage(to, kind.of as MessageName, m);
    pbf.writeMessage(tag, write, value as Message);
    return;
  }
  switch (kind) {
    case "int":
      pbf.writeTag(tag, 0);
      writeInt(pbf, value as number);
      return;
    case "float":
      pbf.writeFloatField(tag, value as number);
      return;
    case "double":
      pbf.writeDoubleField(tag, value as number);
      return;
    case "string":
      pbf.writeStringField(tag, value as string);
      return;
    case "bytes":
      pbf.writeBytesField(tag, value as Uint8Array);
  }
}

function writePacked(pbf: PbfWriter, tag: number, kind: Field[1], values: readonly number[]): void {
  if (values.length === 0) return;
  const write = kind === "float" ? "writeFloat" : "writeDouble";
  pbf.writeMessage(
    tag,
    (list, to) => list.forEach((v) => (kind === "int" ? writeInt(to, v) : to[write](v))),
    values,
  );
}

/** An int64. What a `number` rounds up to 2⁶³ (exporters write the largest int64 for "to the end") stays the largest. */
function writeInt(pbf: PbfWriter, value: number): void {
  if (value < 2 ** 63) {
    pbf.writeVarint(value);
    return;
  }
  pbf.realloc(9);
  for (let i = 0; i < 9; i++) pbf.buf[pbf.pos++] = i < 8 ? 0xff : 0x7f;
}

const unnamed = (message: Message): readonly Uint8Array[] =>
  (message[UNNAMED] as readonly Uint8Array[] | undefined) ?? [];

/**
 * What an ONNX file holds, as plain objects: the messages of `onnx.proto`
 * (https://github.com/onnx/onnx/blob/main/onnx/onnx.proto), their fields in camel case.
 */

/** `TensorProto.DataType` by name. */
export const DATA_TYPE = {
  float32: 1,
  uint8: 2,
  int8: 3,
  uint16: 4,
  int16: 5,
  int32: 6,
  int64: 7,
  string: 8,
  bool: 9,
  float16: 10,
  float64: 11,
  uint32: 12,
  uint64: 13,
  bfloat16: 16,
} as const;

/** `AttributeProto.AttributeType` by name. */
export const ATTRIBUTE_TYPE = {
  float: 1,
  int: 2,
  string: 3,
  tensor: 4,
  graph: 5,
  floats: 6,
  ints: 7,
  strings: 8,
  tensors: 9,
  graphs: 10,
} as const;

export interface StringStringEntryProto {
  readonly key?: string;
  readonly value?: string;
}

export interface OperatorSetIdProto {
  readonly domain?: string;
  readonly version?: number;
}

/** One length of a shape: known, named, or (neither) unknown. */
export interface Dimension {
  readonly dimValue?: number;
  readonly dimParam?: string;
}

export interface TensorShapeProto {
  readonly dim: readonly Dimension[];
}

export interface TypeProto {
  readonly tensorType?: { readonly elemType?: number; readonly shape?: TensorShapeProto };
  readonly denotation?: string;
}

export interface ValueInfoProto {
  readonly name?: string;
  readonly type?: TypeProto;
  readonly docString?: string;
}

export interface TensorProto {
  readonly name?: string;
  readonly dims: readonly number[];
  readonly dataType?: number;
  /** Little-endian values; a view of the bytes that were read. */
  readonly rawData?: Uint8Array;
  readonly floatData: readonly number[];
  readonly int32Data: readonly number[];
  readonly stringData: readonly Uint8Array[];
  readonly int64Data: readonly number[];
  readonly doubleData: readonly number[];
  readonly uint64Data: readonly number[];
  readonly docString?: string;
  /** Keys `location`, `offset`, `length`, where the values lie in another file. */
  readonly externalData: readonly StringStringEntryProto[];
  /** 1: the values are in `externalData`. */
  readonly dataLocation?: number;
}

export interface AttributeProto {
  readonly name?: string;
  readonly type?: number;
  /** In a function's body: the attribute of the caller whose value this one takes. */
  readonly refAttrName?: string;
  readonly f?: number;
  readonly i?: number;
  readonly s?: Uint8Array;
  readonly t?: TensorProto;
  readonly g?: GraphProto;
  readonly floats: readonly number[];
  readonly ints: readonly number[];
  readonly strings: readonly Uint8Array[];
  readonly tensors: readonly TensorProto[];
  readonly graphs: readonly GraphProto[];
  readonly docString?: string;
}

export interface NodeProto {
  /** An empty name is an input left out. */
  readonly input: readonly string[];
  readonly output: readonly string[];
  readonly name?: string;
  readonly opType?: string;
  readonly domain?: string;
  /** Which of the functions of one name is called. */
  readonly overload?: string;
  readonly attribute: readonly AttributeProto[];
  readonly docString?: string;
  readonly metadataProps: readonly StringStringEntryProto[];
}

export interface GraphProto {
  readonly name?: string;
  readonly node: readonly NodeProto[];
  readonly initializer: readonly TensorProto[];
  readonly input: readonly ValueInfoProto[];
  readonly output: readonly ValueInfoProto[];
  readonly valueInfo: readonly ValueInfoProto[];
  readonly docString?: string;
  readonly metadataProps: readonly StringStringEntryProto[];
}

export interface FunctionProto {
  readonly name?: string;
  readonly domain?: string;
  readonly overload?: string;
  readonly input: readonly string[];
  readonly output: readonly string[];
  readonly attribute: readonly string[];
  readonly attributeProto: readonly AttributeProto[];
  readonly node: readonly NodeProto[];
  readonly opsetImport: readonly OperatorSetIdProto[];
  readonly valueInfo: readonly ValueInfoProto[];
  readonly docString?: string;
  readonly metadataProps: readonly StringStringEntryProto[];
}

export interface ModelProto {
  readonly irVersion?: number;
  readonly producerName?: string;
  readonly producerVersion?: string;
  readonly domain?: string;
  readonly modelVersion?: number;
  readonly docString?: string;
  readonly graph?: GraphProto;
  readonly opsetImport: readonly OperatorSetIdProto[];
  readonly metadataProps: readonly StringStringEntryProto[];
  readonly functions: readonly FunctionProto[];
}

/** A message to be written, where any field may be left out. */
export type Draft<T> = T extends Uint8Array | string | number
  ? T
  : T extends readonly (infer E)[]
    ? readonly Draft<E>[]
    : { readonly [K in keyof T]?: Draft<T[K]> | undefined };

/** A graph as the bytes of an ONNX file. */
import { volume } from "../../attention/index.ts";
import { FUNCTION_DOMAIN } from "./graph.ts";
import type {
  AttributeValue,
  Body,
  Data,
  OnnxFunction,
  OnnxGraph,
  OnnxNode,
  ValueType,
} from "./graph.ts";
import { operation } from "./operations/table.ts";
import type { AttributeKind } from "./operations/operation.ts";
import { ATTRIBUTE_TYPE, DATA_TYPE, writeModel } from "./proto.ts";
import type {
  AttributeProto,
  Draft,
  FunctionProto,
  NodeProto,
  TensorProto,
  ValueInfoProto,
} from "./proto.ts";
import { reachable } from "./graph.ts";
import { checkWeights } from "./weights.ts";
import type { Weights } from "./weights.ts";

export const IR_VERSION = 10;
export const OPSET = 21;

export interface OnnxOptions {
  /** Facts that travel with the file. */
  readonly metadata?: Readonly<Record<string, string>>;
}

/**
 * Writes a graph for inference: its weights are inside the file.
 *
 * @throws {ModelError} where a weight is missing or of another size
 */
export function toOnnx(graph: OnnxGraph, weights: Weights, options: OnnxOptions = {}): Uint8Array {
  checkWeights(graph, weights);
  const shown = reachable(graph);
  const initializer = [...shown.weights.keys()]
    .filter((name) => shown.values.has(name))
    .map((name) => tensor(shown, name, weights.get(name) ?? new Float32Array()));
  return write(shown, shown.inputs, shown.outputs, initializer, options);
}

/**
 * Writes a graph for training: weights and buffers are inputs, and what replaces them after a run are outputs
 * beside the graph's own, under the names that `graph.updates` gives.
 */
export function toTrainingOnnx(graph: OnnxGraph, options: OnnxOptions = {}): Uint8Array {
  const outputs = [...new Set([...graph.outputs, ...graph.updates.values()])];
  const shown = reachable(graph, outputs);
  const stored = [...shown.weights.keys()].filter((name) => shown.values.has(name));
  return write(shown, [...shown.inputs, ...stored], outputs, [], options);
}

function write(
  graph: OnnxGraph,
  inputs: readonly string[],
  outputs: readonly string[],
  stored: readonly Draft<TensorProto>[],
  { metadata = {} }: OnnxOptions,
): Uint8Array {
  const used = calledFunctions(graph);
  const domains = used.length > 0 ? [{ domain: FUNCTION_DOMAIN, version: 1 }] : [];
  const shown = new Set([
    ...inputs,
    ...outputs,
    ...graph.constants.keys(),
    ...graph.weights.keys(),
  ]);
  return writeModel({
    irVersion: IR_VERSION,
    producerName: "nadir",
    opsetImport: [{ domain: "", version: OPSET }, ...domains],
    metadataProps: Object.entries(metadata).map(([key, value]) => ({ key, value })),
    functions: used.map((key) => functionProto(graph.functions, key)),
    graph: {
      name: graph.name,
      input: inputs.map((name) => valueInfo(graph, name)),
      output: outputs.map((name) => valueInfo(graph, name)),
      initializer: [
        ...[...graph.constants].map(([name, data]) => tensor(graph, name, data)),
        ...stored,
      ],
      node: graph.nodes.map((node) => nodeProto(graph.functions, node)),
      valueInfo: graph.nodes
        .flatMap((node) => node.outputs)
        .filter((name) => name !== "" && !shown.has(name))
        .map((name) => valueInfo(graph, name)),
    },
  });
}

/** Keys of the functions that a graph calls, those that others call first. */
function calledFunctions(graph: OnnxGraph): string[] {
  const keys = new Set<string>();
  const visit = (nodes: readonly OnnxNode[]) => {
    for (const { function: key } of nodes) {
      const called = key === undefined ? undefined : graph.functions.get(key);
      if (key === undefined || called === undefined || keys.has(key)) continue;
      visit(called.nodes);
      keys.add(key);
    }
  };
  visit(graph.nodes);
  return [...keys];
}

function functionProto(functions: OnnxGraph["functions"], key: string): Draft<FunctionProto> {
  const found = functions.get(key);
  if (found === undefined) throw new RangeError(`toOnnx: no function is called ${key}`);
  const nested = found.nodes.some((node) => node.function !== undefined);
  const domains = nested ? [{ domain: FUNCTION_DOMAIN, version: 1 }] : [];
  return {
    name: found.name,
    domain: FUNCTION_DOMAIN,
    ...(found.overload === "" ? {} : { overload: found.overload }),
    input: found.inputs,
    output: found.outputs,
    attribute: Object.keys(found.attributes),
    opsetImport: [{ domain: "", version: OPSET }, ...domains],
    node: [...constantNodes(found), ...found.nodes.map((node) => nodeProto(functions, node))],
  };
}

/** Functions have no initializers: their constants are nodes. */
const constantNodes = (body: OnnxFunction): Draft<NodeProto>[] =>
  [...body.constants].map(([name, data]) => ({
    opType: "Constant",
    input: [],
    output: [name],
    attribute: [{ name: "value", type: ATTRIBUTE_TYPE.tensor, t: tensor(body, name, data) }],
  }));

function nodeProto(functions: OnnxGraph["functions"], node: OnnxNode): Draft<NodeProto> {
  const called = node.function === undefined ? undefined : functions.get(node.function);
  const kinds = called === undefined ? (operation(node.op).attributes ?? {}) : {};
  const attribute = Object.entries(node.attributes).map(([name, value]) => {
    const kind = called === undefined ? kinds[name] : kindOf(value);
    if (kind === undefined) throw new TypeError(`${node.op}: no attribute is called ${name}`);
    return attributeProto(name, kind, value);
  });
  return {
    opType: node.op,
    name: node.outputs[0] ?? "",
    input: node.inputs,
    output: node.outputs,
    attribute,
    ...(called === undefined ? {} : { domain: FUNCTION_DOMAIN }),
    ...(called === undefined || called.overload === "" ? {} : { overload: called.overload }),
    ...(node.stopsGradient === true ? { metadataProps: [{ key: "gradient", value: "stop" }] } : {}),
  };
}

/** What a function's attribute is, seen by its value. */
function kindOf(value: AttributeValue): AttributeKind {
  if (typeof value === "string") return "string";
  if (typeof value === "number") return Number.isInteger(value) ? "int" : "float";
  return value.every((v) => Number.isInteger(v)) ? "ints" : "floats";
}

function attributeProto(
  name: string,
  kind: AttributeKind,
  value: AttributeValue,
): Draft<AttributeProto> {
  const type = ATTRIBUTE_TYPE[kind];
  switch (kind) {
    case "int":
      return { name, type, i: Number(value) };
    case "float":
      return { name, type, f: Number(value) };
    case "string":
      return { name, type, s: new TextEncoder().encode(String(value)) };
    case "ints":
      return { name, type, ints: numbers(value) };
    case "floats":
      return { name, type, floats: numbers(value) };
  }
}

const numbers = (value: AttributeValue): readonly number[] =>
  typeof value === "object" ? value : [Number(value)];

function tensor(body: Body, name: string, data: Data): Draft<TensorProto> {
  const { type, shape } = typeIn(body, name);
  if (volume(shape) !== data.length) {
    throw new RangeError(
      `${name}: [${shape.join(" ")}] must hold ${volume(shape)}, received ${data.length}`,
    );
  }
  const rawData = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  return { name, dims: shape, dataType: DATA_TYPE[type], rawData };
}

function valueInfo(body: Body, name: string): Draft<ValueInfoProto> {
  const { type, shape } = typeIn(body, name);
  const dim = shape.map((dimValue) => ({ dimValue }));
  return { name, type: { tensorType: { elemType: DATA_TYPE[type], shape: { dim } } } };
}

function typeIn(body: Body, name: string): ValueType {
  const found = body.values.get(name);
  if (found === undefined) throw new RangeError(`${body.name}: no value is called ${name}`);
  return found;
}

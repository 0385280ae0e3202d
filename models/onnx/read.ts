/**
 * An ONNX file as a network: the other direction of `model.ts`, for engines that walk graphs.
 *
 * Types and shapes of every value are worked out anew by the rules of `operations/`, so that the file may come from
 * elsewhere as long as its operations are known here and all sizes are fixed.
 */
import { volume } from "../../attention/index.ts";
import { ModelError } from "../card.ts";
import type {
  AttributeValue,
  Data,
  ElementType,
  NamedValue,
  OnnxFunction,
  OnnxNode,
  Stored,
  ValueType,
} from "./graph.ts";
import { ATTRIBUTE_TYPE, DATA_TYPE, readModel } from "./proto.ts";
import type {
  AttributeProto,
  FunctionProto,
  ModelProto,
  NodeProto,
  TensorProto,
  ValueInfoProto,
} from "./proto.ts";
import { operation } from "./operations/table.ts";
import type { Network } from "./simplify.ts";
import { siteOf } from "./writer.ts";

/**
 * Reads a network of fixed sizes.
 *
 * @throws {ModelError} where the bytes are no ONNX file, a size is open, or something in it has no rule here.
 */
export function readNetwork(bytes: Uint8Array): Network {
  const model = readModel(bytes);
  const { graph } = model;
  if (graph === undefined) throw new ModelError("readNetwork: the file must hold a graph");
  const scope: Scope = { functions: new Map(), model, values: new Map(), constants: new Map() };
  const weights = new Map<string, Float32Array>();
  const stored = new Map<string, Stored>();
  for (const tensor of graph.initializer) {
    const name = tensor.name ?? "";
    const data = hold(scope, name, tensor);
    if (!(data instanceof Float32Array)) continue;
    weights.set(name, data);
    stored.set(name, { init: data, trainable: true });
    // Rules may ask for the numbers of short ones, as the scales of a `Resize`.
    if (tensor.dims.length > 1) scope.constants.delete(name);
  }
  const inputs = graph.input.filter(
    ({ name = "" }) => !stored.has(name) && !scope.constants.has(name),
  );
  for (const input of inputs) scope.values.set(input.name ?? "", fixedType(input));
  const nodes = graph.node.flatMap((node) => readNode(scope, node));
  return {
    weights,
    graph: {
      name: graph.name ?? "graph",
      inputs: inputs.map(({ name = "" }) => name),
      outputs: graph.output.map(({ name = "" }) => name),
      ...{ values: scope.values, constants: scope.constants, nodes },
      ...{ weights: stored, updates: new Map(), functions: scope.functions },
    },
  };
}

/** A body that is being read. */
interface Scope {
  readonly model: ModelProto;
  readonly values: Map<string, ValueType>;
  readonly constants: Map<string, Data>;
  /** By name, overload and the shapes they are called with. */
  readonly functions: Map<string, OnnxFunction>;
}

function fixedType({ name = "", type }: ValueInfoProto): ValueType {
  const dims = type?.tensorType?.shape?.dim ?? [];
  const shape = dims.map(({ dimValue }) => {
    if (dimValue !== undefined && dimValue > 0) return dimValue;
    throw new ModelError(`readNetwork: every size must be fixed, received an open one in ${name}`);
  });
  return { type: elementType(name, type?.tensorType?.elemType), shape };
}

function elementType(name: string, code: number | undefined): ElementType {
  const types = ["float32", "int64", "bool"] as const;
  const found = types.find((type) => DATA_TYPE[type] === code);
  if (found) return found;
  throw new ModelError(
    `readNetwork: ${name} must be one of ${types.join(", ")}, received type ${code}`,
  );
}

/** Keeps the numbers of a tensor as a constant. */
function hold({ values, constants }: Scope, name: string, tensor: TensorProto): Data {
  const type = elementType(name, tensor.dataType);
  const data = dataOf(tensor, type);
  if (data.length !== volume(tensor.dims)) {
    throw new ModelError(
      `readNetwork: ${name} must hold ${volume(tensor.dims)} values, received ${data.length}`,
    );
  }
  values.set(name, { type, shape: tensor.dims });
  constants.set(name, data);
  return data;
}

function dataOf(
  { rawData, floatData, int64Data, int32Data }: TensorProto,
  type: ElementType,
): Data {
  // Copied, since numbers in a file need not be aligned.
  const bytes = rawData?.slice().buffer;
  if (type === "float32") return bytes ? new Float32Array(bytes) : Float32Array.from(floatData);
  if (type === "bool") return bytes ? new Uint8Array(bytes) : Uint8Array.from(int32Data);
  return bytes ? new BigInt64Array(bytes) : BigInt64Array.from(int64Data, BigInt);
}

/** A node, or nothing where it is a constant. */
function readNode(scope: Scope, node: NodeProto): OnnxNode[] {
  const { opType: op = "", input: inputs, output: outputs } = node;
  if (op === "Constant") {
    const tensor = node.attribute.find(({ name }) => name === "value")?.t;
    if (!tensor) throw new ModelError(`readNetwork: a Constant must hold a tensor, received none`);
    hold(scope, outputs[0] ?? "", tensor);
    return [];
  }
  const attributes = Object.fromEntries(
    node.attribute.map((attribute) => [attribute.name ?? "", valueOf(op, attribute)]),
  );
  const called = scope.model.functions.find(
    ({ name, domain = "", overload = "" }) =>
      name === op && domain === (node.domain ?? "") && overload === (node.overload ?? ""),
  );
  const given = inputs.map((name) => (name === "" ? undefined : typed(scope, name)));
  const key = called && callKey(scope, called, given, attributes);
  const types = key ? outputTypes(scope, key) : rule(scope, op, given, attributes);
  for (const [i, name] of outputs.entries()) {
    const type = types[i];
    if (name !== "" && type) scope.values.set(name, { type: type.type, shape: type.shape });
  }
  return [{ op, inputs, outputs, attributes, ...(key && { function: key }) }];
}

function typed(scope: Scope, name: string): NamedValue {
  const found = scope.values.get(name);
  if (found) return { name, ...found };
  throw new ModelError(`readNetwork: ${name} must be written before it is read, received nothing`);
}

/** The types that a node of ONNX gives. */
function rule(
  scope: Scope,
  op: string,
  given: readonly (NamedValue | undefined)[],
  attributes: OnnxNode["attributes"],
): readonly ValueType[] {
  try {
    return operation(op).outputs(siteOf(scope, op, given, attributes));
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new ModelError(`readNetwork: ${op} must be known here, received ${why}`, { cause });
  }
}

/** The key of a function for the shapes it is called with; its body is read at the first call. */
function callKey(
  { functions, model }: Scope,
  { name = "", overload = "", input, output, node }: FunctionProto,
  given: readonly (NamedValue | undefined)[],
  attributes: OnnxNode["attributes"],
): string {
  const shapes = given.map((value) => value?.shape.join("×") ?? "-").join(" ");
  const key = `${name}#${overload} ${shapes}`;
  if (functions.has(key)) return key;
  const values = new Map(
    input.flatMap((parameter, i) => {
      const value = given[i];
      return value ? [[parameter, { type: value.type, shape: value.shape }] as const] : [];
    }),
  );
  const inner: Scope = { model, functions, values, constants: new Map() };
  const nodes = node.flatMap((one) => readNode(inner, one));
  const body = { name, overload, attributes, inputs: input, outputs: output };
  functions.set(key, { ...body, values, constants: inner.constants, nodes });
  return key;
}

function outputTypes({ functions }: Scope, key: string): readonly ValueType[] {
  const body = functions.get(key);
  return (body?.outputs ?? []).flatMap((name) => body?.values.get(name) ?? []);
}

function valueOf(op: string, attribute: AttributeProto): AttributeValue {
  const { type, name = "" } = attribute;
  if (type === ATTRIBUTE_TYPE.int) return attribute.i ?? 0;
  if (type === ATTRIBUTE_TYPE.float) return attribute.f ?? 0;
  if (type === ATTRIBUTE_TYPE.string) return new TextDecoder().decode(attribute.s);
  if (type === ATTRIBUTE_TYPE.ints) return attribute.ints;
  if (type === ATTRIBUTE_TYPE.floats) return attribute.floats;
  throw new ModelError(
    `readNetwork: ${op}.${name} must be a number, a text or a list of numbers, received type ${type}`,
  );
}

/**
 * Checks an ONNX file for what a runtime relies on: names, order, types, shapes, attributes, versions.
 *
 * It knows the operations of `operations/` and refuses others, so it is a check of files that we write; what ONNX's
 * own checker says of the same files is recorded in `test/models/onnx/check.test.ts`.
 */
import { FUNCTION_DOMAIN } from "./graph.ts";
import { OPERATIONS } from "./operations/table.ts";
import { ATTRIBUTE_TYPE } from "./proto.ts";
import type { FunctionProto, ModelProto, NodeProto, TensorProto, ValueInfoProto } from "./proto.ts";

/** Bytes of one value by ONNX data type: float32, int64, bool. */
const BYTES: Readonly<Record<number, number>> = { 1: 4, 7: 8, 9: 1 };

/** What is wrong with a model: one sentence each, none where all is well. */
export function checkModel(model: ModelProto): string[] {
  const faults: string[] = [];
  const { graph, functions, opsetImport, irVersion = 0 } = model;
  if (graph === undefined) return ["a model must have a graph"];
  if (irVersion < 10) faults.push(`the IR version must be 10 or more, received ${irVersion}`);
  const domains = new Set(opsetImport.map(({ domain }) => domain ?? ""));
  if (!domains.has("")) faults.push("the model must import ONNX's own operations");
  const calls = new Map(functions.map((f) => [keyOf(f.name, f.overload), f]));
  if (calls.size !== functions.length) faults.push("functions must have keys of their own");
  const context = { calls, domains };
  const names = [...graph.input, ...graph.initializer].map(({ name = "" }) => name);
  faults.push(...graph.initializer.flatMap(checkTensor));
  faults.push(...checkNodes("graph", context, names, graph.node));
  const written = new Set([...names, ...graph.node.flatMap((node) => node.output)]);
  const declared = new Set(names);
  for (const value of [...graph.input, ...graph.output, ...graph.valueInfo]) {
    if (!written.has(value.name ?? "")) faults.push(`${value.name} is declared and never written`);
    faults.push(...checkType(value));
    declared.add(value.name ?? "");
  }
  for (const name of written) {
    if (name !== "" && !declared.has(name)) faults.push(`${name} has neither type nor shape`);
  }
  for (const f of functions) faults.push(...checkFunction(f, calls));
  return faults;
}

interface Context {
  readonly calls: ReadonlyMap<string, FunctionProto>;
  readonly domains: ReadonlySet<string>;
}

const keyOf = (name = "", overload = ""): string => `${name}#${overload}`;

function checkFunction(f: FunctionProto, calls: Context["calls"]): string[] {
  const domains = new Set(f.opsetImport.map(({ domain }) => domain ?? ""));
  const faults = checkNodes(f.name ?? "", { calls, domains }, f.input, f.node);
  const written = new Set(f.node.flatMap((node) => node.output));
  for (const name of f.output) {
    if (!written.has(name)) faults.push(`${f.name}: output ${name} is written by no node`);
  }
  return faults;
}

/** Checks nodes in running order: what they read must be there, what they write must be new. */
function checkNodes(
  where: string,
  context: Context,
  start: readonly string[],
  nodes: readonly NodeProto[],
): string[] {
  const faults: string[] = [];
  const known = new Set(start);
  if (known.size !== start.length) faults.push(`${where}: two inputs have one name`);
  for (const node of nodes) {
    const here = `${where}: ${node.opType} ${node.name ?? ""}`;
    for (const name of node.input) {
      if (name !== "" && !known.has(name))
        faults.push(`${here} reads ${name} before it is written`);
    }
    for (const name of node.output) {
      if (known.has(name)) faults.push(`${here} writes ${name}, which is taken`);
      if (name !== "") known.add(name);
    }
    faults.push(...checkOperation(here, node, context));
  }
  return faults;
}

function checkOperation(here: string, node: NodeProto, { calls, domains }: Context): string[] {
  const { opType = "", domain = "", attribute } = node;
  if (!domains.has(domain)) return [`${here}: its domain "${domain}" is not imported`];
  if (domain === FUNCTION_DOMAIN) {
    const called = calls.get(keyOf(opType, node.overload));
    if (called === undefined) return [`${here} calls a function that is not there`];
    const fits = called.input.length === node.input.length;
    const unknown = attribute.filter(({ name = "" }) => !called.attribute.includes(name));
    return [
      ...(fits
        ? []
        : [`${here} must have ${called.input.length} inputs, received ${node.input.length}`]),
      ...unknown.map(({ name }) => `${here}: no attribute is called ${name}`),
    ];
  }
  if (opType === "Constant") return attribute.flatMap(({ t }) => (t ? checkTensor(t) : []));
  const kinds = OPERATIONS[opType]?.attributes ?? {};
  if (OPERATIONS[opType] === undefined) return [`${here} is no operation that we know`];
  return attribute.flatMap(({ name = "", type }) => {
    const kind = kinds[name];
    if (kind === undefined) return [`${here}: no attribute is called ${name}`];
    return ATTRIBUTE_TYPE[kind] === type ? [] : [`${here}: ${name} must be of type ${kind}`];
  });
}

function checkType({ name, type }: ValueInfoProto): string[] {
  const { elemType, shape } = type?.tensorType ?? {};
  if (elemType === undefined || shape === undefined) return [`${name} has no type`];
  const fixed = shape.dim.every(({ dimValue }) => dimValue !== undefined && dimValue >= 0);
  return fixed ? [] : [`${name} must have a shape of numbers`];
}

function checkTensor({ name, dims, dataType = 0, rawData }: TensorProto): string[] {
  const size = dims.reduce((a, b) => a * b, 1) * (BYTES[dataType] ?? Number.NaN);
  const held = rawData?.length ?? 0;
  return size === held ? [] : [`${name} must have ${size} bytes of values, received ${held}`];
}

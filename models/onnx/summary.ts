/** What an ONNX file says of itself, without its weights. */
import { ModelError } from "../card.ts";
import {
  DATA_TYPE,
  type GraphProto,
  type ModelProto,
  readModel,
  type ValueInfoProto,
} from "./proto.ts";

/** One input or output. */
export interface PortSummary {
  readonly name: string;
  /** `float32`, `int64`, …; `sequence` where it is no tensor. */
  readonly type: string;
  /** Undefined where an axis is symbolic; no rank is known where `dims` is undefined. */
  readonly dims: readonly (number | undefined)[] | undefined;
  /** Names of symbolic axes, by position. */
  readonly symbols: Readonly<Record<number, string>>;
}

export interface ModelSummary {
  readonly bytes: number;
  /** Without the weights that old exporters list among them. */
  readonly inputs: readonly PortSummary[];
  readonly outputs: readonly PortSummary[];
  /** Version of the standard operators; undefined where none is used. */
  readonly opset: number | undefined;
  readonly producer: string;
  readonly metadata: Readonly<Record<string, string>>;
  readonly nodeCount: number;
  /** Number of weights, by their shapes. */
  readonly parameterCount: number;
  /** Operators of other domains that the file does not define itself, as `domain::name`. */
  readonly foreignOperators: readonly string[];
  /** Files beside this one that hold weights. */
  readonly externalFiles: readonly string[];
}

/** @throws {ModelError} where the bytes are no ONNX file. */
export function summarise(bytes: Uint8Array): ModelSummary {
  const model = readModel(bytes);
  const graph = model.graph;
  if (graph === undefined || graph.node.length === 0) {
    throw new ModelError(`summarise: an ONNX file must hold nodes, received a file without any`);
  }
  const weights = new Set(graph.initializer.map(({ name }) => name));
  return {
    bytes: bytes.length,
    inputs: graph.input.filter(({ name }) => !weights.has(name)).map(toPort),
    outputs: graph.output.map(toPort),
    opset: model.opsetImport.find(({ domain = "" }) => isStandard(domain))?.version,
    producer: [model.producerName, model.producerVersion].filter(Boolean).join(" "),
    metadata: Object.fromEntries(
      model.metadataProps.map(({ key = "", value = "" }) => [key, value]),
    ),
    nodeCount: graph.node.length,
    parameterCount: graph.initializer.reduce((sum, { dims }) => sum + volume(dims), 0),
    foreignOperators: foreignOperators(model, graph),
    externalFiles: externalFiles(graph),
  };
}

const volume = (dims: readonly number[]): number => dims.reduce((a, b) => a * b, 1);

const isStandard = (domain: string): boolean => domain === "" || domain === "ai.onnx";

/** Domains that ONNX Runtime brings along. */
const KNOWN_DOMAINS = /^(|ai\.onnx(\..+)?|com\.microsoft(\..+)?|org\.pytorch\.aten)$/;

function foreignOperators(model: ModelProto, graph: GraphProto): readonly string[] {
  const own = new Set(model.functions.map(({ domain = "", name }) => `${domain}::${name}`));
  const foreign = graph.node
    .filter(({ domain = "" }) => !KNOWN_DOMAINS.test(domain))
    .map(({ domain, opType }) => `${domain}::${opType}`)
    .filter((operator) => !own.has(operator));
  return [...new Set(foreign)];
}

function externalFiles(graph: GraphProto): readonly string[] {
  const files = graph.initializer
    .filter(({ dataLocation }) => dataLocation === 1)
    .map(({ externalData }) => externalData.find(({ key }) => key === "location")?.value ?? "?");
  return [...new Set(files)];
}

const TYPE_NAMES = new Map<number, string>(
  Object.entries(DATA_TYPE).map(([name, number]) => [number, name]),
);

function toPort({ name = "", type }: ValueInfoProto): PortSummary {
  const tensor = type?.tensorType;
  const axes = tensor?.shape?.dim;
  const symbols = (axes ?? []).flatMap(({ dimParam }, i) =>
    dimParam === undefined || dimParam === "" ? [] : [[i, dimParam] as const],
  );
  return {
    name,
    type: tensor === undefined ? "sequence" : (TYPE_NAMES.get(tensor.elemType ?? 0) ?? "unknown"),
    // Some exporters write 0 or −1 for "unknown".
    dims: axes?.map(({ dimValue }) =>
      dimValue !== undefined && dimValue > 0 ? dimValue : undefined,
    ),
    symbols: Object.fromEntries(symbols),
  };
}

/**
 * Writes networks as graphs: the implementation of `attention/graph.ts` behind which ONNX nodes come out.
 *
 * The parts of the port are in `builder/`, one file a family.
 */
import type { Value } from "../../attention/index.ts";
import { arithmeticPart } from "./builder/arithmetic.ts";
import { placeAt, take } from "./builder/desk.ts";
import type { Desk } from "./builder/desk.ts";
import { callPart } from "./builder/functions.ts";
import { layoutPart } from "./builder/layout.ts";
import { mapsPart } from "./builder/maps.ts";
import { storedPart } from "./builder/stored.ts";
import type { GraphBuilder } from "./builder/stored.ts";
import { reachable } from "./graph.ts";
import type { OnnxGraph } from "./graph.ts";
import { nameOutputs } from "./outputs.ts";
import { createSheet } from "./writer.ts";

export type { GraphBuilder };

export interface BuildOptions {
  /** Batch normalisation uses the batch's own statistics and updates the running ones. @default false */
  readonly training?: boolean;
}

/**
 * Builds a graph.
 *
 * @param write  declares inputs, writes the network, and returns the outputs by name
 * @throws {ShapeError} where sizes do not fit, naming the operation, the axis and both sizes
 * @example
 * const graph = buildGraph("mixer", (g) => {
 *   const tokens = g.input("tokens", "B N C", [1, 196, 192]);
 *   return { mixed: mixer(g.at("attn"), tokens, { rows: 14, columns: 14 }) };
 * });
 */
export function buildGraph(
  name: string,
  write: (g: GraphBuilder) => Readonly<Record<string, Value>>,
  { training = false }: BuildOptions = {},
): OnnxGraph {
  const stored = new Map();
  const desk: Desk = {
    sheet: createSheet(name),
    inputs: [],
    functions: new Map(),
    stored,
    updates: new Map(),
    training,
    held: new Map(),
  };
  const outputs = Object.entries(write(graphAt(desk, ""))).map(
    ([output, value]) => [output, take(desk, value)] as const,
  );
  const named = nameOutputs(desk.sheet, outputs, new Set(desk.updates.values()));
  const whole = {
    name,
    inputs: desk.inputs,
    outputs: outputs.map(([output]) => output),
    values: desk.sheet.values,
    constants: desk.sheet.constants,
    nodes: named,
    weights: stored,
    updates: desk.updates,
    functions: desk.functions,
  };
  const graph = reachable(whole, [...whole.outputs, ...desk.updates.values()]);
  return { ...graph, weights: new Map([...stored].filter(([w]) => graph.values.has(w))) };
}

function graphAt(desk: Desk, scope: string): GraphBuilder {
  const place = placeAt(desk, scope);
  return {
    at: (name) => graphAt(desk, `${scope}${name}.`),
    ...storedPart(place),
    ...arithmeticPart(place),
    ...layoutPart(place),
    ...mapsPart(place),
    ...callPart(place, (inner) => graphAt(inner, "")),
  };
}

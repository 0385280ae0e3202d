/**
 * A network turned into dispatches: what is known is computed beforehand, operators become their kernels, the rest
 * goes node by node, and elementwise nodes join what stands before them.
 */
import { hasCallKernel, OPERATOR_KERNELS, volume } from "../../../attention/index.ts";
import type { Plan } from "../../../attention/index.ts";
import { inlineFunctions, ModelError, simplify } from "../../../models/index.ts";
import type { Data, Network, OnnxGraph, OnnxNode } from "../../../models/index.ts";
import { createDesk, emit, giveStep, read, shapeOf, stored } from "./desk.ts";
import type { Desk } from "./desk.ts";
import { ELEMENTWISE } from "./operations/elementwise.ts";
import { LAYOUT } from "./operations/layout.ts";
import { MAPS } from "./operations/maps.ts";
import type { Lowerings } from "./operations/operation.ts";

const OPERATIONS: Lowerings = { ...ELEMENTWISE, ...LAYOUT, ...MAPS };

export interface Lowered {
  readonly plan: Plan;
  /** Output of the graph → the tensor that holds it. */
  readonly outputs: ReadonlyMap<string, string>;
}

/** @throws {ModelError} naming the first node that has no kernel. */
export function lower(network: Network): Lowered {
  const graph = prepared(network);
  const desk = createDesk(graph);
  for (const node of graph.nodes) lowerNode(desk, node);
  const outputs = new Map(graph.outputs.map((name) => [name, stored(desk, name)]));
  const lengths = (names: Iterable<readonly [string, string]>) =>
    Object.fromEntries([...names].map(([key, name]) => [key, volume(shapeOf(desk, name))]));
  return {
    outputs,
    plan: {
      steps: desk.steps,
      constants: desk.constants,
      inputs: lengths(graph.inputs.map((name) => [name, name])),
      outputs: lengths([...outputs].map(([name, tensor]) => [tensor, name])),
    },
  };
}

/** Without batch norms and functions that have no kernel, with weights as constants, computed as far as known. */
function prepared(network: Network): OnnxGraph {
  const unknown = [...network.graph.functions].filter(([, { name }]) => !hasCallKernel(name));
  const inlined = inlineFunctions({ ...network.graph, functions: new Map(unknown) });
  const { graph, weights } = simplify(inlined, network.weights);
  const constants = new Map<string, Data>([...graph.constants, ...weights]);
  const known = { ...graph, constants, weights: new Map(), functions: new Map() };
  const folded = simplify(known, new Map()).graph;
  return { ...folded, nodes: withSilu(folded) };
}

/** `x · σ(x)` as one node: σ(x) is read once, so that both can join what makes x. */
function withSilu({ nodes, outputs: results }: OnnxGraph): OnnxNode[] {
  const readers = new Map<string, number>();
  for (const name of [...results, ...nodes.flatMap(({ inputs }) => inputs)]) {
    readers.set(name, (readers.get(name) ?? 0) + 1);
  }
  const gates = new Map<string, string>();
  for (const { op, inputs, outputs } of nodes) {
    if (op === "Sigmoid" && readers.get(outputs[0] ?? "") === 1) {
      gates.set(outputs[0] ?? "", inputs[0] ?? "");
    }
  }
  const gone = new Set<string>();
  const written = nodes.map((node) => {
    const [a = "", b = ""] = node.inputs;
    const [x, gate] = gates.get(b) === a ? [a, b] : gates.get(a) === b ? [b, a] : [];
    if (node.op !== "Mul" || x === undefined || gate === undefined) return node;
    gone.add(gate);
    return { ...node, op: "Silu", inputs: [x], attributes: {} };
  });
  return written.filter(({ outputs }) => !gone.has(outputs[0] ?? ""));
}

function lowerNode(desk: Desk, node: OnnxNode): void {
  const [out = ""] = node.outputs;
  const kernel = node.function === undefined ? undefined : OPERATOR_KERNELS[node.op];
  if (kernel) {
    const inputs = node.inputs.map((name) => read(desk, name));
    const spare = (i: number) => `${out}/spare${i}`;
    const steps = kernel({ attributes: node.attributes, inputs, out, spare });
    for (const step of steps.slice(0, -1)) emit(desk, step);
    const last = steps.at(-1);
    if (last) giveStep(desk, out, last);
    return;
  }
  const lowering = OPERATIONS[node.op];
  if (lowering === undefined || node.outputs.length > 1) {
    throw new ModelError(
      `webgpu: every node must have a kernel, received ${node.op} (${out}); onnxruntime-web runs it`,
    );
  }
  lowering(desk, node);
}

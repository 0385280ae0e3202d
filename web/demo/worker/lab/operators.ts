/** The operators of the attention lab, each as a graph over one grid of tokens, with seeded weights. */
import {
  contextAnchor,
  linear,
  type Mixer,
  multiHead,
  polynomial,
  scaledDotProduct,
  volume,
  windowed,
} from "../../../../attention/index.ts";
import {
  buildGraph,
  initialWeights,
  inlineFunctions,
  type OnnxGraph,
  toOnnx,
  type Weights,
} from "../../../../models/index.ts";

export const CHANNELS = 64;
const HEADS = 4;
const WINDOW = 8;

export interface LabOperator {
  readonly title: string;
  readonly summary: string;
  readonly mixer: Mixer;
}

const heads = { heads: HEADS } as const;

export const OPERATORS: readonly LabOperator[] = [
  {
    title: "Softmax",
    summary: "every patch weighs every other by how alike they are",
    mixer: multiHead(scaledDotProduct, heads),
  },
  {
    title: "Windowed",
    summary: `softmax inside windows of ${WINDOW} × ${WINDOW} patches`,
    mixer: windowed(multiHead(scaledDotProduct, heads), { size: WINDOW }),
  },
  {
    title: "Linear",
    summary: "every patch through one small sum: cost linear in their number",
    mixer: multiHead(linear, heads),
  },
  {
    title: "CAA",
    summary: "a gate from the surroundings and two long strips",
    mixer: contextAnchor(),
  },
  {
    title: "PADRe",
    summary: "a polynomial of the neighbourhood, degree 2",
    mixer: polynomial({ degree: 2, size: 7 }),
  },
];

/** An operator over `batch` grids of `side` × `side` tokens: its ONNX bytes, and what it holds in memory. */
export function build(
  { mixer }: LabOperator,
  side: number,
  batch: number,
): { readonly bytes: Uint8Array; readonly peakBytes: number } {
  const graph = buildGraph("lab", (g) => {
    const tokens = g.input("tokens", "B N C", [batch, side * side, CHANNELS]);
    return { mixed: mixer(g.at("operator"), tokens, { rows: side, columns: side }) };
  });
  return { bytes: toOnnx(graph, seeded(graph)), peakBytes: peakBytes(inlineFunctions(graph)) };
}

/**
 * Weights as wide as their inputs allow: with the narrow ones that training starts from, all scores would be nearly
 * equal. Keys are projected as queries are, so that like attends to like.
 */
function seeded(graph: OnnxGraph): Weights {
  const wide = new Map(
    [...initialWeights(graph, { seed: 1 })].map(([name, values]) => {
      const shape = graph.values.get(name)?.shape ?? [];
      const isNoise =
        graph.weights.get(name)?.init instanceof Float32Array === false && shape.length > 1;
      if (!isNoise) return [name, values] as const;
      const rms = Math.hypot(...values) / Math.sqrt(values.length);
      const wanted = 1 / Math.sqrt(volume(shape) / (shape[0] ?? 1));
      return [name, rms === 0 ? values : values.map((v) => (v * wanted) / rms)] as const;
    }),
  );
  for (const name of wide.keys()) {
    const query = wide.get(name.replace(/\bk\./, "q."));
    if (/\bk\./.test(name) && query !== undefined) wide.set(name, query);
  }
  return wide;
}

/** The most bytes that inputs and intermediate values hold at once, each from when it is written until it is last read. */
export function peakBytes({
  inputs,
  outputs,
  nodes,
  values,
  constants,
  weights,
}: OnnxGraph): number {
  const isKept = (name: string): boolean => constants.has(name) || weights.has(name) || name === "";
  const size = (name: string): number => 4 * volume(values.get(name)?.shape ?? []);
  const lastRead = new Map<string, number>();
  nodes.forEach((node, i) => node.inputs.forEach((name) => lastRead.set(name, i)));
  for (const name of outputs) lastRead.set(name, nodes.length);
  let now = inputs.reduce((sum, name) => sum + size(name), 0);
  let peak = now;
  nodes.forEach((node, i) => {
    for (const name of node.outputs) now += size(name);
    peak = Math.max(peak, now);
    for (const name of new Set([...node.inputs, ...node.outputs])) {
      if (!isKept(name) && (lastRead.get(name) ?? i) === i) now -= size(name);
    }
  });
  return peak;
}

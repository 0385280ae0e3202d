/** The operators that the bench compares, each as a whole mixer: projections and all, C = 192, 3 heads. */
import {
  band,
  contextAnchor,
  contextAnchorGate,
  differential,
  lightning,
  linear,
  multiHead,
  neighbourhood,
  performer,
  polynomial,
  polynomialMap,
  scaledDotProduct,
  windowed,
} from "../../attention/index.ts";
import type { Core, Mixer, Near } from "../../attention/index.ts";
import {
  buildGraph,
  initialWeights,
  toOnnx,
  toTrainingOnnx,
  writeModel,
} from "../../models/index.ts";
import type { OnnxGraph } from "../../models/index.ts";

export const CHANNELS = 192;
export const HEADS = 3;

/** A network of one input `x`; what else it is fed is given with it. */
export interface Subject {
  readonly bytes: Uint8Array;
  readonly shape: readonly number[];
  /** Weights that are inputs, where they are. */
  readonly feeds: ReadonlyMap<
    string,
    { readonly shape: readonly number[]; readonly data: Float32Array }
  >;
}

const heads = (core: Core, near?: Near): Mixer =>
  multiHead(core, { heads: HEADS, projections: "packed", ...(near && { near }) });

/** Mixers over tokens. */
const MIXERS: Readonly<Record<string, Mixer>> = {
  "softmax, plain nodes": heads(scaledDotProduct),
  differential: heads(differential()),
  linear: heads(linear),
  lightning: heads(lightning()),
  performer: heads(performer()),
  "windowed 8 × 8": windowed(heads(scaledDotProduct), { size: 8 }),
  "neighbourhood 7 × 7": heads(scaledDotProduct, neighbourhood({ size: 7 })),
  "band ± 32": heads(scaledDotProduct, band({ before: 32, after: 32 })),
  "PADRe-2 11 × 11": polynomial({ degree: 2 }),
  "PADRe-3 11 × 11": polynomial({ degree: 3 }),
  "CAA 11": contextAnchor(),
};

const KERNELS = ["softmax, opset-23 Attention", "softmax, com.microsoft"] as const;
const MAPS = ["PADRe-2 11 × 11", "PADRe-3 11 × 11", "CAA 11"] as const;

/** Names of what can be measured. */
export const SUBJECTS: readonly string[] = [
  ...KERNELS,
  ...Object.keys(MIXERS),
  ...MAPS.map((name) => `${name}, on a map`),
  ...MAPS.map((name) => `${name}, weights as inputs`),
];

export const SOFTMAX: readonly string[] = ["softmax, plain nodes", ...KERNELS];

/** Builds the network that measures `name` on `side × side` tokens. */
export function subject(name: string, side: number): Subject {
  const N = side * side;
  if (name === KERNELS[0]) return kernel("Attention", N);
  if (name === KERNELS[1]) return kernel("MultiHeadAttention", N);
  const [base = "", form] = name.split(/, (?=on a map|weights as inputs)/);
  const grid = { rows: side, columns: side };
  const graph =
    form === "on a map"
      ? onMap(base, side)
      : buildGraph("mixer", (g) => ({
          out: (MIXERS[base] ?? missing(base))(g, g.input("x", "B N C", [1, N, CHANNELS]), grid),
        }));
  const weights = initialWeights(graph);
  const shape = graph.values.get("x")?.shape ?? [];
  if (form !== "weights as inputs")
    return { bytes: toOnnx(graph, weights), shape, feeds: new Map() };
  const feeds = [...weights].map(
    ([w, data]) => [w, { shape: graph.values.get(w)?.shape ?? [], data }] as const,
  );
  return { bytes: toTrainingOnnx(graph), shape, feeds: new Map(feeds) };
}

/** A mixer where the network has maps anyway: nothing but convolutions in a row. */
function onMap(name: string, side: number): OnnxGraph {
  return buildGraph("map", (g) => {
    const map = g.input("x", "B C Y X", [1, CHANNELS, side, side]);
    if (name === "CAA 11") return { out: g.mul(map, contextAnchorGate(g, map)) };
    return { out: polynomialMap(g, map, { degree: name.startsWith("PADRe-3") ? 3 : 2 }) };
  });
}

const missing = (name: string): never => {
  throw new RangeError(`subject: must be one of ${SUBJECTS.join(", ")}, received ${name}`);
};

/** Multi-head attention around one of ONNX Runtime's own kernels, which take heads apart themselves. */
function kernel(op: "Attention" | "MultiHeadAttention", N: number): Subject {
  const C = CHANNELS;
  const own = op === "MultiHeadAttention";
  const noise = (seed: number, length: number) =>
    Float32Array.from({ length }, (_, i) => Math.sin(seed + 1.7 * i) * 0.02);
  const tensor = (name: string, dims: readonly number[], seed: number) => {
    const data = noise(
      seed,
      dims.reduce((a, b) => a * b, 1),
    );
    return { name, dims: [...dims], dataType: 1, rawData: new Uint8Array(data.buffer) };
  };
  const info = (name: string) => ({
    name,
    type: {
      tensorType: { elemType: 1, shape: { dim: [1, N, C].map((dimValue) => ({ dimValue })) } },
    },
  });
  const node = (opType: string, input: readonly string[], output: string) => ({
    opType,
    input,
    output: [output],
  });
  const int = (name: string, i: number) => ({ name, type: 2, i });
  const linears = ["q", "k", "v"].flatMap((part) => [
    node("MatMul", ["x", `${part}.weight`], `${part}.mapped`),
    node("Add", [`${part}.mapped`, `${part}.bias`], part),
  ]);
  const attention = {
    ...node(op, ["q", "k", "v"], "mixed"),
    domain: own ? "com.microsoft" : "",
    attribute: own
      ? [int("num_heads", HEADS)]
      : [int("q_num_heads", HEADS), int("kv_num_heads", HEADS)],
  };
  const last = [
    node("MatMul", ["mixed", "o.weight"], "o.mapped"),
    node("Add", ["o.mapped", "o.bias"], "out"),
  ];
  const initializer = ["q", "k", "v", "o"].flatMap((part, i) => [
    tensor(`${part}.weight`, [C, C], i),
    tensor(`${part}.bias`, [C], i),
  ]);
  const bytes = writeModel({
    irVersion: 10,
    opsetImport: [
      { domain: "", version: own ? 21 : 23 },
      ...(own ? [{ domain: "com.microsoft", version: 1 }] : []),
    ],
    graph: {
      name: op,
      node: [...linears, attention, ...last],
      initializer,
      input: [info("x")],
      output: [info("out")],
    },
  });
  return { bytes, shape: [1, N, C], feeds: new Map() };
}

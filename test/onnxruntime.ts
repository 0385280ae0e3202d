/** Graphs run in ONNX Runtime, native and WASM, for tests that compare. */
import * as native from "onnxruntime-node";
import * as wasm from "onnxruntime-web";
import { volume } from "../attention/tensor.ts";
import type { OnnxGraph } from "../models/onnx/graph.ts";
import { toOnnx, toTrainingOnnx } from "../models/onnx/model.ts";
import type { Weights } from "../models/onnx/weights.ts";

export type Results = Record<string, Float32Array>;
export type Feeds = Readonly<Record<string, ArrayLike<number>>>;

/** Typed arrays are checked by constructor, and the WASM package wants its own realm's: plain copies do. */
const typed = {
  float32: (data: ArrayLike<number>) => Float32Array.from(data),
  int64: (data: ArrayLike<number>) =>
    BigInt64Array.from(data as ArrayLike<number> & number[], (v) => BigInt(v)),
  bool: (data: ArrayLike<number>) => Uint8Array.from(data),
};

async function run(
  ort: Pick<typeof native, "InferenceSession" | "Tensor">,
  bytes: Uint8Array,
  graph: OnnxGraph,
  feeds: Feeds,
): Promise<Results> {
  const session = await ort.InferenceSession.create(bytes);
  try {
    const inputs = Object.entries(feeds).map(([name, data]) => {
      const { type, shape } = graph.values.get(name) ?? { type: "float32", shape: [] };
      if (volume(shape) !== data.length) throw new RangeError(`${name}: ${data.length} values`);
      return [name, new ort.Tensor(type, typed[type](data) as Float32Array, shape)] as const;
    });
    const outputs = await session.run(Object.fromEntries(inputs));
    return Object.fromEntries(
      Object.entries(outputs).map(([name, { data }]) => [
        name,
        Float32Array.from(data as Float32Array, Number),
      ]),
    );
  } finally {
    await session.release();
  }
}

/** Runs a graph in ONNX Runtime for Node; bools and integers come back as numbers. */
export const runNative = (graph: OnnxGraph, weights: Weights, feeds: Feeds): Promise<Results> =>
  run(native, toOnnx(graph, weights), graph, feeds);

/** Runs a graph in ONNX Runtime Web's WASM build, on one thread. */
export const runWasm = (graph: OnnxGraph, weights: Weights, feeds: Feeds): Promise<Results> => {
  wasm.env.wasm.numThreads = 1;
  return run(wasm as unknown as typeof native, toOnnx(graph, weights), graph, feeds);
};

/** Runs a graph with its weights as inputs; gives the outputs and what replaces the stored values. */
export const runTraining = (graph: OnnxGraph, feeds: Feeds): Promise<Results> =>
  run(native, toTrainingOnnx(graph), graph, feeds);

/** The same in WASM. */
export const runTrainingWasm = (graph: OnnxGraph, feeds: Feeds): Promise<Results> => {
  wasm.env.wasm.numThreads = 1;
  return run(wasm as unknown as typeof native, toTrainingOnnx(graph), graph, feeds);
};

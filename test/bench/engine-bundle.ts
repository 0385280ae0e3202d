/** What the benchmarks of the WebGPU engine in a browser share: the engine as a page would load it, and models for it. */
import { fileURLToPath } from "node:url";
import { build } from "vite";
import { detector, inferenceGraph, initialWeights, simplify, toOnnx } from "../../models/index.ts";
import type { FamilyName } from "../../models/index.ts";

export const ROOT: string = fileURLToPath(new URL("../..", import.meta.url));

/** The engine alone, minified, as one file. */
export async function engineBundle(): Promise<string> {
  const built = await build({
    ...{ configFile: false, root: ROOT, logLevel: "error" },
    build: {
      ...{ write: false, minify: true, target: "es2022" },
      lib: { entry: `${ROOT}/pipeline/engines/webgpu.ts`, formats: ["es"] },
    },
  });
  const files = [built].flat().flatMap((one) => ("output" in one ? one.output : []));
  const [code, ...more] = files.flatMap((one) => (one.type === "chunk" ? [one.code] : []));
  if (code === undefined || more.length > 0) throw new Error("the engine must be one file");
  return code;
}

/** A detector with its first weights, for images of `sidePx` squared, as an ONNX file. */
export function untrained(family: FamilyName, sidePx: number): Uint8Array {
  const network = detector({ family, size: "pico", classes: 15 });
  const graph = inferenceGraph(network, { batch: 1, widthPx: sidePx, heightPx: sidePx });
  const small = simplify(graph, initialWeights(graph));
  return toOnnx(small.graph, small.weights);
}

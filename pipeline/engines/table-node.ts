import { ENGINES, type EngineTable } from "./table.ts";

/** All engines, the native one first. */
export const NODE_ENGINES: EngineTable = {
  "onnxruntime-node": async () => (await import("./onnxruntime-node.ts")).onnxruntimeNode,
  ...ENGINES,
  webgpu: async () => (await import("./webgpu-node.ts")).webgpuNode,
};

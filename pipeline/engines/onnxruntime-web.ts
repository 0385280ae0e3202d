/** ONNX Runtime compiled to WebAssembly, and its WebGPU variant; each is fetched when first asked for. */
import type { Tensor, TensorConstructor } from "onnxruntime-web/wasm";
import { bytesOf, DeviceError, type Engine } from "./engine.ts";
import { openSession, QUIET, type RuntimeTensors } from "./onnxruntime.ts";
import { wasmThreads } from "./wasm-threads.ts";

const NAME = "onnxruntime-web";

/** Device → the package that has it: WebAssembly alone is half the size. */
const PACKAGES = {
  wasm: () => import("onnxruntime-web/wasm"),
  webgpu: () => import("onnxruntime-web/webgpu"),
} as const;

export const onnxruntimeWeb: Engine = {
  name: NAME,
  devices: async () => ((await hasWebGpu()) ? ["webgpu", "wasm"] : ["wasm"]),
  async load(model, { threads = wasmThreads(), device = "wasm" } = {}) {
    if (device !== "wasm" && device !== "webgpu") {
      throw new DeviceError(`${NAME}: device must be wasm or webgpu, received ${device}`);
    }
    if (device === "webgpu" && !(await hasWebGpu())) {
      throw new DeviceError(`${NAME}: device webgpu needs a WebGPU adapter, received none here`);
    }
    const runtime = await PACKAGES[device]();
    runtime.env.logLevel = "fatal";
    runtime.env.wasm.numThreads = threads;
    return openSession(NAME, device, async () => {
      const options = { ...QUIET, executionProviders: [device] };
      const session = await runtime.InferenceSession.create(bytesOf(model), options);
      return {
        inputs: session.inputMetadata,
        outputs: session.outputMetadata,
        run: (feeds) => session.run(toTensors(runtime.Tensor, feeds), QUIET),
        release: () => session.release(),
      };
    });
  },
};

const toTensors = (
  Tensor: TensorConstructor,
  feeds: RuntimeTensors,
): Readonly<Record<string, Tensor>> =>
  Object.fromEntries(
    Object.entries(feeds).map(([name, { type, data, dims }]) => [
      name,
      new Tensor(type, data, dims),
    ]),
  );

async function hasWebGpu(): Promise<boolean> {
  const gpu = "navigator" in globalThis ? globalThis.navigator.gpu : undefined;
  if (gpu === undefined) return false;
  return (await gpu.requestAdapter()) !== null;
}

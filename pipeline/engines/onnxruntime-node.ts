/** ONNX Runtime's native library: CPU everywhere, and the GPUs that its package knows. */
import { availableParallelism } from "node:os";
import * as onnxruntime from "onnxruntime-node";
import { DeviceError, type Engine } from "./engine.ts";
import { load } from "./onnxruntime.ts";

const NAME = "onnxruntime-node";

// Also what is said before a session exists, such as a library that is not there: it is thrown anyway.
onnxruntime.env.logLevel = "fatal";

export const onnxruntimeNode: Engine = {
  name: NAME,
  devices: async () => devices(),
  async load(model, { threads = availableParallelism(), device = "cpu" } = {}) {
    if (!devices().includes(device)) {
      throw new DeviceError(
        `${NAME}: device must be one of ${devices().join(", ")}, received ${device}`,
      );
    }
    return load(NAME, onnxruntime, model, device, { intraOpNumThreads: threads });
  },
};

const devices = (): readonly string[] =>
  onnxruntime.listSupportedBackends().map(({ name }) => name);

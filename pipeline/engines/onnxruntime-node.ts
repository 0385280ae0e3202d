/** ONNX Runtime's native library: CPU everywhere, and the GPUs that its package knows. */
import { availableParallelism } from "node:os";
import { env, listSupportedBackends } from "onnxruntime-node";
import { bytesOf, DeviceError, type Engine } from "./engine.ts";
import { openInThread } from "./onnxruntime-worker-node.ts";
import { openSession } from "./onnxruntime.ts";

const NAME = "onnxruntime-node";

// Also what is said before a session exists, such as a library that is not there: it is thrown anyway.
env.logLevel = "fatal";

export const onnxruntimeNode: Engine = {
  name: NAME,
  devices: async () => devices(),
  async load(
    model,
    { threads = availableParallelism(), device = "cpu", purpose = "inference" } = {},
  ) {
    if (!devices().includes(device)) {
      throw new DeviceError(
        `${NAME}: device must be one of ${devices().join(", ")}, received ${device}`,
      );
    }
    const training = purpose === "training";
    return openSession(NAME, device, () =>
      openInThread(bytesOf(model), {
        executionProviders: [device],
        intraOpNumThreads: threads,
        // Its fusions are made for inference: a training step ran 2.6 times slower with them, and took three times as
        // long to load.
        graphOptimizationLevel: training ? "basic" : "all",
        // Threads that spin while they wait take the cores from reading and merging.
        extra: { session: { intra_op: { allow_spinning: training ? "1" : "0" } } },
      }),
    );
  },
};

const devices = (): readonly string[] => listSupportedBackends().map(({ name }) => name);

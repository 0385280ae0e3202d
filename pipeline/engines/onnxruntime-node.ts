/** ONNX Runtime's native library: CPU everywhere, and the GPUs that its package knows. */
import { availableParallelism } from "node:os";
import { env, listSupportedBackends } from "onnxruntime-node";
import { bytesOf, DeviceError, type Engine } from "./engine.ts";
import { openInThread } from "./onnxruntime-worker-node.ts";
import { openSession } from "./onnxruntime.ts";

const NAME = "onnxruntime-node";

// Also what is said before a session exists, such as a library that is not there: it is thrown anyway.
env.logLevel = "fatal";

/** They move transposes behind slices, where gradients of strided convolutions transpose so that slices are fast. */
const SLOWER = "TransposeOptimizer;TransposeOptimizer_CPUExecutionProvider";

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
        // What comes after "extended" lays maps out for inference: a training step ran 2.6 times slower.
        graphOptimizationLevel: training ? "extended" : "all",
        extra: {
          // Threads that spin while they wait take the cores from reading and merging.
          session: { intra_op: { allow_spinning: training ? "1" : "0" } },
          ...(training ? { optimization: { disable_specified_optimizers: SLOWER } } : {}),
        },
      }),
    );
  },
};

const devices = (): readonly string[] => listSupportedBackends().map(({ name }) => name);

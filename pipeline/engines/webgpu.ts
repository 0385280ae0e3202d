/**
 * Networks on any WebGPU device, by kernels of our own: one command buffer a run, a few dozen KB.
 *
 * It runs every network of this library, and files whose operations it knows and whose sizes are fixed; other files are
 * for ONNX Runtime.
 */
import { openDevice, prepare } from "../../attention/index.ts";
import type { OpenDevice, Program } from "../../attention/index.ts";
import { ModelError, readNetwork } from "../../models/index.ts";
import type { Network, OnnxGraph } from "../../models/index.ts";
import { DeviceError } from "./engine.ts";
import type { Engine, EngineTensor, Feeds, Port, Session } from "./engine.ts";
import { lower } from "./webgpu/lower.ts";

const NAME = "webgpu";

/** An engine that asks `gpu` for a device at the first load, and again after one was lost. */
export function webgpuEngine(gpu: () => Promise<GPU | undefined>): Engine {
  let opened: Promise<OpenDevice> | undefined;
  const device = async (): Promise<OpenDevice> => {
    const before = opened;
    if (before !== undefined && (await isThere(before))) return before;
    if (opened === before) opened = undefined; // of loads that find it lost, the first opens another
    return (opened ??= gpu().then(openDevice));
  };
  return {
    name: NAME,
    devices: async () => {
      const adapter = await (await gpu())?.requestAdapter();
      return adapter ? [NAME] : [];
    },
    async load(model, { device: asked = NAME } = {}) {
      if (asked !== NAME) {
        throw new DeviceError(`${NAME}: device must be webgpu, received ${asked}`);
      }
      const network = model instanceof Uint8Array ? readNetwork(model) : model;
      return loadNetwork(await device(), network);
    },
  };
}

async function isThere(opened: Promise<OpenDevice>): Promise<boolean> {
  try {
    (await opened).check();
    return true;
  } catch {
    return false;
  }
}

/** The engine of browsers. */
export const webgpu: Engine = webgpuEngine(async () =>
  "navigator" in globalThis ? globalThis.navigator.gpu : undefined,
);

/**
 * Loads a network onto a device that the caller keeps.
 *
 * @throws {ModelError} naming the first node that has no kernel.
 * @throws {DeviceError} where the network exceeds the device.
 */
export async function loadNetwork(device: OpenDevice, network: Network): Promise<Session> {
  const { plan, outputs } = lower(network);
  return sessionOf(network.graph, await prepare(device, plan), outputs);
}

function sessionOf(
  graph: OnnxGraph,
  program: Program,
  tensors: ReadonlyMap<string, string>,
): Session {
  const port = (name: string): Port => {
    const { type = "float32", shape = [] } = graph.values.get(name) ?? {};
    return { name, type, dims: shape };
  };
  const [inputs, outputs] = [graph.inputs.map(port), graph.outputs.map(port)];
  let last: Promise<unknown> = Promise.resolve();
  let isOpen = true;

  /** Uploads and submits before it first waits: the queue keeps the order, and a staging buffer is a run's own. */
  async function begin(feeds: Feeds, signal: AbortSignal | undefined): Promise<Feeds> {
    signal?.throwIfAborted();
    if (!isOpen) throw new ModelError(`${NAME}: a session must not be used after it was closed`);
    const found = await program.run(
      Object.fromEntries(inputs.map((one) => [one.name, toFloats(one, feeds[one.name])])),
    );
    signal?.throwIfAborted();
    return Object.fromEntries(
      outputs.map((one) => {
        const data = found[tensors.get(one.name) ?? one.name] ?? new Float32Array();
        return [one.name, toTensor(one, data)];
      }),
    );
  }

  return {
    inputs,
    outputs,
    run(feeds, { signal } = {}) {
      const begun = begin(feeds, signal);
      const mine = Promise.allSettled([last, begun]).then(() => begun);
      last = mine.catch(() => {}); // the caller hears of it
      return mine;
    },
    async [Symbol.asyncDispose]() {
      if (!isOpen) return;
      isOpen = false;
      await last;
      await program[Symbol.asyncDispose]();
    },
  };
}

/** Numbers as the device has them: float32, truth as 1 and 0. */
function toFloats({ name, type, dims }: Port, tensor: EngineTensor | undefined): Float32Array {
  if (tensor?.type !== type || dims.some((size, axis) => size !== tensor.dims[axis])) {
    const received = tensor ? `${tensor.type} [${tensor.dims.join(" ")}]` : "nothing";
    throw new ModelError(
      `${NAME}: input ${name} must be ${type} [${dims.join(" ")}], received ${received}`,
    );
  }
  if (tensor.type === "float32") return tensor.data;
  return Float32Array.from(tensor.data as unknown as number[], Number);
}

function toTensor({ type, dims }: Port, data: Float32Array): EngineTensor {
  const shape = dims.map((size) => size ?? 0);
  if (type === "bool") return { type, dims: shape, data: Uint8Array.from(data) };
  if (type === "int64") {
    return { type, dims: shape, data: BigInt64Array.from(data as never, (v: number) => BigInt(v)) };
  }
  return { type: "float32", dims: shape, data };
}

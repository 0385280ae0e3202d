/** What both packages of ONNX Runtime share: sessions of ours around sessions of theirs. */
import type { InferenceSession, Tensor, TensorConstructor } from "onnxruntime-web/wasm";
import { ModelError } from "../../models/index.ts";
import { DeviceError, type EngineTensor, type Feeds, type Port, type Session } from "./engine.ts";
import { fromHalf, toHalf } from "./half.ts";

/** Their module, as far as it is used. */
export interface Runtime {
  readonly InferenceSession: {
    readonly create: (
      model: Uint8Array,
      options: InferenceSession.SessionOptions,
    ) => Promise<InferenceSession>;
  };
  readonly Tensor: TensorConstructor;
}

/** Of every session and run: print only what cannot be recovered from. The rest is thrown. */
const QUIET = { logSeverityLevel: 4 } as const;

/**
 * Loads `model` on `device`.
 *
 * @throws {ModelError} where it is no model, or one with operators that ONNX Runtime lacks.
 * @throws {DeviceError} where the device is the reason.
 */
export async function load(
  engine: string,
  runtime: Runtime,
  model: Uint8Array,
  device: string,
  options: InferenceSession.SessionOptions,
): Promise<Session> {
  try {
    const executionProviders = [device];
    const session = await runtime.InferenceSession.create(model, {
      ...QUIET,
      ...options,
      executionProviders,
    });
    return around(engine, runtime, session);
  } catch (cause) {
    const reason = firstLine(cause);
    if (device === "cpu" || device === "wasm" || isOfTheModel(reason)) {
      throw new ModelError(`${engine}: the model must load, received ${reason}`, { cause });
    }
    throw new DeviceError(`${engine}: device ${device} must be usable, received ${reason}`, {
      cause,
    });
  }
}

/** Reasons that no other device would mend. */
const isOfTheModel = (reason: string): boolean => /protobuf|INVALID_GRAPH|opset/i.test(reason);

function around(engine: string, runtime: Runtime, session: InferenceSession): Session {
  const inputs = session.inputMetadata.map(toPort);
  const outputs = session.outputMetadata.map(toPort);
  let last: Promise<unknown> = Promise.resolve();
  let open = true;

  async function runOnce(feeds: Feeds, signal: AbortSignal | undefined): Promise<Feeds> {
    signal?.throwIfAborted();
    if (!open) throw new ModelError(`${engine}: a session must not be used after it was closed`);
    const fed = Object.fromEntries(
      inputs.map((port) => [port.name, toTensor(engine, runtime, port, feeds[port.name])]),
    );
    const found = await session.run(fed, QUIET).catch((cause: unknown) => {
      throw failure(engine, cause);
    });
    signal?.throwIfAborted();
    return Object.fromEntries(
      Object.entries(found).map(([name, tensor]) => [name, fromTensor(engine, name, tensor)]),
    );
  }

  return {
    inputs,
    outputs,
    run(feeds, { signal } = {}) {
      const mine = last.then(() => runOnce(feeds, signal));
      last = mine.catch(() => {}); // the caller hears of it
      return mine;
    },
    async [Symbol.asyncDispose]() {
      await last;
      if (!open) return;
      open = false;
      await session.release();
    },
  };
}

function toPort(value: InferenceSession.ValueMetadata): Port {
  if (!value.isTensor) return { name: value.name, type: "sequence", dims: [] };
  const dims = value.shape.map((dim) => (typeof dim === "number" && dim >= 0 ? dim : undefined));
  return { name: value.name, type: value.type, dims };
}

function toTensor(
  engine: string,
  runtime: Runtime,
  port: Port,
  tensor: EngineTensor | undefined,
): Tensor {
  if (tensor === undefined) {
    throw new ModelError(`${engine}: input ${port.name} must be fed, received nothing`);
  }
  const { type, data, dims } = tensor;
  if (port.type === "float16" && type === "float32") {
    return new runtime.Tensor("float16", toHalf(data), dims);
  }
  return new runtime.Tensor(type, data, dims);
}

function fromTensor(engine: string, name: string, { type, data, dims }: Tensor): EngineTensor {
  if (Array.isArray(data) || type === "int4" || type === "uint4") {
    throw new ModelError(`${engine}: output ${name} must hold numbers, received ${type}`);
  }
  if (data instanceof Float32Array) return { type: "float32", dims, data };
  if (data instanceof Int32Array) return { type: "int32", dims, data };
  if (data instanceof BigInt64Array) return { type: "int64", dims, data };
  if (data instanceof Uint8Array) return { type: type === "bool" ? "bool" : "uint8", dims, data };
  if (data instanceof BigUint64Array)
    return { type: "int64", dims, data: BigInt64Array.from(data) };
  // Half precision comes as bits where the platform has no Float16Array.
  if (type === "float16" && data instanceof Uint16Array) {
    return { type: "float32", dims, data: fromHalf(data) };
  }
  return type === "float16" || type === "float64"
    ? { type: "float32", dims, data: Float32Array.from(data) }
    : { type: "int32", dims, data: Int32Array.from(data) };
}

function failure(engine: string, cause: unknown): Error {
  const reason = firstLine(cause);
  if (/alloc|out of memory|device.{0,12}lost/i.test(reason)) {
    return new DeviceError(`${engine}: a run must fit the device's memory, received ${reason}`, {
      cause,
    });
  }
  return new ModelError(`${engine}: a run must succeed, received ${reason}`, { cause });
}

/** What an error of the runtime says, on one line and without the place in its source. */
function firstLine(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  return text
    .replace(/\/onnxruntime_src\S+ /g, "")
    .replace(/\s+/g, " ")
    .trim()
    .slice(0, 300);
}

/** What both packages of ONNX Runtime share: sessions of ours around sessions of theirs. */
import type { InferenceSession, Tensor } from "onnxruntime-web/wasm";
import { fromHalves, ModelError, toHalves } from "../../models/index.ts";
import {
  DeviceError,
  type EngineTensor,
  type Feeds,
  type Port,
  type RunOptions,
  type Session,
} from "./engine.ts";

/** A tensor of theirs, as plain data that may also pass between threads. */
export interface RuntimeTensor {
  readonly type: Tensor.Type;
  readonly data: Tensor.DataType;
  readonly dims: readonly number[];
}

export type RuntimeTensors = Readonly<Record<string, RuntimeTensor>>;

/** A session of theirs, in this thread or another. */
export interface RuntimeSession {
  readonly inputs: readonly InferenceSession.ValueMetadata[];
  readonly outputs: readonly InferenceSession.ValueMetadata[];
  /** `gives` as in {@link RunOptions}. */
  readonly run: (feeds: RuntimeTensors, gives?: RunOptions["gives"]) => Promise<RuntimeTensors>;
  /** Runs that it takes before the one under way is over, to begin them by itself. @default 0 */
  readonly ahead?: number;
  /** As {@link Session.allocate}. */
  readonly allocate?: (length: number) => Float32Array;
  readonly release: () => Promise<void>;
}

/** Of every session and run: print only what cannot be recovered from. The rest is thrown. */
export const QUIET = { logSeverityLevel: 4 } as const;

/**
 * Opens a session on `device` and wraps it; runs are queued, for theirs must not overlap.
 *
 * @throws {ModelError} where it is no model, or one with operators that ONNX Runtime lacks.
 * @throws {DeviceError} where the device is the reason.
 */
export async function openSession(
  engine: string,
  device: string,
  open: () => Promise<RuntimeSession>,
): Promise<Session> {
  try {
    return queued(engine, await open());
  } catch (cause) {
    const reason = onOneLine(cause);
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

function queued(engine: string, session: RuntimeSession): Session {
  const inputs = session.inputs.map(toPort);
  const outputs = session.outputs.map(toPort);
  // The runs in hand, oldest first; the next begins where the oldest ends.
  let inHand: readonly Promise<unknown>[] = Array.from({ length: 1 + (session.ahead ?? 0) }, () =>
    Promise.resolve(),
  );
  let isOpen = true;

  async function runOnce(feeds: Feeds, { signal, gives }: RunOptions): Promise<Feeds> {
    signal?.throwIfAborted();
    if (!isOpen) throw new ModelError(`${engine}: a session must not be used after it was closed`);
    const fed = Object.fromEntries(
      inputs.map((port) => [port.name, toRuntime(engine, port, feeds[port.name])]),
    );
    const found = await session.run(fed, gives).catch((cause: unknown) => {
      throw failure(engine, cause);
    });
    signal?.throwIfAborted();
    return Object.fromEntries(
      Object.entries(found).map(([name, tensor]) => [name, fromRuntime(engine, name, tensor)]),
    );
  }

  return {
    inputs,
    outputs,
    ...(session.allocate && { allocate: session.allocate }),
    run(feeds, options = {}) {
      const [oldest = Promise.resolve(), ...others] = inHand;
      const mine = oldest.then(() => runOnce(feeds, options));
      inHand = [...others, mine.catch(() => {})]; // the caller hears of it
      return mine;
    },
    async [Symbol.asyncDispose]() {
      await Promise.all(inHand);
      if (!isOpen) return;
      isOpen = false;
      await session.release();
    },
  };
}

function toPort(value: InferenceSession.ValueMetadata): Port {
  if (!value.isTensor) return { name: value.name, type: "sequence", dims: [] };
  const dims = value.shape.map((dim) => (typeof dim === "number" && dim >= 0 ? dim : undefined));
  return { name: value.name, type: value.type, dims };
}

function toRuntime(engine: string, port: Port, tensor: EngineTensor | undefined): RuntimeTensor {
  if (tensor === undefined) {
    throw new ModelError(`${engine}: input ${port.name} must be fed, received nothing`);
  }
  return port.type === "float16" && tensor.type === "float32"
    ? { type: "float16", dims: tensor.dims, data: toHalves(tensor.data) }
    : tensor;
}

function fromRuntime(
  engine: string,
  name: string,
  { type, data, dims }: RuntimeTensor,
): EngineTensor {
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
    return { type: "float32", dims, data: fromHalves(data) };
  }
  return type === "float16" || type === "float64"
    ? { type: "float32", dims, data: Float32Array.from(data) }
    : { type: "int32", dims, data: Int32Array.from(data) };
}

function failure(engine: string, cause: unknown): Error {
  const reason = onOneLine(cause);
  if (/alloc|out of memory|device.{0,12}lost/i.test(reason)) {
    return new DeviceError(`${engine}: a run must fit the device's memory, received ${reason}`, {
      cause,
    });
  }
  return new ModelError(`${engine}: a run must succeed, received ${reason}`, { cause });
}

/** What an error of the runtime says, on one line and without the place in its source. */
function onOneLine(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  return text
    .replace(/\/onnxruntime_src\S+ /g, "")
    .replace(/\s+/g, " ")
    .trim()
    .slice(0, 300);
}

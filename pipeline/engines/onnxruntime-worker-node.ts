/**
 * A session of onnxruntime-node in a thread of its own.
 *
 * The package's `run` computes in the thread that calls it, whatever its promise suggests: called from the main thread
 * it would stop reading, merging and answering requests for as long as a tile takes.
 */
import { createRequire } from "node:module";
import { Worker } from "node:worker_threads";
import type { InferenceSession } from "onnxruntime-node";
import { QUIET, type RuntimeSession, type RuntimeTensors } from "./onnxruntime.ts";

/**
 * What the thread does, as text: it is the same from TypeScript, from `dist` and from a bundle. Arrays of outputs are
 * handed over without a copy, and the memory of feeds is handed back to be filled again; that of feeds which were given
 * away is filled with the outputs of the next run.
 */
const THREAD = /* js */ `
const { parentPort, workerData } = require("node:worker_threads");
const ort = require(workerData.runtime);
ort.env.logLevel = "fatal";
let session;
let spare = [];
/** Spare memory for every output that it fits; the others get new memory. */
function places() {
  return Object.fromEntries(
    session.outputMetadata.map(({ name, isTensor, type, shape }) => {
      const floats = isTensor && type === "float32" && shape.every(Number.isInteger);
      const bytes = floats ? 4 * shape.reduce((a, b) => a * b, 1) : NaN;
      const at = spare.findIndex((buffer) => buffer.byteLength === bytes);
      if (at < 0) return [name, null];
      const [buffer] = spare.splice(at, 1);
      return [name, new ort.Tensor(type, new Float32Array(buffer), shape)];
    }),
  );
}
const actions = {
  async open({ model, options }) {
    session = await ort.InferenceSession.create(model, options);
    return [{ inputs: session.inputMetadata, outputs: session.outputMetadata }, []];
  },
  async run({ feeds, options, used, given }) {
    const fed = {};
    for (const [name, { type, data, dims }] of Object.entries(feeds)) fed[name] = new ort.Tensor(type, data, dims);
    const found = {};
    const buffers = new Set(used);
    for (const [name, { type, data, dims }] of Object.entries(await session.run(fed, places(), options))) {
      found[name] = { type, data, dims };
      if (ArrayBuffer.isView(data)) buffers.add(data.buffer);
    }
    spare = given;
    return [{ found, used }, [...buffers]];
  },
  async release() {
    await session.release();
    return [undefined, []];
  },
};
parentPort.on("message", async ({ id, action, argument }) => {
  try {
    const [value, transfer] = await actions[action](argument);
    parentPort.postMessage({ id, value }, transfer);
  } catch (error) {
    parentPort.postMessage({ id, failure: String(error?.message ?? error) });
  }
});
`;

interface Answer {
  readonly id: number;
  readonly value?: unknown;
  readonly failure?: string;
}

interface Waiting {
  readonly resolve: (value: unknown) => void;
  readonly reject: (reason: Error) => void;
}

/** Starts a thread and opens a session in it. The thread never keeps the process alive by itself. */
export async function openInThread(
  model: Uint8Array,
  options: InferenceSession.SessionOptions,
): Promise<RuntimeSession> {
  const runtime = createRequire(import.meta.url).resolve("onnxruntime-node");
  // Flags of this process, such as a loader for TypeScript, are of no use to the text above.
  const thread = new Worker(THREAD, { eval: true, execArgv: [], workerData: { runtime } });
  const ask = asker(thread);
  try {
    const bytes = new Uint8Array(model);
    const ports = (await ask("open", { model: bytes, options: { ...QUIET, ...options } }, [
      bytes.buffer,
    ])) as Pick<RuntimeSession, "inputs" | "outputs">;
    const memory = feedMemory();
    return {
      ...ports,
      ahead: 1,
      allocate: memory.allocate,
      async run(feeds, gives) {
        const { taken, used, given } = memory.take(feeds, gives);
        const argument = { feeds: taken, options: QUIET, used, given };
        const answer = await ask("run", argument, [...used, ...given]);
        const ran = answer as { readonly found: RuntimeTensors; readonly used: ArrayBuffer[] };
        memory.giveBack(ran.used);
        return ran.found;
      },
      async release() {
        await ask("release");
        await thread.terminate();
      },
    };
  } catch (error) {
    await thread.terminate();
    throw error;
  }
}

interface Taken {
  readonly taken: RuntimeTensors;
  /** Memory of `taken` to be handed over and back. */
  readonly used: ArrayBuffer[];
  /** Memory of `taken` that stays with the thread. */
  readonly given: ArrayBuffer[];
}

const NONE: ReadonlySet<string> = new Set();

/** Buffers that are kept for later feeds, at most. */
const KEPT = 4;

/**
 * Memory that goes to the thread with one run and comes back for another. Taken anew for every run it costs more than
 * all other preparation: pages that are touched first, and collections of garbage that megabytes outside the heap set off.
 */
function feedMemory() {
  const lent = new WeakSet<ArrayBufferLike>();
  let free: ArrayBuffer[] = [];

  function bufferOf(byteLength: number): ArrayBuffer {
    const at = free.findIndex((buffer) => buffer.byteLength === byteLength);
    return at < 0 ? new ArrayBuffer(byteLength) : free.splice(at, 1)[0]!;
  }

  function allocate(length: number): Float32Array<ArrayBuffer> {
    const floats = new Float32Array(bufferOf(length * Float32Array.BYTES_PER_ELEMENT));
    lent.add(floats.buffer);
    return floats;
  }

  /** Arrays of `allocate` and those given away as they are, copies of all others. A view of a part would take the whole along. */
  function take(feeds: RuntimeTensors, gives: ReadonlySet<string> = NONE): Taken {
    const [used, given] = [new Set<ArrayBuffer>(), new Set<ArrayBuffer>()];
    const taken = Object.entries(feeds).map(([name, tensor]) => {
      const { data } = tensor;
      if (Array.isArray(data)) return [name, tensor];
      const { buffer, byteLength } = data;
      const isWhole = buffer instanceof ArrayBuffer && byteLength === buffer.byteLength;
      if (isWhole && (lent.has(buffer) || gives.has(name))) {
        (lent.has(buffer) ? used : given).add(buffer);
        return [name, tensor];
      }
      const copy = bufferOf(byteLength);
      new Uint8Array(copy).set(new Uint8Array(buffer, data.byteOffset, byteLength));
      used.add(copy);
      const Kind = data.constructor as new (bytes: ArrayBuffer) => typeof data;
      return [name, { ...tensor, data: new Kind(copy) }];
    });
    return { taken: Object.fromEntries(taken), used: [...used], given: [...given] };
  }

  const giveBack = (used: readonly ArrayBuffer[]): void => {
    free = [...used, ...free].slice(0, KEPT);
  };

  return { allocate, take, giveBack };
}

type Ask = (
  action: string,
  argument?: unknown,
  transfer?: readonly ArrayBuffer[],
) => Promise<unknown>;

/** Questions to a thread, each with its answer; all fail where the thread ends. */
function asker(thread: Worker): Ask {
  const waiting = new Map<number, Waiting>();
  let asked = 0;
  thread.on("message", ({ id, value, failure }: Answer) => {
    const question = waiting.get(id);
    waiting.delete(id);
    if (waiting.size === 0) thread.unref();
    if (failure === undefined) question?.resolve(value);
    else question?.reject(new Error(failure));
  });
  const fail = (reason: Error): void => {
    for (const { reject } of waiting.values()) reject(reason);
    waiting.clear();
  };
  thread.on("error", fail);
  thread.on("exit", (status) => {
    fail(new Error(`the thread of the session ended with status ${status}`));
  });
  return (action, argument, transfer = []) =>
    new Promise((resolve, reject) => {
      waiting.set(asked, { resolve, reject });
      thread.ref();
      thread.postMessage({ id: asked++, action, argument }, [...transfer]);
    });
}

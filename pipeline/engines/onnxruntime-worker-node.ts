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
 * handed over without a copy.
 */
const THREAD = /* js */ `
const { parentPort, workerData } = require("node:worker_threads");
const ort = require(workerData.runtime);
ort.env.logLevel = "fatal";
let session;
const actions = {
  async open({ model, options }) {
    session = await ort.InferenceSession.create(model, options);
    return [{ inputs: session.inputMetadata, outputs: session.outputMetadata }, []];
  },
  async run({ feeds, options }) {
    const fed = {};
    for (const [name, { type, data, dims }] of Object.entries(feeds)) fed[name] = new ort.Tensor(type, data, dims);
    const found = {};
    const buffers = new Set();
    for (const [name, { type, data, dims }] of Object.entries(await session.run(fed, options))) {
      found[name] = { type, data, dims };
      if (ArrayBuffer.isView(data)) buffers.add(data.buffer);
    }
    return [found, [...buffers]];
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
    return {
      ...ports,
      run(feeds) {
        const { copies, buffers } = copied(feeds);
        return ask("run", { feeds: copies, options: QUIET }, buffers) as Promise<RuntimeTensors>;
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

/** Copies that a thread may keep. A view posted as it is would take all of the memory it looks into along. */
function copied(feeds: RuntimeTensors): {
  readonly copies: RuntimeTensors;
  readonly buffers: readonly ArrayBuffer[];
} {
  const buffers: ArrayBuffer[] = [];
  const copies = Object.entries(feeds).map(([name, tensor]) => {
    if (Array.isArray(tensor.data)) return [name, tensor];
    const { buffer, byteOffset, byteLength } = tensor.data;
    const bytes = new Uint8Array(new Uint8Array(buffer, byteOffset, byteLength));
    buffers.push(bytes.buffer);
    const Kind = tensor.data.constructor as new (bytes: ArrayBuffer) => typeof tensor.data;
    return [name, { ...tensor, data: new Kind(bytes.buffer) }];
  });
  return { copies: Object.fromEntries(copies), buffers };
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

/** Batches from worker threads, in order, a few ahead of the trainer. */
import { Worker } from "node:worker_threads";
import { mapConcurrent } from "../stream.ts";
import type { LoaderOptions, TrainingRecord } from "./loader.ts";
import { epochOrder } from "./loader.ts";
import type { TrainingBatch, TrainingTile } from "./sample.ts";
import { packBatch } from "./sample.ts";

export interface LoadBatchesOptions extends LoaderOptions {
  readonly batchSize: number;
  readonly classCount: number;
  /** First batch of the epoch to make: where a resumed run goes on. @default 0 */
  readonly firstBatch?: number;
  readonly signal?: AbortSignal | undefined;
}

/** What a worker is asked and what it answers. */
export interface TileRequest {
  readonly id: number;
  readonly epoch: number;
  readonly index: number;
  /** Share of tiles that are mosaics, where this epoch has its own. */
  readonly mosaic: number | undefined;
}
export type TileAnswer =
  | {
      readonly id: number;
      readonly tile: TrainingTile;
      readonly bad: readonly Omit<BadImage, "draws">[];
    }
  | { readonly id: number; readonly error: string };

/** An image that was skipped, and why. */
export interface BadImage {
  readonly path: string;
  readonly reason: string;
  /** Tiles that should have been of it. */
  readonly draws: number;
}

export interface WorkerSetup {
  readonly records: readonly TrainingRecord[];
  readonly options: LoaderOptions;
}

/** Worker threads that make tiles, and keep what they have decoded; dispose of it when training ends. */
export class TileWorkers implements AsyncDisposable {
  readonly #bad = new Map<string, BadImage>();
  readonly #workers: readonly Worker[];
  readonly #waiting = new Map<number, (answer: TileAnswer) => void>();
  readonly #setup: WorkerSetup;
  #next = 0;

  constructor(setup: WorkerSetup, count = 1) {
    this.#setup = setup;
    this.#workers = Array.from({ length: count }, () => this.#start());
  }

  /** Images that were skipped, each once, as they were met. */
  get badImages(): readonly BadImage[] {
    return [...this.#bad.values()];
  }

  /** The batches of one epoch. The last one may be dropped so that all have the same size. */
  async *batches(
    epoch: number,
    options: LoadBatchesOptions,
  ): AsyncGenerator<TrainingBatch, void, undefined> {
    const { batchSize, classCount, firstBatch = 0, mosaic, signal } = options;
    const tiles = epochOrder(this.#setup.records, options.seed, epoch).length;
    const numbers = Array.from(
      { length: Math.floor(tiles / batchSize) - firstBatch },
      (_, i) => i + firstBatch,
    );
    const make = async (batch: number): Promise<TrainingBatch> => {
      const indices = Array.from({ length: batchSize }, (_, i) => batch * batchSize + i);
      return packBatch(
        await Promise.all(indices.map((index) => this.#tile({ epoch, index, mosaic }))),
        classCount,
      );
    };
    yield* mapConcurrent(numbers, make, { concurrency: 3, ...(signal && { signal }) });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#workers.map((worker) => worker.terminate()));
  }

  #start(): Worker {
    const worker = startWorker("./loader-worker-node", this.#setup);
    worker.on("message", (answer: TileAnswer) => {
      this.#waiting.get(answer.id)?.(answer);
      this.#waiting.delete(answer.id);
    });
    worker.on("error", ({ message }) => {
      for (const [id, answer] of this.#waiting) answer({ id, error: message });
      this.#waiting.clear();
    });
    return worker;
  }

  async #tile(wanted: Omit<TileRequest, "id">): Promise<TrainingTile> {
    const id = this.#next++;
    const answer = await new Promise<TileAnswer>((resolve) => {
      this.#waiting.set(id, resolve);
      const request: TileRequest = { id, ...wanted };
      this.#workers[wanted.index % this.#workers.length]?.postMessage(request);
    });
    if ("error" in answer) throw new Error(answer.error);
    for (const { path, reason } of answer.bad) {
      this.#bad.set(path, { path, reason, draws: 1 + (this.#bad.get(path)?.draws ?? 0) });
    }
    return answer.tile;
  }
}

/** Starts a module beside this one as a thread: built JavaScript as it is, sources through tsx. */
function startWorker(module: string, workerData: WorkerSetup): Worker {
  if (!import.meta.url.endsWith(".ts")) {
    return new Worker(new URL(`${module}.js`, import.meta.url), { workerData });
  }
  const source = JSON.stringify(new URL(`${module}.ts`, import.meta.url).href);
  const start = `import("tsx/esm/api").then(({ register }) => { register(); return import(${source}); });`;
  return new Worker(start, { workerData, eval: true });
}

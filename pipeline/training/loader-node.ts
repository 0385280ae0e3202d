/** Batches from worker threads, in order, a few ahead of the trainer. */
import { Worker } from "node:worker_threads";
import type { Described } from "../errors.ts";
import { mapConcurrent } from "../stream.ts";
import type { LoaderOptions, TrainingRecord } from "./loader.ts";
import { epochOrder } from "./loader.ts";
import type { TrainingBatch, TrainingTile } from "./sample.ts";
import { packBatch } from "./sample.ts";
import { TrainingError } from "./training-error.ts";

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
/** A tile, and the images that were skipped on the way to it. */
export interface MadeTile {
  readonly id: number;
  readonly tile: TrainingTile;
  readonly bad: readonly Omit<BadImage, "draws">[];
}

/** Errors lose their code between threads: what is to be known of one is sent instead. */
export type TileAnswer =
  | MadeTile
  | { readonly id: number; readonly error: Pick<Described, "code" | "sentence"> };

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
  readonly #waiting = new Map<number, Waiting>();
  readonly #setup: WorkerSetup;
  #next = 0;
  /** Why no more tiles can be made: a thread is gone. */
  #failure: Error | undefined;

  /** @param start  starts a thread; it takes {@link TileRequest}s and sends {@link TileAnswer}s */
  constructor(setup: WorkerSetup, count = 1, start: (setup: WorkerSetup) => Worker = startWorker) {
    this.#setup = setup;
    this.#workers = Array.from({ length: count }, () => this.#listen(start(setup)));
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

  #listen(worker: Worker): Worker {
    worker.on("message", (answer: TileAnswer) => {
      const waiting = this.#waiting.get(answer.id);
      this.#waiting.delete(answer.id);
      if ("tile" in answer) waiting?.resolve(answer);
      else {
        const { sentence, code } = answer.error;
        waiting?.reject(Object.assign(new Error(sentence), { code }));
      }
    });
    worker.on("error", (error) => this.#fail(error));
    worker.on("exit", (status) =>
      this.#fail(
        new TrainingError(
          `train: a thread that makes tiles must live as long as the run, received its end with status ${status}`,
        ),
      ),
    );
    return worker;
  }

  #fail(failure: Error): void {
    this.#failure ??= failure;
    for (const { reject } of this.#waiting.values()) reject(failure);
    this.#waiting.clear();
  }

  async #tile(wanted: Omit<TileRequest, "id">): Promise<TrainingTile> {
    if (this.#failure !== undefined) throw this.#failure;
    const id = this.#next++;
    const { tile, bad } = await new Promise<MadeTile>((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject });
      const request: TileRequest = { id, ...wanted };
      this.#workers[wanted.index % this.#workers.length]?.postMessage(request);
    });
    for (const { path, reason } of bad) {
      this.#bad.set(path, { path, reason, draws: 1 + (this.#bad.get(path)?.draws ?? 0) });
    }
    return tile;
  }
}

/** Who waits for an answer. */
interface Waiting {
  readonly resolve: (made: MadeTile) => void;
  readonly reject: (error: Error) => void;
}

/** Starts the module beside this one as a thread: built JavaScript as it is, sources through tsx. */
function startWorker(workerData: WorkerSetup): Worker {
  const module = "./loader-worker-node";
  if (!import.meta.url.endsWith(".ts")) {
    return new Worker(new URL(`${module}.js`, import.meta.url), { workerData });
  }
  const source = JSON.stringify(new URL(`${module}.ts`, import.meta.url).href);
  const start = `import("tsx/esm/api").then(({ register }) => { register(); return import(${source}); });`;
  return new Worker(start, { workerData, eval: true });
}

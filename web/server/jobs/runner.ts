/** Works the queue of jobs off, some at once, owners in turns; goes on with what an earlier process left. */
import { stat } from "node:fs/promises";
import { join } from "node:path";
import { describe, type RunEvent, stem } from "../../../pipeline/index.ts";
import type { Registry } from "../models/registry.ts";
import type { ServerOptions, Limits } from "../options.ts";
import { PROBLEM_CODES, withoutFolders } from "../problem.ts";
import { download } from "../requests/download.ts";
import { type EventLog, openEventLog } from "./events.ts";
import { isFinished, type JobProgress, type JobRecord } from "./record.ts";
import { runJob } from "./run-job.ts";
import type { JobStore } from "./store.ts";

export interface JobRunner {
  /** Begins; jobs that were under way when an earlier process ended come first. */
  readonly start: () => Promise<void>;
  /** Says that the queue has grown. */
  readonly wake: () => void;
  /** Ends a job that waits or runs. */
  readonly cancel: (id: string) => Promise<void>;
  readonly progress: (id: string) => JobProgress | undefined;
  readonly events: (id: string) => Promise<EventLog>;
  readonly forget: (id: string) => void;
  readonly running: () => number;
  /** Finishes the tiles in hand, keeps what was found, and leaves the rest to the next process. */
  readonly stop: () => Promise<void>;
}

export interface RunnerOptions extends Pick<ServerOptions, "settings" | "allowHosts"> {
  readonly store: JobStore;
  readonly registry: Registry;
  readonly limits: Limits;
  /** Counts bytes that are fetched. @throws {RequestError} */
  readonly reserve: (bytes: number) => void;
  readonly onError: (error: unknown, id: string) => void;
}

/** A job over which the process ends again and again, without getting further, is given up. */
const CRASHES = 3;
/** Events of tiles come at most so often. */
const TILES_MS = 250;

interface Running {
  readonly stop: AbortController;
  readonly ended: Promise<void>;
  progress: JobProgress | undefined;
}

export function createRunner(options: RunnerOptions): JobRunner {
  const { store, limits } = options;
  const running = new Map<string, Running>();
  const logs = new Map<string, Promise<EventLog>>();
  const turns = new Map<string, number>();
  let [isOpen, turn] = [false, 0];

  const events = (id: string): Promise<EventLog> => {
    const record = store.get(id);
    const closed = record === undefined || isFinished(record);
    const log = logs.get(id) ?? openEventLog(join(store.folder(id), "events.ndjson"), closed);
    logs.set(id, log);
    return log;
  };
  const change = async (id: string, patch: Partial<JobRecord>): Promise<void> => {
    const record = await store.update(id, patch);
    if (record === undefined) return;
    const log = await events(id);
    const { state, counts, failure } = record;
    await log.append("state", { state, ...(counts && { counts }), ...(failure && { failure }) });
    if (isFinished(record)) await log.close();
  };
  const wake = (): void => {
    while (isOpen && running.size < limits.jobs) {
      const queued = store.list().filter(({ id, state }) => state === "queued" && !running.has(id));
      const last = ({ owner }: JobRecord): number => turns.get(owner) ?? -1;
      const next = queued.toSorted((a, b) => last(a) - last(b))[0];
      if (next === undefined) return;
      turns.set(next.owner, turn++);
      begin(next);
    }
  };
  const begin = (record: JobRecord): void => {
    const stop = new AbortController();
    const state: Running = {
      stop,
      progress: undefined,
      ended: work(record, stop.signal, (progress) => (state.progress = progress)).finally(() => {
        running.delete(record.id);
        wake();
      }),
    };
    running.set(record.id, state);
  };

  async function work(
    { id }: JobRecord,
    signal: AbortSignal,
    onProgress: (progress: JobProgress) => void,
  ): Promise<void> {
    try {
      await change(id, { state: "running", startedAt: new Date().toISOString() });
      const log = await events(id);
      const end = await perform(id, signal, teller(log, onProgress));
      await change(id, { ...end, state: "done", finishedAt: new Date().toISOString() });
    } catch (error) {
      const found = describe(error);
      const code = codeOf(error) ?? found.code;
      // Cancelled by nobody: the server goes down, and the next one goes on.
      if (signal.aborted && store.get(id)?.state === "running") {
        return void (await store
          .update(id, { state: "queued" })
          .catch((again: unknown) => options.onError(again, id)));
      }
      if (store.get(id)?.state === "cancelled") return;
      const detail = withoutFolders(found.sentence, [store.folder(id)]);
      options.onError(error, id);
      const failure = { code, detail };
      const patch = { state: "failed", failure, finishedAt: new Date().toISOString() } as const;
      await change(id, patch).catch((again: unknown) => options.onError(again, id));
    }
  }

  async function perform(id: string, signal: AbortSignal, onEvent: (event: RunEvent) => void) {
    const record = await fetched(id, signal);
    using lease = await options.registry.lease(record.model.id);
    const { model } = lease;
    await store.update(id, { model: { id: model.id, version: model.version } });
    return runJob(record, {
      folder: store.folder(id),
      model,
      base: options.settings ?? {},
      limits,
      signal,
      onEvent,
    });
  }

  /** Puts a job that was under way when the process ended back into the queue. */
  async function resume({ id, crashes, keptBytes = 0, source }: JobRecord): Promise<void> {
    const journal = join(store.folder(id), "results", `.${stem(source.name)}.journal`);
    const size = await stat(journal).then((found) => found.size, () => 0); // prettier-ignore
    // Where the journal has grown the job was cut off by something else.
    const again = size > keptBytes ? 0 : crashes + 1;
    if (again < CRASHES) {
      await store.update(id, { state: "queued", crashes: again, keptBytes: size });
      return;
    }
    const detail = `the server ended ${CRASHES} times over it`;
    const failure = { code: "ERR_INTERNAL", detail };
    await change(id, { state: "failed", failure, finishedAt: new Date().toISOString() });
  }

  /** The record, its scene on disk. */
  async function fetched(id: string, signal: AbortSignal): Promise<JobRecord> {
    const record = store.get(id);
    if (record === undefined) throw new TypeError(`fetched: job ${id} must exist`);
    const { url, sha256 } = record.source;
    if (url === undefined || sha256 !== undefined) return record;
    const file = await download(url, {
      folder: join(store.folder(id), "upload"),
      maxBytes: limits.uploadBytes,
      hint: "",
      allowHosts: options.allowHosts ?? [],
      reserve: options.reserve,
      fetchMs: limits.fetchMs,
      stallMs: limits.stallMs,
      signal,
    });
    const source = { url, name: file.name, bytes: file.bytes, sha256: file.sha256 };
    return (await store.update(id, { source })) ?? { ...record, source };
  }

  return {
    start: async () => {
      isOpen = true;
      for (const record of store.list()) if (record.state === "running") await resume(record);
      wake();
    },
    wake,
    cancel: async (id) => {
      await change(id, { state: "cancelled", finishedAt: new Date().toISOString() });
      running.get(id)?.stop.abort();
      await running.get(id)?.ended;
    },
    progress: (id) => running.get(id)?.progress,
    events,
    forget: (id) => void logs.delete(id),
    running: () => running.size,
    stop: async () => {
      isOpen = false;
      for (const { stop } of running.values()) stop.abort();
      await Promise.all([...running.values()].map(({ ended }) => ended));
      for (const log of logs.values()) await (await log).close();
    },
  };
}

const codeOf = (error: unknown): string | undefined => {
  const code: unknown = (error as { code?: unknown }).code;
  return typeof code === "string" && PROBLEM_CODES.includes(code) ? code : undefined;
};

/** Writes what the pipeline reports to the log, tiles only now and then, and keeps the progress. */
function teller(log: EventLog, onProgress: (progress: JobProgress) => void) {
  let [began, resumed, toldAt] = [performance.now(), 0, -Infinity];
  return (event: RunEvent): void => {
    if (event.type === "done" || event.type === "failed" || event.type === "skipped") return;
    const { type, source: _, index: __, of: ___, ...data } = event;
    if (event.type === "plan") [began, resumed] = [performance.now(), event.resumed];
    if (event.type === "tiles") {
      const { done, total, objects } = event;
      const seconds = (performance.now() - began) / 1000;
      const rate = seconds > 0 ? Math.max(0, done - resumed) / seconds : 0;
      const speed = rate > 0 ? { rate, etaS: Math.ceil((total - done) / rate) } : {};
      onProgress({ done, total, objects, ...speed });
      if (done < total && performance.now() - toldAt < TILES_MS) return;
      toldAt = performance.now();
      void log.append("tiles", { ...data, ...speed });
      return;
    }
    void log.append(type, data);
  };
}

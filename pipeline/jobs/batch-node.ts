/** Detection in many scenes: what the command line and the service run. */
import { openScene } from "../../datasets/node.ts";
import { describe, type Described } from "../errors.ts";
import type { RunEvent } from "../progress.ts";
import { parseShard } from "../settings/resolve.ts";
import { mapConcurrent } from "../stream.ts";
import type { BatchOptions } from "./batch-options.ts";
import { createChannel } from "./channel.ts";
import { outputStems } from "./output-names.ts";
import { runScene } from "./scene-job-node.ts";

export type BatchEvent = RunEvent;

export interface BatchSummary {
  readonly completed: number;
  readonly skipped: number;
  readonly failed: number;
  /** True where it was stopped before its end. */
  readonly cancelled: boolean;
  readonly objects: number;
  readonly elapsedMs: number;
  /** One for each scene that failed, in the order of the batch. */
  readonly failures: readonly (Described & { readonly source: string })[];
}

/**
 * Detects in all scenes of this share of the batch, `settings.workers` at once. A scene that fails is reported and the
 * others go on.
 *
 * @yields what happens, scene by scene; scenes under way at once interleave
 * @returns the sums
 * @throws {SettingsError} where `shard` says nothing
 */
export async function* runBatch(
  sources: readonly string[],
  options: BatchOptions,
): AsyncGenerator<BatchEvent, BatchSummary, undefined> {
  const { settings, signal } = options;
  const { index: share, of: shares } = parseShard(settings.shard);
  const stems = options.stem === undefined ? outputStems(sources) : [options.stem];
  const all = sources.map((source, i) => ({ source, stem: stems[i] ?? source }));
  const jobs = all
    .filter((_, i) => i % shares === share - 1)
    .map((job, index, { length }) => ({ ...job, index, of: length }));

  const began = performance.now();
  const sums = { completed: 0, skipped: 0, failed: 0, objects: 0 };
  const failures: (Described & { readonly source: string })[] = [];
  const events = createChannel<BatchEvent>();
  const leave = new AbortController();
  const stop = signal === undefined ? leave.signal : AbortSignal.any([signal, leave.signal]);
  const open = options.open ?? ((source: string) => openScene(source, { signal: stop }));

  const run = async (job: (typeof jobs)[number]): Promise<void> => {
    if (stop.aborted) return;
    const { source, index, of } = job;
    const about = { source, index, of };
    try {
      const end = await runScene(job, { ...options, open, signal: stop }, events.push);
      sums[end.type === "done" ? "completed" : "skipped"]++;
      if (end.type === "done") sums.objects += end.objects;
      events.push(end);
    } catch (error) {
      const failure = describe(error);
      if (failure.code !== "ERR_CANCELLED") {
        sums.failed++;
        failures.push({ ...failure, source });
      }
      events.push({ type: "failed", ...about, code: failure.code, sentence: failure.sentence });
    }
  };
  const work = async (): Promise<void> => {
    const concurrency = Math.min(settings.workers, Math.max(1, jobs.length));
    for await (const _ of mapConcurrent(jobs, run, { concurrency }));
  };
  const working = work().then(
    () => events.end(),
    (error: unknown) => events.end(error),
  );
  try {
    yield* events;
  } finally {
    leave.abort(); // a reader that goes away stops the scenes in hand
    await working;
  }
  const order = new Map(sources.map((source, i) => [source, i]));
  failures.sort((a, b) => (order.get(a.source) ?? 0) - (order.get(b.source) ?? 0));
  const cancelled =
    signal?.aborted === true && sums.completed + sums.skipped + sums.failed < jobs.length;
  return { ...sums, cancelled, elapsedMs: performance.now() - began, failures };
}

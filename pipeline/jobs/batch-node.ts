/** Detection in many scenes: what the command line and the service run. */
import { openScene } from "../../datasets/node.ts";
import { describe, type Described } from "../errors.ts";
import type { DoneEvent, RunEvent, SkippedEvent } from "../progress.ts";
import { parseShard } from "../settings/resolve.ts";
import { mapConcurrent } from "../stream.ts";
import type { BatchOptions } from "./batch-options.ts";
import { createChannel } from "./channel.ts";
import { outputStems } from "./output-names.ts";
import { runScene } from "./scene-job-node.ts";
import type { SceneJob } from "./scene-paths-node.ts";

const CANCELLED = new DOMException("cancelled", "AbortError");

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
  const jobs = jobsOf(sources, options);
  const ledger = openLedger(sources);
  const events = createChannel<BatchEvent>();
  const leave = new AbortController();
  const stop = signal === undefined ? leave.signal : AbortSignal.any([signal, leave.signal]);
  const open = options.open ?? ((source: string) => openScene(source, { signal: stop }));

  const run = async (job: SceneJob): Promise<void> => {
    if (stop.aborted) return;
    try {
      const end = await runScene(job, { ...options, open, signal: stop }, events.push);
      ledger.ended(end);
      events.push(end);
    } catch (error) {
      // A caller may abort with a reason of its own.
      const failure = describe(stop.aborted && error === stop.reason ? CANCELLED : error);
      ledger.failed(job.source, failure);
      const { source, index, of } = job;
      const { code, sentence } = failure;
      events.push({ type: "failed", source, index, of, code, sentence });
    }
  };
  const work = async (): Promise<void> => {
    const concurrency = Math.min(settings.workers, Math.max(1, jobs.length));
    for await (const _ of mapConcurrent(jobs, run, { concurrency }));
  };
  const working = work().then(() => events.end(), events.end);
  try {
    yield* events;
  } finally {
    leave.abort(); // a reader that goes away stops the scenes in hand
    await working;
  }
  return ledger.summary(jobs.length, signal?.aborted === true);
}

/** The scenes of one share. A scene's output names do not depend on the share. */
function jobsOf(
  sources: readonly string[],
  { settings, stem }: Pick<BatchOptions, "settings" | "stem">,
): readonly SceneJob[] {
  const { index: share, of: shares } = parseShard(settings.shard);
  const stems = stem === undefined ? outputStems(sources) : [stem];
  return sources
    .map((source, i) => ({ source, stem: stems[i] ?? source }))
    .filter((_, i) => i % shares === share - 1)
    .map((job, index, { length }) => ({ ...job, index, of: length }));
}

/** Adds up what became of each scene. */
function openLedger(sources: readonly string[]) {
  const began = performance.now();
  const sums = { completed: 0, skipped: 0, failed: 0, objects: 0 };
  const failures: (Described & { readonly source: string })[] = [];
  const order = new Map(sources.map((source, i) => [source, i]));
  const placeOf = ({ source }: { readonly source: string }): number => order.get(source) ?? 0;
  return {
    ended: (end: DoneEvent | SkippedEvent): void => {
      if (end.type === "skipped") sums.skipped++;
      else {
        sums.completed++;
        sums.objects += end.objects;
      }
    },
    failed: (source: string, failure: Described): void => {
      if (failure.code === "ERR_CANCELLED") return;
      sums.failed++;
      failures.push({ ...failure, source });
    },
    summary: (scenes: number, stopped: boolean): BatchSummary => ({
      ...sums,
      cancelled: stopped && sums.completed + sums.skipped + sums.failed < scenes,
      elapsedMs: performance.now() - began,
      failures: failures.toSorted((a, b) => placeOf(a) - placeOf(b)),
    }),
  };
}

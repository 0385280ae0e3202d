/** Removes finished jobs whose time is over, and looks at the folder of models now and then. */
import { isFinished, type JobRecord } from "./record.ts";
import type { JobRunner } from "./runner.ts";
import type { JobStore } from "./store.ts";
import type { Disk } from "./disk.ts";

const SWEEP_MS = 60_000;

export interface Janitor {
  readonly sweep: () => Promise<void>;
  readonly stop: () => void;
}

/** Sweeps every minute, or as often as jobs end. */
export function startJanitor(
  { store, runner, disk }: { store: JobStore; runner: JobRunner; disk: Disk },
  keepMs: number,
  onError: (error: unknown) => void,
): Janitor {
  const isOver = (record: JobRecord): boolean =>
    isFinished(record) && Date.now() - Date.parse(record.finishedAt ?? "") >= keepMs;
  const sweep = async (): Promise<void> => {
    for (const record of store.list().filter(isOver)) {
      runner.forget(record.id);
      await store.remove(record.id);
    }
    await disk.measure();
  };
  const timer = setInterval(() => void sweep().catch(onError), Math.min(SWEEP_MS, keepMs));
  timer.unref();
  return { sweep, stop: () => clearInterval(timer) };
}

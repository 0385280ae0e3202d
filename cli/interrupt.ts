/** Ctrl-C: the first lets the work in hand finish and be saved, the second stops at once. */
import { EXIT } from "../pipeline/index.ts";
import type { Io } from "./io.ts";

/** Runs `work` with a signal that the first Ctrl-C aborts; the second ends the process. `ending` is said at the first. */
export async function interruptible<T>(
  io: Io,
  say: (line: string) => void,
  work: (signal: AbortSignal) => Promise<T>,
  ending = "finishing the tiles in hand and saving them; press Ctrl-C again to stop at once",
): Promise<T> {
  const stop = new AbortController();
  const off = io.onInterrupt(() => {
    if (stop.signal.aborted) {
      io.exit(EXIT.cancelled);
      return;
    }
    say(ending);
    stop.abort();
  });
  try {
    return await work(stop.signal);
  } finally {
    off();
  }
}

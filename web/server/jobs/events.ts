/** What happens to a job, as lines of a file that only grows: readers come and go, and go on where they were. */
import { appendFile, type FileHandle, mkdir, open, readFile, truncate } from "node:fs/promises";
import { dirname } from "node:path";

export interface JobEvent {
  /** From 1, without gaps. */
  readonly id: number;
  readonly event: string;
  readonly data: unknown;
}

export interface EventLog {
  readonly append: (event: string, data: unknown) => Promise<void>;
  /** The last event: readers that have had it are done. */
  readonly close: () => Promise<void>;
  /** @yields the events after `last`, those to come included, until the log is closed */
  readonly read: (last: number, signal: AbortSignal) => AsyncGenerator<JobEvent, void, undefined>;
}

const PIECE_BYTES = 65_536;

/** Opens a log; a line that was cut off by a crash is removed. `closed`: nothing will be added. */
export async function openEventLog(path: string, closed: boolean): Promise<EventLog> {
  await mkdir(dirname(path), { recursive: true });
  let isClosed = closed;
  let count = await mend(path);
  let last: Promise<void> = Promise.resolve();
  const wakes: (() => void)[] = [];
  const wake = (): void => {
    for (const one of wakes.splice(0)) one();
  };
  return {
    append: (event, data) => {
      const line = `${JSON.stringify({ id: ++count, event, data })}\n`;
      const mine = last.then(() => appendFile(path, line));
      last = mine.catch(() => {}); // the caller hears of it
      return mine.finally(wake);
    },
    close: async () => {
      await last;
      isClosed = true;
      wake();
    },
    async *read(after, signal) {
      const file = await open(path, "a+");
      const stop = (): void => wake();
      signal.addEventListener("abort", stop, { once: true });
      try {
        let at = 0;
        while (!signal.aborted) {
          const ended = isClosed; // asked before reading: what is added until then is read below
          const more = new Promise<void>((resolve) => wakes.push(resolve));
          for await (const { line, end } of linesFrom(file, at)) {
            at = end;
            const event = JSON.parse(line) as JobEvent; // written by us alone
            if (event.id > after) yield event;
          }
          if (ended) return;
          if (!signal.aborted) await more;
        }
      } finally {
        signal.removeEventListener("abort", stop);
        await file.close();
      }
    },
  };
}

/** The whole lines from a place in the file, each with the place after it. */
async function* linesFrom(
  file: FileHandle,
  start: number,
): AsyncGenerator<{ readonly line: string; readonly end: number }, void, undefined> {
  let rest = Buffer.alloc(0);
  for (let at = start; ;) {
    const { bytesRead, buffer } = await file.read(Buffer.alloc(PIECE_BYTES), 0, PIECE_BYTES, at);
    if (bytesRead === 0) return;
    at += bytesRead;
    rest = Buffer.concat([rest, buffer.subarray(0, bytesRead)]);
    for (let cut = rest.indexOf(10); cut >= 0; cut = rest.indexOf(10)) {
      const line = rest.toString("utf8", 0, cut);
      rest = rest.subarray(cut + 1);
      yield { line, end: at - rest.length };
    }
  }
}

/** Cuts off what follows the last line break. @returns the number of lines */
async function mend(path: string): Promise<number> {
  const bytes = await readFile(path).catch(() => Buffer.alloc(0)); // none yet
  const end = bytes.lastIndexOf(10) + 1;
  if (end < bytes.length) await truncate(path, end);
  let lines = 0;
  for (let i = 0; i < end; i++) if (bytes[i] === 10) lines++;
  return lines;
}

/** What the command line needs of its surroundings, so that tests can be them. */
import { relative, resolve } from "node:path";

/** Where text goes: standard output, standard error. */
export interface Terminal {
  readonly write: (chunk: string | Uint8Array) => void;
  readonly isTTY: boolean;
  /** Width in characters. */
  readonly columns: number;
}

export interface Io {
  /** Data, and nothing else. */
  readonly stdout: Terminal;
  /** Everything that is said to a person. */
  readonly stderr: Terminal;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  /** Milliseconds from some fixed moment. */
  readonly now: () => number;
  /** Calls back at every Ctrl-C or request to end; returns how to stop listening. */
  readonly onInterrupt: (listener: () => void) => () => void;
  /** Ends the process at once. */
  readonly exit: (status: number) => void;
}

/** The real surroundings. */
export function processIo(): Io {
  return {
    stdout: terminal(process.stdout),
    stderr: terminal(process.stderr),
    env: process.env,
    cwd: process.cwd(),
    now: () => performance.now(),
    onInterrupt: (listener) => {
      const signals = ["SIGINT", "SIGTERM"] as const;
      for (const name of signals) process.on(name, listener);
      return () => {
        for (const name of signals) process.off(name, listener);
      };
    },
    exit: (status) => process.exit(status),
  };
}

function terminal(stream: NodeJS.WriteStream): Terminal {
  // A reader that went away (`nadir … | head`) is no failure of ours.
  stream.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code !== "EPIPE") throw error;
  });
  return {
    write: (chunk) => {
      if (!stream.destroyed) stream.write(chunk);
    },
    isTTY: stream.isTTY,
    get columns() {
      return stream.columns > 0 ? stream.columns : 80; // some terminals do not know theirs
    },
  };
}

/** An address on the web, which is never a path. */
export const isUrl = (text: string): boolean => /^https?:\/\//i.test(text);

/** A path that a user gave, as the process must open it; addresses stay as they are. */
export function locate(io: Pick<Io, "cwd">, path: string): string {
  if (isUrl(path)) return path;
  const absolute = resolve(io.cwd, path);
  const short = relative(process.cwd(), absolute);
  return short === "" ? "." : short.startsWith("..") ? absolute : short;
}

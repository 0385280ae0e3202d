/** A terminal, an environment and a clock in memory. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Io, Terminal } from "../../cli/io.ts";
import { main } from "../../cli/main.ts";

export interface TestIo extends Io {
  readonly out: () => string;
  readonly err: () => string;
  /** Moves the clock. */
  readonly tick: (ms: number) => void;
  /** Presses Ctrl-C. */
  readonly interrupt: () => void;
  /** What {@link Io.exit} was called with. */
  readonly exits: readonly number[];
}

export interface TestIoOptions {
  readonly cwd?: string;
  readonly env?: Record<string, string>;
  readonly isTTY?: boolean;
  readonly columns?: number;
}

export function testIo({
  cwd,
  env = {},
  isTTY = false,
  columns = 100,
}: TestIoOptions = {}): TestIo {
  const [out, err] = [[] as string[], [] as string[]];
  const terminal = (chunks: string[]): Terminal => ({
    write: (chunk) => void chunks.push(Buffer.from(chunk as Uint8Array).toString()),
    isTTY,
    columns,
  });
  const listeners = new Set<() => void>();
  const exits: number[] = [];
  let now = 0;
  return {
    stdout: terminal(out),
    stderr: terminal(err),
    env,
    cwd: cwd ?? process.cwd(),
    now: () => now,
    onInterrupt: (listener) => {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    exit: (status) => void exits.push(status),
    out: () => out.join(""),
    err: () => err.join(""),
    tick: (ms) => void (now += ms),
    interrupt: () => {
      for (const listener of listeners) listener();
    },
    exits,
  };
}

/** Runs the command line and gives its exit status with what it wrote. */
export async function run(
  argv: readonly string[],
  options: TestIoOptions = {},
): Promise<{ readonly status: number; readonly out: string; readonly err: string }> {
  const io = testIo(options);
  const status = await main(argv, io);
  return { status, out: io.out(), err: io.err() };
}

/** A folder that is gone after the test. */
export function scratch(): { readonly path: string; readonly [Symbol.dispose]: () => void } {
  const path = mkdtempSync(join(tmpdir(), "nadir-test-"));
  return { path, [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }) };
}

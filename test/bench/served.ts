/** A server in a process of its own, for measurements. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { join } from "node:path";

export interface Served extends AsyncDisposable {
  readonly address: string;
  /** Megabytes: resident now, and at most since the start. */
  readonly memory: () => { readonly now: number; readonly peak: number };
  /** What it wrote to standard error. */
  readonly said: () => string;
  /** The processor's time so far, of all threads. */
  readonly cpuMs: () => number;
  readonly child: ChildProcess;
}

const ROOT = join(import.meta.dirname, "../..");

/** Runs the command line; `node` are flags of Node itself. */
export function nadir(argv: readonly string[], node: readonly string[] = []): ChildProcess {
  const program = join(ROOT, "cli/nadir.ts");
  return spawn(process.execPath, [...node, "--import", "tsx", program, ...argv], { cwd: ROOT });
}

/** Starts `nadir serve` on any free port and waits until it answers. */
export async function serve(
  argv: readonly string[],
  node: readonly string[] = [],
): Promise<Served> {
  const child = nadir(["serve", "--port", "0", "--quiet", "--rate-limit", "0", ...argv], node);
  let said = "";
  child.stderr?.on("data", (chunk) => (said += chunk));
  for (;;) {
    const address = /serves at (\S+);/.exec(said)?.[1];
    if (address !== undefined) {
      return {
        address,
        child,
        said: () => said,
        cpuMs: () => cpuMsOf(child.pid ?? 0),
        memory: () => memoryOf(child.pid ?? 0),
        [Symbol.asyncDispose]: async () => {
          child.kill("SIGTERM");
          if (child.exitCode === null && child.signalCode === null) await once(child, "exit");
        },
      };
    }
    if (child.exitCode !== null) throw new Error(`serve: must start, it said ${said}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** As the kernel counts it; Linux only. */
function memoryOf(pid: number): { readonly now: number; readonly peak: number } {
  const status = readFileSync(`/proc/${pid}/status`, "utf8");
  const read = (name: string): number =>
    Number(new RegExp(`${name}:\\s+(\\d+) kB`).exec(status)?.[1] ?? Number.NaN) / 1000;
  return { now: read("VmRSS"), peak: read("VmHWM") };
}

/** Fields 14 and 15 of the process's line, in hundredths of a second; Linux only. */
function cpuMsOf(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, "utf8")
    .replace(/^.*\) /, "")
    .split(" ");
  return 10 * (Number(fields[11]) + Number(fields[12]));
}

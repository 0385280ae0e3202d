/** One server a folder: two would work on the same jobs. */
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { SettingsError } from "../../../pipeline/index.ts";

/**
 * Claims the folder for this process. The claim of a process that is gone is void.
 *
 * @returns gives it up
 * @throws {SettingsError} where a running server has it
 */
export function lockFolder(folder: string): () => void {
  const path = join(folder, "server.pid");
  const other = ownerOf(path);
  if (other !== undefined && other !== process.pid && isRunning(other)) {
    throw new SettingsError(
      `serve: --data must be a folder of its own, received one that process ${other} works in`,
    );
  }
  writeFileSync(path, String(process.pid));
  return () => {
    if (ownerOf(path) === process.pid) rmSync(path, { force: true });
  };
}

function ownerOf(path: string): number | undefined {
  try {
    return Number(readFileSync(path, "utf8"));
  } catch {
    return undefined; // nobody's
  }
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0); // only asks
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM"; // another user's
  }
}

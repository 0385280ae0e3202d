/** How much disk the server's folder takes, and that it is not more than allowed. */
import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { RequestError } from "../problem.ts";

export interface Disk {
  /** Takes room before bytes are written. @throws {RequestError} `ERR_QUOTA` */
  readonly reserve: (bytes: number) => void;
  /** Gives room back. */
  readonly release: (bytes: number) => void;
  /** Looks what is really there. */
  readonly measure: () => Promise<void>;
  readonly usedBytes: () => number;
}

export function createDisk(folder: string, mostBytes: number): Disk {
  let used = 0;
  return {
    reserve: (bytes) => {
      if (used + bytes > mostBytes) {
        throw new RequestError(
          "ERR_QUOTA",
          `uploads and results must take at most ${mostBytes} bytes together, they take ${used}`,
          3600,
        );
      }
      used += bytes;
    },
    release: (bytes) => void (used = Math.max(0, used - bytes)),
    measure: async () => {
      const before = used;
      const found = await bytesBelow(folder);
      used = found + Math.max(0, used - before); // what came in meanwhile
    },
    usedBytes: () => used,
  };
}

/** The sum of all files; what vanishes meanwhile counts nothing. */
export async function bytesBelow(folder: string): Promise<number> {
  const entries = await readdir(folder, { withFileTypes: true }).catch(() => []);
  let sum = 0;
  for (const entry of entries) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) sum += await bytesBelow(path);
    else sum += await stat(path).then(({ size }) => size, () => 0); // prettier-ignore
  }
  return sum;
}

/** What requests take of the server's disk and memory. */
import type { Disk } from "../jobs/disk.ts";
import type { Limits } from "../options.ts";

/** What one request has taken, to be given back as a whole. */
export interface Claim {
  /** Takes room on disk before bytes are written. @throws {RequestError} `ERR_QUOTA` */
  readonly reserve: (bytes: number) => void;
  /** Takes memory for a file that has `bytes` so far. @returns false where it finds none: it has to go to disk */
  readonly hold: (bytes: number) => boolean;
  readonly release: () => void;
}

/** Makes the claims of one server: files of all requests share its memory. */
export function claims(
  disk: Pick<Disk, "reserve" | "release">,
  { heldBytes, heldFileBytes }: Pick<Limits, "heldBytes" | "heldFileBytes">,
): () => Claim {
  let inMemory = 0;
  return () => {
    let [onDisk, held] = [0, 0];
    const holdExactly = (bytes: number): void => {
      inMemory += bytes - held;
      held = bytes;
    };
    return {
      reserve: (bytes) => {
        disk.reserve(bytes);
        onDisk += bytes;
      },
      hold: (bytes) => {
        const fits = bytes <= heldFileBytes && inMemory + bytes - held <= heldBytes;
        holdExactly(fits ? bytes : 0);
        return fits;
      },
      release: () => {
        disk.release(onDisk);
        onDisk = 0;
        holdExactly(0);
      },
    };
  };
}

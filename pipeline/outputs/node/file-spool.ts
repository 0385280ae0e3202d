/** A spool in a temporary file beside the output; opened when first used, gone when closed. */
import { readSync } from "node:fs";
import type { FileHandle } from "node:fs/promises";
import { rm } from "node:fs/promises";
import type { Spool } from "../output.ts";
import { openTemporary, partialPath, release, writeAll } from "./partial-file.ts";

const BUFFER_BYTES = 1 << 18;

export interface FileSpool extends Spool {
  readonly close: () => Promise<void>;
}

export function fileSpool(path: string): FileSpool {
  const temporary = `${partialPath(path)}.spool`;
  const buffer = new Uint8Array(BUFFER_BYTES);
  let handle: FileHandle | undefined;
  let [used, written] = [0, 0];

  const flush = async (): Promise<FileHandle> => {
    handle ??= await openTemporary(path, temporary);
    if (used === 0) return handle;
    await writeAll(handle, buffer.subarray(0, used));
    written += used;
    used = 0;
    return handle;
  };
  return {
    append: async (bytes) => {
      if (used + bytes.length > buffer.length) handle = await flush();
      if (bytes.length > buffer.length) {
        handle = await flush();
        await writeAll(handle, bytes);
        written += bytes.length;
        return;
      }
      buffer.set(bytes, used);
      used += bytes.length;
    },
    read: async (offset, length) => {
      const { fd } = await flush();
      if (offset < 0 || offset + length > written) {
        throw new RangeError(
          `spool: must lie within ${written} bytes, received ${offset}…${offset + length}`,
        );
      }
      const bytes = new Uint8Array(length);
      // A few hundred bytes that the system still holds: asking the thread pool would take ten times as long.
      for (let done = 0; done < length;) {
        done += readSync(fd, bytes, done, length - done, offset + done);
      }
      return bytes;
    },
    close: async () => {
      if (handle === undefined) return;
      await handle.close();
      await rm(temporary, { force: true });
      release(temporary);
      handle = undefined;
    },
  };
}

/**
 * A file that is written beside its final name and renamed when whole. Whatever ends the process but a kill -9
 * removes it; after that one the next run overwrites it.
 */
import { rmSync } from "node:fs";
import type { FileHandle } from "node:fs/promises";
import { mkdir, open, rename, rm } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { OutputError } from "../output.ts";

/** Bytes gathered before one call of the system. */
const BUFFER_BYTES = 1 << 18;

/** `out/scene.geojson` → `out/.scene.geojson.partial`. */
export function partialPath(path: string): string {
  return join(dirname(path), `.${basename(path)}.partial`);
}

const unfinished = new Set<string>();

/** Removes `path` should the process end before {@link release}. */
export function removeAtExit(path: string): void {
  if (unfinished.size === 0) process.on("exit", removeUnfinished);
  unfinished.add(path);
}

export function release(path: string): void {
  unfinished.delete(path);
  if (unfinished.size === 0) process.off("exit", removeUnfinished);
}

function removeUnfinished(): void {
  for (const path of unfinished) rmSync(path, { force: true, recursive: true });
}

/** One sentence for what the system said. */
export function outputError(path: string, cause: unknown): OutputError {
  if (cause instanceof OutputError) return cause;
  const { code, message } = cause as NodeJS.ErrnoException; // everything thrown by node:fs is one
  const said =
    {
      ENOSPC: "the disk is full",
      EDQUOT: "the disk quota is used up",
      EACCES: "there is no permission to write here",
      EPERM: "there is no permission to write here",
      EROFS: "the file system is read-only",
      EISDIR: "there is a folder of that name",
      ENOTDIR: "a part of the path is a file, not a folder",
      ENAMETOOLONG: "the name is too long",
      EMFILE: "too many files are open",
    }[code ?? ""] ?? message;
  return new OutputError(`${path}: cannot be written, ${said}${code ? ` (${code})` : ""}`, {
    cause,
  });
}

export interface PartialFile {
  readonly write: (bytes: Uint8Array) => Promise<void>;
  readonly finish: () => Promise<void>;
  readonly abort: () => Promise<void>;
}

/** Opens a buffered file beside `path`. @throws {OutputError} where the folder cannot be written */
export async function openPartialFile(path: string): Promise<PartialFile> {
  const partial = partialPath(path);
  const handle = await openTemporary(path, partial);
  const buffer = new Uint8Array(BUFFER_BYTES);
  let used = 0;
  let closed = false;

  const flush = async (): Promise<void> => {
    const bytes = buffer.subarray(0, used);
    used = 0;
    await writeAll(handle, bytes);
  };
  const abort = async (): Promise<void> => {
    if (closed) return;
    closed = true;
    await handle.close().catch(() => {}); // the file goes in any case
    await rm(partial, { force: true });
    release(partial);
  };
  const guarded = async (work: () => Promise<void>): Promise<void> => {
    if (closed)
      throw new OutputError(`${path}: must be open to be written, received a closed file`);
    try {
      await work();
    } catch (error) {
      await abort();
      throw outputError(path, error);
    }
  };
  return {
    write: (bytes) =>
      guarded(async () => {
        if (used + bytes.length > buffer.length) await flush();
        if (bytes.length > buffer.length) return writeAll(handle, bytes);
        buffer.set(bytes, used);
        used += bytes.length;
      }),
    finish: () =>
      guarded(async () => {
        await flush();
        await handle.sync();
        await handle.close();
        await rename(partial, path);
        closed = true;
        release(partial);
      }),
    abort,
  };
}

/** Opens `temporary` for reading and writing, empty, and has it removed should the process end early. */
export async function openTemporary(path: string, temporary: string): Promise<FileHandle> {
  try {
    await mkdir(dirname(path), { recursive: true });
    const handle = await open(temporary, "w+");
    removeAtExit(temporary);
    return handle;
  } catch (error) {
    throw outputError(path, error);
  }
}

export async function writeAll(handle: FileHandle, bytes: Uint8Array): Promise<void> {
  for (let done = 0; done < bytes.length;) {
    done += (await handle.write(bytes, done, bytes.length - done)).bytesWritten;
  }
}

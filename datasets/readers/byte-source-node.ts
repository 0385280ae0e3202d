/** Bytes of a local file. */
import { open, type FileHandle } from "node:fs/promises";
import { SceneError } from "../scene.ts";
import { type ByteSource, expectInside } from "./byte-source.ts";

/** @throws {SceneError} where the path is missing, a directory, or may not be read. */
export async function fileSource(path: string): Promise<ByteSource> {
  const file = await open(path, "r").catch((cause: unknown) => {
    throw new SceneError(`${path}: ${openFailure(cause)}`, { cause });
  });
  const { size, mtimeMs } = await expectFile(path, file);

  async function read(offset: number, length: number): Promise<Uint8Array> {
    expectInside(path, size, offset, length);
    const bytes = new Uint8Array(length);
    for (let done = 0; done < length;) {
      const { bytesRead } = await file.read(bytes, done, length - done, offset + done);
      if (bytesRead === 0) {
        throw new SceneError(`${path}: the file must not shrink while it is read`);
      }
      done += bytesRead;
    }
    return bytes;
  }

  return {
    name: path,
    sizeBytes: size,
    identity: `${size}:${Math.round(mtimeMs)}`,
    gapBytes: 4096,
    read,
    [Symbol.asyncDispose]: () => file.close(),
  };
}

async function expectFile(path: string, file: FileHandle) {
  const facts = await file.stat();
  if (facts.isFile()) return facts;
  await file.close();
  const kind = facts.isDirectory() ? "a directory" : "no regular file";
  throw new SceneError(`${path}: a scene must be a file, this is ${kind}`);
}

function openFailure(cause: unknown): string {
  const code = cause instanceof Error && "code" in cause ? cause.code : undefined;
  if (code === "ENOENT") return "there is no such file";
  if (code === "EACCES" || code === "EPERM") return "the file may not be read (permission denied)";
  if (code === "EISDIR") return "a scene must be a file, this is a directory";
  return `the file cannot be opened (${cause instanceof Error ? cause.message : String(cause)})`;
}

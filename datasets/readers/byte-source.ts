/** Bytes at an offset: what a reader of windows needs of a file, a Blob or a web server. */
import { SceneError } from "../scene.ts";

export interface ByteSource extends AsyncDisposable {
  /** The path, address or file name, for messages. */
  readonly name: string;
  readonly sizeBytes: number;
  /** Changes when the bytes may have changed. */
  readonly identity: string;
  /** A read costs about as much as this many bytes: nearer ranges are better read as one. */
  readonly gapBytes: number;
  /**
   * Reads exactly `length` bytes, which may be a view of the source: they must not be changed.
   *
   * @throws {SceneError} where the source ends before, or cannot be read.
   */
  readonly read: (offset: number, length: number, signal?: AbortSignal) => Promise<Uint8Array>;
}

/** A `Blob` or `File`. */
export function blobSource(blob: Blob, name: string): ByteSource {
  const modified = "lastModified" in blob ? String(blob.lastModified) : "";
  return {
    name,
    sizeBytes: blob.size,
    identity: `${name}:${blob.size}:${modified}`,
    gapBytes: 4096,
    read: async (offset, length) => {
      expectInside(name, blob.size, offset, length);
      return new Uint8Array(await blob.slice(offset, offset + length).arrayBuffer());
    },
    [Symbol.asyncDispose]: async () => {},
  };
}

/** Bytes in memory. */
export function bytesSource(bytes: Uint8Array, name: string): ByteSource {
  return {
    name,
    sizeBytes: bytes.length,
    identity: `${name}:${bytes.length}`,
    gapBytes: 0,
    read: async (offset, length) => {
      expectInside(name, bytes.length, offset, length);
      return bytes.subarray(offset, offset + length);
    },
    [Symbol.asyncDispose]: async () => {},
  };
}

/** @throws {SceneError} where a range does not lie inside a source. */
export function expectInside(
  name: string,
  sizeBytes: number,
  offset: number,
  length: number,
): void {
  if (offset >= 0 && length >= 0 && offset + length <= sizeBytes) return;
  throw new SceneError(
    `${name}: the file must hold bytes ${offset} to ${offset + length}, it has ${sizeBytes} (is it truncated?)`,
  );
}

/** The same source, its first reads kept: tags lie close together and are read a few bytes at a time. */
export interface PagedSource {
  readonly source: ByteSource;
  /** Small reads, through pages that are kept. */
  readonly metadata: (offset: number, length: number) => Promise<Uint8Array>;
  /** Large reads; only served from the pages where these hold all of it. */
  readonly data: (offset: number, length: number, signal?: AbortSignal) => Promise<Uint8Array>;
}

const PAGE_BYTES = 32 * 1024;
const PAGES_KEPT = 64;

export function withPages(source: ByteSource): PagedSource {
  const pages = new Map<number, Promise<Uint8Array>>();

  function page(index: number): Promise<Uint8Array> {
    const kept = pages.get(index);
    if (kept !== undefined) return kept;
    const offset = index * PAGE_BYTES;
    const read = source.read(offset, Math.min(PAGE_BYTES, source.sizeBytes - offset));
    read.catch(() => pages.delete(index)); // a failed read may be tried again
    pages.set(index, read);
    const oldest = pages.keys().next().value;
    if (pages.size > PAGES_KEPT && oldest !== undefined) pages.delete(oldest);
    return read;
  }

  async function fromPages(offset: number, length: number): Promise<Uint8Array> {
    const bytes = new Uint8Array(length);
    for (let at = offset; at < offset + length;) {
      const index = Math.floor(at / PAGE_BYTES);
      const start = at - index * PAGE_BYTES;
      const part = (await page(index)).subarray(start, start + offset + length - at);
      bytes.set(part, at - offset);
      at += part.length;
    }
    return bytes;
  }

  return {
    source,
    metadata: async (offset, length) => {
      expectInside(source.name, source.sizeBytes, offset, length);
      if (length > PAGE_BYTES * 4) return source.read(offset, length);
      return fromPages(offset, length);
    },
    data: async (offset, length, signal) => {
      expectInside(source.name, source.sizeBytes, offset, length);
      for (let at = offset; at < offset + length; at += PAGE_BYTES) {
        if (!pages.has(Math.floor(at / PAGE_BYTES))) return source.read(offset, length, signal);
      }
      const last = Math.floor((offset + length - 1) / PAGE_BYTES);
      return pages.has(last) ? fromPages(offset, length) : source.read(offset, length, signal);
    },
  };
}

/**
 * The header and the directories of a TIFF file (TIFF 6.0 §2; BigTIFF, 2007).
 *
 * Only what is asked for is read: the offsets of a scene's blocks are fetched a page at a time. A count that the file
 * is too short for is an error before anything is allocated.
 */
import { SceneError } from "../../scene.ts";
import type { PagedSource } from "../byte-source.ts";
import { dataView, decodeNumbers, valueBytes } from "./values.ts";

/** One image of the file: its tags. */
export interface Directory {
  readonly littleEndian: boolean;
  readonly has: (tag: number) => boolean;
  /** Numbers of a tag, all of them; a rational is its quotient. */
  readonly numbers: (tag: number) => Promise<readonly number[] | undefined>;
  readonly number: (tag: number) => Promise<number | undefined>;
  readonly text: (tag: number) => Promise<string | undefined>;
  readonly bytes: (tag: number) => Promise<Uint8Array | undefined>;
  /** How many values a tag has, 0 without it. */
  readonly count: (tag: number) => number;
  /** One value of a long array, read with its neighbours. */
  readonly at: (tag: number, index: number) => Promise<number>;
}

interface Entry {
  readonly type: number;
  readonly count: number;
  /** Where its values lie in the file. */
  readonly offset: number;
}

interface Header {
  readonly littleEndian: boolean;
  readonly big: boolean;
  readonly first: number;
}

const SUB_DIRECTORIES = 330;
const DIRECTORIES_AT_MOST = 256;
const PAGE_VALUES = 2048;
const TAG_BYTES_AT_MOST = 64 * 1024 * 1024;

/**
 * All images of a file in the order of the chain, each followed by its sub-directories.
 *
 * @throws {SceneError} where the bytes are no TIFF, or end before its directory does.
 */
export async function readDirectories(file: PagedSource): Promise<readonly Directory[]> {
  const header = await readHeader(file);
  const directories: Directory[] = [];
  const seen = new Set<number>();
  const queue = [header.first];
  for (let offset = queue.shift(); offset !== undefined; offset = queue.shift()) {
    if (offset === 0 || seen.has(offset) || seen.size === DIRECTORIES_AT_MOST) continue;
    seen.add(offset);
    const { directory, next } = await readDirectory(file, header, offset);
    directories.push(directory);
    queue.push(...((await directory.numbers(SUB_DIRECTORIES)) ?? []), next);
  }
  if (directories.length === 0) {
    throw new SceneError(`${file.source.name}: a TIFF must hold an image, this one holds none`);
  }
  return directories;
}

async function readHeader(file: PagedSource): Promise<Header> {
  const { name, sizeBytes } = file.source;
  const bytes = await file.metadata(0, Math.min(16, sizeBytes));
  const view = dataView(bytes);
  const order = bytes.length >= 8 ? view.getUint16(0) : 0;
  const littleEndian = order === 0x4949;
  const magic = bytes.length >= 8 ? view.getUint16(2, littleEndian) : 0;
  if ((order !== 0x4949 && order !== 0x4d4d) || (magic !== 42 && magic !== 43)) {
    const start = [...bytes.subarray(0, 4)].map((byte) => byte.toString(16).padStart(2, "0"));
    throw new SceneError(
      `${name}: a TIFF must begin with "II" or "MM" and 42 or 43, received bytes ${start.join(" ")}`,
    );
  }
  const big = magic === 43;
  if (big && bytes.length < 16) {
    throw new SceneError(`${name}: a BigTIFF header must have 16 bytes, received ${bytes.length}`);
  }
  const first = big ? Number(view.getBigUint64(8, littleEndian)) : view.getUint32(4, littleEndian);
  return { littleEndian, big, first };
}

async function readDirectory(file: PagedSource, header: Header, offset: number) {
  const { littleEndian, big } = header;
  const [countBytes, entryBytes, offsetBytes] = big ? [8, 20, 8] : [2, 12, 4];
  const counted = dataView(await file.metadata(offset, countBytes));
  const count = big
    ? Number(counted.getBigUint64(0, littleEndian))
    : counted.getUint16(0, littleEndian);
  const view = dataView(await file.metadata(offset + countBytes, count * entryBytes + offsetBytes));
  const readOffset = (at: number): number =>
    big ? Number(view.getBigUint64(at, littleEndian)) : view.getUint32(at, littleEndian);

  const entries = new Map<number, Entry>();
  for (let at = 0; at < count * entryBytes; at += entryBytes) {
    const type = view.getUint16(at + 2, littleEndian);
    const values = big
      ? Number(view.getBigUint64(at + 4, littleEndian))
      : view.getUint32(at + 4, littleEndian);
    const inline = at + entryBytes - offsetBytes;
    const fits = values * (valueBytes(type) ?? 1) <= offsetBytes;
    const where = fits ? offset + countBytes + inline : readOffset(inline);
    entries.set(view.getUint16(at, littleEndian), { type, count: values, offset: where });
  }
  return {
    directory: directoryOf(file, littleEndian, entries),
    next: readOffset(count * entryBytes),
  };
}

function directoryOf(
  file: PagedSource,
  littleEndian: boolean,
  entries: ReadonlyMap<number, Entry>,
): Directory {
  const kept = new Map<string, Promise<readonly number[]>>();

  async function slice(tag: number, from: number, to: number): Promise<Uint8Array | undefined> {
    const entry = entries.get(tag);
    const size = valueBytes(entry?.type ?? 0);
    if (entry === undefined || size === undefined) return undefined;
    const length = (Math.min(to, entry.count) - from) * size;
    if (length > TAG_BYTES_AT_MOST) {
      throw new SceneError(
        `${file.source.name}: a tag must have at most ${TAG_BYTES_AT_MOST} bytes, tag ${tag} has ${length}`,
      );
    }
    return file.metadata(entry.offset + from * size, length);
  }

  function values(tag: number, from: number, to: number): Promise<readonly number[]> {
    const key = `${tag}:${from}`;
    const known = kept.get(key);
    if (known !== undefined) return known;
    const type = entries.get(tag)?.type ?? 0;
    const read = slice(tag, from, to).then((bytes) =>
      bytes === undefined ? [] : decodeNumbers(bytes, type, littleEndian),
    );
    read.catch(() => kept.delete(key));
    kept.set(key, read);
    return read;
  }

  const numbers = async (tag: number): Promise<readonly number[] | undefined> =>
    entries.has(tag) ? values(tag, 0, Number.POSITIVE_INFINITY) : undefined;
  const bytes = (tag: number): Promise<Uint8Array | undefined> =>
    slice(tag, 0, Number.POSITIVE_INFINITY);

  return {
    littleEndian,
    has: (tag) => entries.has(tag),
    numbers,
    number: async (tag) => (await numbers(tag))?.[0],
    bytes,
    text: async (tag) => {
      const raw = await bytes(tag);
      return raw && new TextDecoder().decode(raw).replace(/\0.*$/s, "");
    },
    count: (tag) => entries.get(tag)?.count ?? 0,
    at: async (tag, index) => {
      const from = Math.floor(index / PAGE_VALUES) * PAGE_VALUES;
      return (await values(tag, from, from + PAGE_VALUES))[index - from] ?? 0;
    },
  };
}

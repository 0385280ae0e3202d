/** The tile journal in a file. */
import { type FileHandle, mkdir, open } from "node:fs/promises";
import { dirname } from "node:path";
import type { TileOutcome } from "../infer.ts";
import { outputError } from "../outputs/node/partial-file.ts";
import type { Tile } from "../tiles.ts";
import {
  crc32,
  decodeHeader,
  decodeOutcome,
  encodeOutcome,
  HEADER_BYTES,
  type Journal,
  JournalError,
  tileIndexOf,
} from "./journal.ts";

export interface JournalOptions {
  /** As `journalKey` gives it; a file of another key is begun anew. */
  readonly key: string;
  /** Tiles in one run of the model: a run that was torn is done again as a whole. */
  readonly batch: number;
  /** Forgets what is there. @default false */
  readonly fresh?: boolean;
}

const MAGIC = "nadir tile journal 1\n";

/**
 * Opens the journal at `path`, keeps its whole records and cuts off what is torn.
 *
 * @throws {OutputError} where the file cannot be written
 */
export async function openJournal(
  path: string,
  { key, batch, fresh = false }: JournalOptions,
): Promise<Journal> {
  const head = Buffer.from(`${MAGIC}${key}\n`);
  const orOutputError = async <T>(work: () => Promise<T>): Promise<T> =>
    work().catch((error: unknown) => {
      throw outputError(path, error);
    });
  const file = await orOutputError(async () => {
    await mkdir(dirname(path), { recursive: true });
    return open(path, "a+").then(async (handle) => {
      await handle.close(); // it exists now, and can be opened to be cut and written anywhere
      return open(path, "r+");
    });
  });
  const same = !fresh && head.equals(await bytesAt(file, 0, head.length));
  const kept = same ? await scan(file, head.length, batch) : { count: 0, end: 0 };
  let end = kept.end;
  await orOutputError(async () => {
    await file.truncate(end);
    if (end === 0) end += (await file.write(head, 0, head.length, 0)).bytesWritten;
  });
  return {
    count: kept.count,
    outcomes: (tiles) => replay(file, head.length, tiles.slice(0, kept.count)),
    append: (outcomes) =>
      orOutputError(async () => {
        const bytes = Buffer.concat(outcomes.map(encodeOutcome));
        for (let done = 0; done < bytes.length;) {
          done += (await file.write(bytes, done, bytes.length - done, end + done)).bytesWritten;
        }
        end += bytes.length;
      }),
    isEmpty: () => end === head.length,
    [Symbol.asyncDispose]: () => file.close(),
  };
}

/** Counts the whole records that follow one another from tile 0, and finds where the last whole batch ends. */
async function scan(
  file: FileHandle,
  start: number,
  batch: number,
): Promise<{ readonly count: number; readonly end: number }> {
  let kept = { count: 0, end: start };
  let at = start;
  for (let count = 0; ; count++) {
    if (count % batch === 0) kept = { count, end: at };
    const payload = await recordAt(file, at);
    if (payload === undefined || tileIndexOf(payload) !== count) return kept;
    at += HEADER_BYTES + payload.length;
  }
}

async function* replay(
  file: FileHandle,
  start: number,
  tiles: readonly Tile[],
): AsyncGenerator<TileOutcome, void, undefined> {
  let at = start;
  for (const tile of tiles) {
    const payload = await recordAt(file, at);
    if (payload === undefined) {
      throw new JournalError(`replay: the record of tile ${tile.index} must still be there`);
    }
    at += HEADER_BYTES + payload.length;
    yield decodeOutcome(payload, tile);
  }
}

/** The payload of the record at `at`; undefined where it is not whole. */
async function recordAt(file: FileHandle, at: number): Promise<Uint8Array | undefined> {
  const header = await bytesAt(file, at, HEADER_BYTES);
  if (header.length < HEADER_BYTES) return undefined;
  const { length, crc } = decodeHeader(header);
  const { size } = await file.stat();
  if (at + HEADER_BYTES + length > size) return undefined;
  const payload = await bytesAt(file, at + HEADER_BYTES, length);
  return payload.length === length && crc32(payload) === crc ? payload : undefined;
}

async function bytesAt(file: FileHandle, position: number, length: number): Promise<Uint8Array> {
  const { buffer, bytesRead } = await file.read(Buffer.alloc(length), 0, length, position);
  return buffer.subarray(0, bytesRead);
}

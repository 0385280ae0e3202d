/**
 * The tile journal: what was found in each tile, as bytes that can only grow. A record is
 *
 *     length u32 · crc32 of the payload u32 · payload
 *
 * little-endian, one per tile in plan order. Whatever does not fit at the end is a torn tail and ignored.
 */
import {
  type Boxes,
  coordinates,
  noDetections,
  stride,
  withCoordinates,
} from "../../datasets/index.ts";
import type { TileOutcome } from "../infer.ts";
import type { SkipReason } from "../read-tiles.ts";
import type { DetectSettings } from "../settings.ts";
import { tileSettings } from "../settings/resolve.ts";
import type { Tile } from "../tiles.ts";
import { VERSION } from "../version.ts";

/** Keeps outcomes across a crash, and gives back those of an earlier run. */
export interface Journal extends AsyncDisposable {
  /** Tiles whose outcomes an earlier run left behind, the first ones of the plan. */
  readonly count: number;
  /** Those outcomes; `tiles` is the plan they belong to. */
  readonly outcomes: (tiles: readonly Tile[]) => AsyncIterable<TileOutcome>;
  readonly append: (outcomes: readonly TileOutcome[]) => Promise<void>;
  /** True where no outcome is kept. */
  readonly isEmpty: () => boolean;
}

/** Bytes before the payload of a record. */
export const HEADER_BYTES = 8;
/** Bytes of a payload before its boxes. */
const FACTS_BYTES = 24;
const SKIPPED: readonly (SkipReason | undefined)[] = [undefined, "nodata", "blank"];

/** A record is torn, or not of the tile that it should be. */
export class JournalError extends Error {
  override readonly name = "JournalError";
}

/** One outcome as a record. */
export function encodeOutcome({
  tile,
  detections,
  skipped,
  dropped,
  bestScore,
}: TileOutcome): Uint8Array {
  const { count, boxes, scores, classes } = detections;
  const numbers = coordinates(boxes);
  const length = FACTS_BYTES + numbers.length * 8 + count * 6;
  const bytes = new Uint8Array(HEADER_BYTES + length);
  const payload = bytes.subarray(HEADER_BYTES);
  const view = new DataView(payload.buffer, HEADER_BYTES);
  view.setUint32(0, tile.index, true);
  view.setUint32(4, count, true);
  view.setUint32(8, dropped, true);
  view.setUint8(12, SKIPPED.indexOf(skipped));
  view.setUint8(13, stride(boxes));
  view.setFloat64(16, bestScore, true);
  let at = FACTS_BYTES;
  for (const v of numbers) view.setFloat64((at += 8) - 8, v, true);
  for (const v of scores) view.setFloat32((at += 4) - 4, v, true);
  for (const v of classes) view.setUint16((at += 2) - 2, v, true);
  const head = new DataView(bytes.buffer);
  head.setUint32(0, length, true);
  head.setUint32(4, crc32(payload), true);
  return bytes;
}

/** Length of the payload, and its checksum. */
export function decodeHeader(header: Uint8Array): {
  readonly length: number;
  readonly crc: number;
} {
  const view = new DataView(header.buffer, header.byteOffset);
  return { length: view.getUint32(0, true), crc: view.getUint32(4, true) };
}

/** The index of the tile that a whole payload speaks of. */
export const tileIndexOf = (payload: Uint8Array): number =>
  new DataView(payload.buffer, payload.byteOffset).getUint32(0, true);

/** The outcome in a payload whose checksum was right. @throws {JournalError} where it is of another tile */
export function decodeOutcome(payload: Uint8Array, tile: Tile): TileOutcome {
  const view = new DataView(payload.buffer, payload.byteOffset, payload.byteLength);
  if (tileIndexOf(payload) !== tile.index) {
    throw new JournalError(
      `decodeOutcome: the record must be of tile ${tile.index}, received ${tileIndexOf(payload)}`,
    );
  }
  const count = view.getUint32(4, true);
  const width = view.getUint8(13);
  let at = FACTS_BYTES;
  const take = <A extends Float64Array | Float32Array | Uint16Array>(
    to: A,
    size: number,
    read: (at: number) => number,
  ): A => {
    for (let i = 0; i < to.length; i++, at += size) to[i] = read(at);
    return to;
  };
  const kind: Boxes<"tile">["kind"] = width === 8 ? "oriented" : "axis-aligned";
  const numbers = take(new Float64Array(count * width), 8, (i) => view.getFloat64(i, true));
  const scores = take(new Float32Array(count), 4, (i) => view.getFloat32(i, true));
  const classes = take(new Uint16Array(count), 2, (i) => view.getUint16(i, true));
  const boxes = withCoordinates(noDetections("tile", kind).boxes, numbers);
  return {
    tile,
    detections: { count, boxes, scores, classes },
    skipped: SKIPPED[view.getUint8(12)],
    dropped: view.getUint32(8, true),
    bestScore: view.getFloat64(16, true),
  };
}

/** What raw detections depend on: equal keys, equal journals. */
export interface JournalKeyParts {
  readonly modelSha256: string;
  readonly settings: DetectSettings;
  /** Tiles in one run of the model: grouping moves the last bits of a result. */
  readonly batch: number;
  readonly engine: string;
  /** The scene's own. */
  readonly identity: string;
}

/** SHA-256 of all that raw detections depend on, in hexadecimal digits. */
export async function journalKey(parts: JournalKeyParts): Promise<string> {
  const { settings, ...rest } = parts;
  const text = JSON.stringify({ version: VERSION, ...rest, settings: tileSettings(settings) });
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text));
  return Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

const CRC_TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let c = byte;
  for (let bit = 0; bit < 8; bit++) c = c & 1 ? 0xedb88320 ^ (c >>> 1) : c >>> 1;
  return c >>> 0;
});

/** CRC-32 as in zip, PNG and Ethernet. */
export function crc32(bytes: Uint8Array): number {
  let c = 0xffffffff;
  for (const byte of bytes) c = CRC_TABLE[(c ^ byte) & 255]! ^ (c >>> 8);
  return (c ^ 0xffffffff) >>> 0;
}

/** Windows of one TIFF image, assembled of decoded blocks that are kept for the next window. */
import { SceneError, type Samples, type Window } from "../../scene.ts";
import type { BlockCache } from "../block-cache.ts";
import type { PagedSource } from "../byte-source.ts";
import { allocate, copyPatch, deinterleave } from "../samples.ts";
import { type Codecs, type EncodedBlock, UNREADABLE } from "./codecs.ts";
import type { Layout } from "./layout.ts";
import { toSamples } from "./predictor.ts";
import { PHOTOMETRIC } from "./tags.ts";
import { yCbCrToRgb } from "./ycbcr.ts";

/** A decoded block: one plane a band. */
export interface Block {
  readonly width: number;
  readonly planes: readonly Samples[];
}

export function blockBytes({ planes }: Block): number {
  return planes.reduce((sum, plane) => sum + plane.byteLength, 0);
}

export interface TiffImage {
  readonly layout: Layout;
  readonly read: (
    window: Window,
    bands: readonly number[],
    signal?: AbortSignal,
  ) => Promise<readonly Samples[]>;
}

export interface TiffImageOptions {
  readonly file: PagedSource;
  readonly codecs: Codecs;
  readonly cache: BlockCache<Block>;
  /** Tells the images of a file apart in the cache. */
  readonly key: string;
  /** What pixels of blocks have that are not in the file. */
  readonly fill: number;
}

/** Blocks are asked for in groups of about this size: so much is in flight, beside the cache. */
const GROUP_BYTES = 16 * 1024 * 1024;
const FETCH_BYTES_AT_MOST = 4 * 1024 * 1024;
const BLOCK_BYTES_AT_MOST = 1024 * 1024 * 1024;

interface Place {
  readonly column: number;
  readonly row: number;
  readonly index: number;
  readonly key: string;
}

export function tiffImage(layout: Layout, options: TiffImageOptions): TiffImage {
  const { file, cache } = options;
  const { name } = file.source;
  const samples = layout.planar ? 1 : layout.samples;
  const fullBytes = decodedBytes(layout, samples, layout.blockHeight);

  /** The blocks at these places, from the cache or the file. */
  function blocks(places: readonly Place[]): Promise<Block>[] {
    const missing = places.filter(({ key }) => cache.get(key) === undefined);
    const fetched = missing.length === 0 ? undefined : fetchAll(options, layout, missing);
    for (const place of missing) cache.set(place.key, load(place, fetched));
    return places.map((place) => cache.get(place.key) ?? load(place, undefined));
  }

  async function load(place: Place, fetched: Promise<Fetched> | undefined): Promise<Block> {
    const bytes = (await (fetched ?? fetchAll(options, layout, [place]))).get(place.index);
    return decodeBlock(options, layout, place, await bytes);
  }

  async function read(window: Window, bands: readonly number[], signal?: AbortSignal) {
    expectDecodable(name, layout, fullBytes, options.codecs);
    const pixels = window.width * window.height;
    const parts = bands.map(() => allocate(layout.sampleType, pixels));
    const planes = layout.planar ? [...new Set(bands)] : [0];
    const places = planes.flatMap((plane) => placesIn(layout, options.key, window, plane));
    const groupSize = Math.max(1, Math.floor(GROUP_BYTES / fullBytes));
    for (let from = 0; from < places.length; from += groupSize) {
      const group = places.slice(from, from + groupSize);
      const decoded = await unlessAborted(Promise.all(blocks(group)), signal);
      group.forEach((place, i) => {
        const block = decoded[i];
        if (block !== undefined) paste(layout, place, block, window, bands, parts);
      });
    }
    return parts;
  }

  return { layout, read };
}

/** Waits no longer than the caller wants; the work goes on, for it may be shared. */
function unlessAborted<T>(work: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return work;
  work.catch(() => {}); // it has no reader once the signal has won
  return new Promise((resolve, reject) => {
    const abort = () => reject(signal.reason as Error); // what the caller gave
    if (signal.aborted) abort();
    signal.addEventListener("abort", abort, { once: true });
    work.then(resolve, reject).finally(() => signal.removeEventListener("abort", abort));
  });
}

function expectDecodable(name: string, layout: Layout, fullBytes: number, codecs: Codecs): void {
  const { compression } = layout;
  if (!codecs.has(compression)) {
    const known = UNREADABLE[compression];
    throw new SceneError(
      `${name}: compression ${compression}${known === undefined ? "" : ` (${known})`} cannot be read`,
    );
  }
  if (fullBytes > BLOCK_BYTES_AT_MOST) {
    throw new SceneError(
      `${name}: a block must decode to at most 1 GiB, these of ${layout.blockWidth} x ${layout.blockHeight} px ` +
        `have ${fullBytes} bytes: store the scene in tiles`,
    );
  }
}

function decodedBytes({ blockWidth, bits }: Layout, samples: number, rows: number): number {
  return Math.ceil((blockWidth * samples * bits) / 8) * rows;
}

function placesIn(layout: Layout, image: string, window: Window, plane: number): Place[] {
  const { blockWidth, blockHeight, blocksAcross, blocksDown } = layout;
  const places: Place[] = [];
  const lastRow = Math.floor((window.y + window.height - 1) / blockHeight);
  const lastColumn = Math.floor((window.x + window.width - 1) / blockWidth);
  for (let row = Math.floor(window.y / blockHeight); row <= lastRow; row += 1) {
    for (let column = Math.floor(window.x / blockWidth); column <= lastColumn; column += 1) {
      const index = (plane * blocksDown + row) * blocksAcross + column;
      places.push({ column, row, index, key: `${image}:${index}` });
    }
  }
  return places;
}

type Fetched = ReadonlyMap<number, Promise<Uint8Array | undefined>>;

/** Reads the bytes of several blocks, near ones at once. `undefined`: the block is not in the file. */
async function fetchAll(
  { file }: TiffImageOptions,
  layout: Layout,
  places: readonly Place[],
): Promise<Fetched> {
  const located = await Promise.all(
    places.map(async ({ index }) => ({ index, ...(await layout.locate(index)) })),
  );
  const fetched = new Map<number, Promise<Uint8Array | undefined>>();
  for (const { index } of located.filter(({ lengthBytes }) => lengthBytes === 0)) {
    fetched.set(index, Promise.resolve(undefined));
  }
  const inFile = located
    .filter(({ lengthBytes }) => lengthBytes > 0)
    .toSorted((one, other) => one.offset - other.offset);
  for (let from = 0; from < inFile.length;) {
    const start = inFile[from]?.offset ?? 0;
    let end = start;
    let to = from;
    for (; to < inFile.length; to += 1) {
      const { offset, lengthBytes } = inFile[to] ?? { offset: 0, lengthBytes: 0 };
      const far =
        offset - end > file.source.gapBytes || offset + lengthBytes - start > FETCH_BYTES_AT_MOST;
      if (to > from && far) break;
      end = Math.max(end, offset + lengthBytes);
    }
    const run = file.data(start, end - start);
    for (const { index, offset, lengthBytes } of inFile.slice(from, to)) {
      const part = run.then((bytes) => bytes.slice(offset - start, offset - start + lengthBytes));
      part.catch(() => {}); // reported by the block that asks for it
      fetched.set(index, part);
    }
    from = to;
  }
  return fetched;
}

async function decodeBlock(
  { file, codecs, fill }: TiffImageOptions,
  layout: Layout,
  { column, row }: Place,
  encoded: Uint8Array | undefined,
): Promise<Block> {
  const { blockWidth: width, tiled } = layout;
  const samples = layout.planar ? 1 : layout.samples;
  const rowsLeft = layout.height - row * layout.blockHeight;
  const height = tiled ? layout.blockHeight : Math.min(layout.blockHeight, rowsLeft);
  if (encoded === undefined) {
    const plane = allocate(layout.sampleType, width * height).fill(fill);
    return { width, planes: Array.from({ length: samples }, () => plane) };
  }
  const expectedBytes = decodedBytes(layout, samples, height);
  const block: EncodedBlock = { layout, width, height, samples, expectedBytes };
  const codec = codecs.get(layout.compression);
  try {
    const decoded = await codec?.decode(encoded, block);
    const bytes = decoded?.bytes ?? new Uint8Array();
    if (bytes.length < expectedBytes) {
      throw new Error(`it must decode to ${expectedBytes} bytes, received ${bytes.length}`);
    }
    const values = toSamples(bytes.subarray(0, expectedBytes), block, decoded?.native === true);
    const isYCbCr = layout.photometric === PHOTOMETRIC.yCbCr && samples === 3;
    if (isYCbCr && decoded?.rgb !== true) yCbCrToRgb(values);
    return { width, planes: deinterleave(values, samples) };
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new SceneError(
      `${file.source.name}: block ${column},${row} cannot be decoded (${codec?.name}: ${why})`,
      { cause },
    );
  }
}

/** Copies what a block and a window share. */
function paste(
  layout: Layout,
  { column, row, index }: Place,
  block: Block,
  window: Window,
  bands: readonly number[],
  parts: readonly Samples[],
): void {
  const left = column * layout.blockWidth;
  const top = row * layout.blockHeight;
  const x = Math.max(left, window.x);
  const y = Math.max(top, window.y);
  const patch = {
    fromX: x - left,
    fromY: y - top,
    toX: x - window.x,
    toY: y - window.y,
    width: Math.min(left + layout.blockWidth, window.x + window.width) - x,
    height: Math.min(top + layout.blockHeight, window.y + window.height) - y,
  };
  const planeOfBlock = Math.floor(index / (layout.blocksAcross * layout.blocksDown));
  bands.forEach((band, i) => {
    if (layout.planar && band !== planeOfBlock) return;
    const from = block.planes[layout.planar ? 0 : band];
    const to = parts[i];
    if (from !== undefined && to !== undefined)
      copyPatch(from, block.width, to, window.width, patch);
  });
}

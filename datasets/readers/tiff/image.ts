/** Windows of one TIFF image, assembled of decoded blocks that are kept for the next window. */
import { SceneError, type Samples, type Window } from "../../scene.ts";
import type { BlockCache } from "../block-cache.ts";
import type { PagedSource } from "../byte-source.ts";
import { allocate, copyBands, type Interleaved } from "../samples.ts";
import { type Codecs, UNREADABLE } from "./codecs.ts";
import { type BlockPlace, decodeBlock, decodedBytes } from "./decode.ts";
import { fetchBlocks, type FetchedBlocks } from "./fetch.ts";
import type { Layout } from "./layout.ts";

export const blockBytes = ({ values }: Interleaved): number => values.byteLength;

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
  readonly cache: BlockCache<Interleaved>;
  /** Tells the images of a file apart in the cache. */
  readonly key: string;
  /** What pixels of blocks have that are not in the file. */
  readonly fill: number;
}

/** Blocks are asked for in groups of about this size: so much is in flight, beside the cache. */
const GROUP_BYTES = 16 * 1024 * 1024;
const BLOCK_BYTES_AT_MOST = 1024 * 1024 * 1024;

interface Place extends BlockPlace {
  readonly index: number;
  readonly key: string;
}

export function tiffImage(layout: Layout, options: TiffImageOptions): TiffImage {
  const { file, cache, codecs, fill } = options;
  const { name } = file.source;
  const fullBytes = decodedBytes(layout, layout.blockHeight);

  /** The blocks at these places, from the cache or the file. */
  function blocks(places: readonly Place[]): readonly Promise<Interleaved>[] {
    const missing = places.filter(({ key }) => cache.get(key) === undefined);
    const fetched = fetchBlocks(
      file,
      layout,
      missing.map(({ index }) => index),
    );
    const loading = new Map(missing.map((place) => [place.key, load(place, fetched)]));
    for (const [key, block] of loading) cache.set(key, block);
    return places.flatMap(({ key }) => cache.get(key) ?? []);
  }

  async function load(place: Place, fetched: Promise<FetchedBlocks>): Promise<Interleaved> {
    const encoded = await (await fetched).get(place.index);
    return decodeBlock(layout, place, encoded, { name, codecs, fill });
  }

  async function read(window: Window, bands: readonly number[], signal?: AbortSignal) {
    expectDecodable(name, layout, fullBytes, codecs);
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

/** Copies what a block and a window share. */
function paste(
  layout: Layout,
  { column, row, index }: Place,
  block: Interleaved,
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
  if (!layout.planar) return copyBands(block, bands, parts, window.width, patch);
  const planeOfBlock = Math.floor(index / (layout.blocksAcross * layout.blocksDown));
  bands.forEach((band, i) => {
    const part = parts[i];
    if (band === planeOfBlock && part !== undefined) {
      copyBands(block, [0], [part], window.width, patch);
    }
  });
}

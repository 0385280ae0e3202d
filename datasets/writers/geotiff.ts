/**
 * Writes tiled GeoTIFFs, a tile at a time: memory is a few tiles, and a band of the scene where it has overviews.
 *
 * Directories stand at the end of the file, where every offset is known; the header is written last.
 */
import { allocate, copyPatch } from "../readers/samples.ts";
import { type Samples, SceneError, type SampleType, type Window } from "../scene.ts";
import { geographyFields } from "./geography.ts";
import { type HalfLevel, halfLevel } from "./overviews.ts";
import type { ByteSink } from "./sink.ts";
import { CLASSIC_END, directoryBytes, type Field, header, HEADER_BYTES } from "./tiff-directory.ts";
import { type GeoTiffImage, imageFields, type WrittenLevel } from "./image-fields.ts";

export type { GeoTiffImage } from "./image-fields.ts";

/** The pixels of a window of the image, one array a band. */
export type ReadPixels = (window: Window) => Promise<readonly Samples[]> | readonly Samples[];

export interface WriteOptions {
  /** Compresses a tile to the zlib format. @default `CompressionStream` */
  readonly deflate?: ((bytes: Uint8Array) => Promise<Uint8Array>) | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** Tiles being compressed at once. */
const IN_FLIGHT = 4;

interface LevelState extends WrittenLevel {
  readonly offsets: number[];
  readonly byteCounts: number[];
}

/**
 * Writes an image, asking for its pixels tile by tile in row order. A classic TIFF where it fits, else a BigTIFF.
 *
 * @throws {SceneError} where the image has no pixels, or its pixels do not come as promised.
 */
export async function writeGeoTiff(
  sink: ByteSink,
  image: GeoTiffImage,
  readPixels: ReadPixels,
  { deflate = compressDeflate, signal }: WriteOptions = {},
): Promise<void> {
  checkImage(image);
  const { tileSizePx = 512, compression = "deflate", bands, sampleType, nodata } = image;
  const encode = compression === "deflate" ? deflate : async (bytes: Uint8Array) => bytes;
  const halves = image.overviews === true ? halvesOf(image, tileSizePx) : [];
  const levels: LevelState[] = [image, ...halves].map(({ width, height }) => ({
    width,
    height,
    offsets: [],
    byteCounts: [],
  }));
  const inFlight: Promise<void>[] = [];
  let end = HEADER_BYTES;

  /** Compresses at once, writes in the order of the calls. */
  async function put(level: number, tile: Uint8Array): Promise<void> {
    const encoded = encode(tile);
    const before = inFlight.at(-1);
    const written = (async () => {
      const bytes = await encoded;
      await before;
      levels[level]?.offsets.push(end);
      levels[level]?.byteCounts.push(bytes.length);
      const at = end;
      end += bytes.length + (bytes.length % 2);
      await sink.write(bytes, at);
    })();
    written.catch(() => {}); // awaited below or at the end
    inFlight.push(written);
    if (inFlight.length > IN_FLIGHT) await inFlight.shift();
  }

  /** Rows of tiles of an overview that the rows above have filled. */
  async function passOn(level: number, y: number, rows: number): Promise<void> {
    const half = halves[level - 1];
    const levelEnd = half?.height ?? 0;
    const done = Math.ceil((y + rows) / 2);
    if (half === undefined || (done % tileSizePx !== 0 && done < levelEnd)) return;
    const top = Math.floor((done - 1) / tileSizePx) * tileSizePx;
    const strip = half.take(top, done - top);
    for (let x = 0; x < half.width; x += tileSizePx) {
      const width = Math.min(tileSizePx, half.width - x);
      const part = strip.bands.map((band) => {
        const cut = allocate(sampleType, width * strip.rows);
        const patch = { fromX: x, fromY: 0, toX: 0, toY: 0, width, height: strip.rows };
        copyPatch(band, half.width, cut, width, patch);
        return cut;
      });
      await put(level, interleave(part, width, strip.rows, tileSizePx, sampleType, nodata));
      halves[level]?.add(x, top, width, strip.rows, part);
    }
    await passOn(level + 1, top, strip.rows);
  }

  for (let y = 0; y < image.height; y += tileSizePx) {
    const height = Math.min(tileSizePx, image.height - y);
    for (let x = 0; x < image.width; x += tileSizePx) {
      signal?.throwIfAborted();
      const width = Math.min(tileSizePx, image.width - x);
      const pixels = await readPixels({ x, y, width, height });
      checkPixels(pixels, bands.length, width * height);
      await put(0, interleave(pixels, width, height, tileSizePx, sampleType, nodata));
      halves[0]?.add(x, y, width, height, pixels);
    }
    await passOn(1, y, height);
  }
  await Promise.all(inFlight);
  await writeDirectories(sink, image, levels, end);
}

async function writeDirectories(
  sink: ByteSink,
  image: GeoTiffImage,
  levels: readonly WrittenLevel[],
  end: number,
): Promise<void> {
  const directories = levels.map((level, index): readonly Field[] => {
    const own = index === 0 ? geographyFields(image) : [];
    const fields = [...imageFields(image, level, index > 0), ...own];
    return fields.toSorted((one, other) => one.tag - other.tag);
  });
  const classic = directoryBytes(directories, end, false);
  const big = end + classic.length >= CLASSIC_END;
  const bytes = big ? directoryBytes(directories, end, true) : classic;
  await sink.write(bytes, end);
  await sink.write(header(end, big), 0);
}

function halvesOf(image: GeoTiffImage, tileSizePx: number): readonly HalfLevel[] {
  const halves: HalfLevel[] = [];
  let above: { readonly width: number; readonly height: number } = image;
  while (Math.max(above.width, above.height) > tileSizePx) {
    const { sampleType, bands, nodata } = image;
    const half = halfLevel(above, tileSizePx, sampleType, bands.length, nodata);
    halves.push(half);
    above = half;
  }
  return halves;
}

/** A whole tile, bands interleaved; beyond the edge of the image it holds nodata or 0. */
function interleave(
  pixels: readonly Samples[],
  width: number,
  height: number,
  tileSizePx: number,
  sampleType: SampleType,
  nodata: number | undefined,
): Uint8Array {
  const count = pixels.length;
  const tile = allocate(sampleType, tileSizePx * tileSizePx * count);
  if (nodata !== undefined && (width < tileSizePx || height < tileSizePx)) tile.fill(nodata);
  pixels.forEach((plane, band) => {
    for (let row = 0; row < height; row += 1) {
      let to = row * tileSizePx * count + band;
      for (let from = row * width; from < (row + 1) * width; from += 1, to += count) {
        tile[to] = plane[from] ?? 0;
      }
    }
  });
  return new Uint8Array(tile.buffer, tile.byteOffset, tile.byteLength);
}

/** The zlib format by the platform's own compressor. */
async function compressDeflate(bytes: Uint8Array): Promise<Uint8Array> {
  const stream = new Blob([bytes as Uint8Array<ArrayBuffer>]) // our bytes are never shared
    .stream()
    .pipeThrough(new CompressionStream("deflate"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

function checkImage({ width, height, bands, tileSizePx = 512 }: GeoTiffImage): void {
  const whole = Number.isInteger(width) && Number.isInteger(height) && width > 0 && height > 0;
  if (!whole || bands.length === 0) {
    throw new SceneError(
      `writeGeoTiff: an image must have pixels and bands, received ${width} x ${height} x ${bands.length}`,
    );
  }
  if (!Number.isInteger(tileSizePx) || tileSizePx < 16 || tileSizePx % 16 !== 0) {
    throw new SceneError(
      `writeGeoTiff: tileSizePx must be a multiple of 16, received ${tileSizePx}`,
    );
  }
}

function checkPixels(pixels: readonly Samples[], bands: number, length: number): void {
  const wrong = pixels.find((plane) => plane.length !== length);
  if (pixels.length === bands && wrong === undefined) return;
  throw new SceneError(
    `writeGeoTiff: a tile must have ${bands} bands of ${length} pixels, ` +
      `received ${pixels.length} of ${(wrong ?? pixels[0])?.length ?? 0}`,
  );
}

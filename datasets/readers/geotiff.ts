/** GeoTIFF and BigTIFF as a {@link Scene}, from any source of bytes. */
import { crsFromGeoKeys, crsFromText } from "../crs.ts";
import { commonEpsg, type EpsgLookup } from "../crs/epsg.ts";
import type {
  Band,
  Level,
  Pixels,
  ReadOptions,
  Samples,
  SampleType,
  Scene,
  Window,
} from "../scene.ts";
import { SceneError } from "../scene.ts";
import { blockCache } from "./block-cache.ts";
import { type ByteSource, withPages } from "./byte-source.ts";
import { placementWarnings } from "./placement.ts";
import { checkRequest } from "./request.ts";
import { bandsOf, paletteOf, readDescriptions } from "./tiff/bands.ts";
import { CODECS, type Codecs } from "./tiff/codecs.ts";
import { type Directory, readDirectories } from "./tiff/directory.ts";
import { readGeoKeys, readPlacement } from "./tiff/georeference.ts";
import { allocate } from "./samples.ts";
import { blockBytes, type TiffImage, tiffImage } from "./tiff/image.ts";
import { type Layout, readLayout } from "./tiff/layout.ts";
import { readPyramid } from "./tiff/pyramid.ts";
import { PHOTOMETRIC, TAG } from "./tiff/tags.ts";
import { validity } from "./validity.ts";

export interface GeoTiffOptions {
  /** Decoded blocks that are kept. @default what a sweep in rows of 1,024 px needs, 64 to 512 MiB */
  readonly cacheBytes?: number | undefined;
  /** Takes the place of the file's CRS: `EPSG:32633`, a proj4 string or WKT. */
  readonly crs?: string | undefined;
  /** @default the file's */
  readonly nodata?: number | undefined;
  /** @default the EPSG codes that need no table */
  readonly lookup?: EpsgLookup | undefined;
  /** @default decoders that run everywhere */
  readonly codecs?: Codecs | undefined;
}

const MIB = 1024 * 1024;
/** Rows of a window that a sweep moves along; its blocks are wanted again by the next row of windows. */
const SWEEP_ROWS = 1024;
const UNTILED_BLOCK_BYTES = 32 * MIB;

interface ScenePart {
  readonly image: TiffImage;
  readonly mask: TiffImage | undefined;
}

/**
 * Opens a GeoTIFF; the scene owns the source from then on.
 *
 * @throws {SceneError} where the bytes are no TIFF that can be read, or its CRS has no definition.
 */
export async function openGeoTiff(
  source: ByteSource,
  options: GeoTiffOptions = {},
): Promise<Scene> {
  try {
    return await openOwned(source, options);
  } catch (error) {
    await source[Symbol.asyncDispose]();
    throw error;
  }
}

async function openOwned(source: ByteSource, options: GeoTiffOptions): Promise<Scene> {
  const { codecs = CODECS } = options;
  const file = withPages(source);
  const pyramid = await readPyramid(source.name, await readDirectories(file));
  const nodata = options.nodata ?? (await readNodata(pyramid.main));
  const mainLayout = await readLayout(source.name, pyramid.main);
  const cache = blockCache(options.cacheBytes ?? sweepBytes(mainLayout), blockBytes);
  const parts: ScenePart[] = [];
  for (const [index, { image, mask }] of pyramid.levels.entries()) {
    const layout = await readLayout(source.name, image);
    const shared = { file, codecs, cache };
    const maskLayout = mask && (await readLayout(source.name, mask));
    parts.push({
      image: tiffImage(layout, {
        ...shared,
        key: `${index}`,
        fill: fillOf(layout.sampleType, nodata),
      }),
      mask: maskLayout && tiffImage(maskLayout, { ...shared, key: `${index}m`, fill: 0 }),
    });
  }
  const keys = await readGeoKeys(pyramid.main);
  const placement = await readPlacement(pyramid.main, keys);
  const lookup = options.lookup ?? commonEpsg;
  const crs =
    options.crs === undefined
      ? crsFromGeoKeys(keys, lookup, source.name)
      : crsFromText(options.crs, lookup);
  const [first] = parts;
  if (first === undefined) throw new SceneError(`${source.name}: a TIFF must hold an image`);
  const { layout } = first.image;
  const bands = bandsOf(layout, await readDescriptions(pyramid.main));
  return {
    source: source.name,
    format: "GeoTIFF",
    identity: `${source.identity}:${layout.width}x${layout.height}x${layout.samples}`,
    width: layout.width,
    height: layout.height,
    sampleType: layout.sampleType,
    bands,
    palette: await paletteOf(layout, pyramid.main),
    nodata,
    ...placement,
    crs,
    levels: parts.map(({ image }) => levelOf(image)),
    warnings: [
      ...pyramid.warnings,
      ...placementWarnings(placement.gcps, { transform: placement.transform, crs }),
      ...layoutWarnings(first.image),
    ],
    read: reader(source.name, parts, bands, nodata),
    [Symbol.asyncDispose]: async () => {
      cache.clear();
      await source[Symbol.asyncDispose]();
    },
  };
}

function reader(
  source: string,
  parts: readonly ScenePart[],
  bands: readonly Band[],
  nodata: number | undefined,
): Scene["read"] {
  const levels = parts.map(({ image }) => levelOf(image));
  const alpha = bands.findIndex(({ role }) => role === "alpha");

  return async (window: Window, request: ReadOptions = {}): Promise<Pixels> => {
    const { levelIndex, bands: chosen } = checkRequest({ source, levels, bands }, window, request);
    const part = parts[levelIndex];
    const withAlpha = alpha < 0 || chosen.includes(alpha) ? chosen : [...chosen, alpha];
    const [planes = [], mask = []] = await Promise.all([
      part?.image.read(window, withAlpha, request.signal),
      part?.mask?.read(window, [0], request.signal),
    ]);
    const pixels: readonly Samples[] = planes.slice(0, chosen.length);
    const layers = { nodata, alpha: planes[withAlpha.indexOf(alpha)], mask: mask[0] };
    const { width, height } = window;
    return { width, height, bands: pixels, valid: validity(pixels, layers) };
  };
}

function levelOf({ layout }: TiffImage): Level {
  const { width, height, blockWidth, blockHeight } = layout;
  return { width, height, blockWidth, blockHeight };
}

function sweepBytes({ width, blockHeight, samples, bits }: Layout): number {
  const rows = SWEEP_ROWS + 2 * Math.min(blockHeight, SWEEP_ROWS);
  return Math.min(Math.max((width * rows * samples * bits) / 8, 64 * MIB), 512 * MIB);
}

/** A nodata value that the type cannot hold would become another value: such blocks are 0. */
function fillOf(type: SampleType, nodata = 0): number {
  return allocate(type, 1).fill(nodata)[0] === nodata || type.startsWith("float") ? nodata : 0;
}

/** GDAL writes the value as text; it need not fit the sample type. */
async function readNodata(directory: Directory): Promise<number | undefined> {
  const text = (await directory.text(TAG.gdalNodata))?.trim();
  if (text === undefined || text === "") return undefined;
  if (/^[+-]?nan/i.test(text)) return Number.NaN;
  if (/^[+-]?inf/i.test(text)) {
    return text.startsWith("-") ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY;
  }
  const value = Number(text);
  return Number.isNaN(value) ? undefined : value;
}

function layoutWarnings({ layout }: TiffImage): readonly string[] {
  const warnings: string[] = [];
  const { blockWidth, blockHeight, samples, bits, planar } = layout;
  const bytes = (blockWidth * blockHeight * (planar ? 1 : samples) * bits) / 8;
  if (bytes > UNTILED_BLOCK_BYTES) {
    warnings.push(
      `blocks of ${blockWidth} x ${blockHeight} px are decoded whole: tiles would be read faster`,
    );
  }
  if (layout.photometric === PHOTOMETRIC.minIsWhite) {
    warnings.push("0 is white in this scene (MINISWHITE): its values are not inverted");
  }
  return warnings;
}

/**
 * PNG, JPEG and WebP through sharp (libvips).
 *
 * A photo is decoded once: small ones into memory, large ones into a temporary tiled TIFF, of which the GeoTIFF
 * reader serves windows. 16-bit photos keep their 16 bits; sharp would cut them to 8 unless told twice.
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import sharp, { type Sharp } from "sharp";
import { SceneError, type Scene } from "../scene.ts";
import type { ByteSource } from "./byte-source.ts";
import { fileSource } from "./byte-source-node.ts";
import type { SceneFormat } from "./formats.ts";
import { openGeoTiff } from "./geotiff.ts";
import { defaultRoles, memoryScene } from "./memory.ts";
import { placementWarnings } from "./placement.ts";
import { deinterleave, view } from "./samples.ts";
import { NODE_CODECS } from "./tiff/codecs-node.ts";

export interface PhotoOptions {
  /** Photos that decode to more are kept in a temporary file. @default 256 MiB */
  readonly memoryBytes?: number | undefined;
  readonly cacheBytes?: number | undefined;
}

const MEMORY_BYTES = 256 * 1024 * 1024;
const ENCODED_BYTES_AT_MOST = 1024 * 1024 * 1024;
const UNPLACED = placementWarnings([], { transform: undefined, crs: undefined });

/** Opens a photo; the source is read and closed. @throws {SceneError} where it cannot be decoded. */
export async function openPhoto(
  source: ByteSource,
  format: SceneFormat,
  options: PhotoOptions = {},
): Promise<Scene> {
  await using owned = source;
  if (owned.sizeBytes > ENCODED_BYTES_AT_MOST) {
    throw new SceneError(
      `${owned.name}: a ${format} must have at most 1 GiB, received ${owned.sizeBytes} bytes`,
    );
  }
  const encoded = await owned.read(0, owned.sizeBytes);
  const image = sharp(encoded, { failOn: "error", limitInputPixels: false }).autoOrient();
  try {
    const facts = await image.metadata();
    const { autoOrient, channels, depth } = facts;
    const is16 = depth === "ushort";
    const bytes = autoOrient.width * autoOrient.height * channels * (is16 ? 2 : 1);
    // Said twice, here and in raw(): without this sharp works in 8 bits.
    // Grey with alpha is read as RGBA: sharp drops the alpha of a grey pipeline.
    const wide = channels >= 2 ? "rgb16" : "grey16";
    const narrow = channels >= 2 ? "srgb" : "b-w";
    const exact = image.toColourspace(is16 ? wide : narrow);
    const identity = `${owned.identity}:${autoOrient.width}x${autoOrient.height}x${channels}`;
    const named = { source: owned.name, format, identity };
    if (bytes <= (options.memoryBytes ?? MEMORY_BYTES)) return await inMemory(exact, is16, named);
    return await onDisk(exact, named, options.cacheBytes);
  } catch (cause) {
    if (cause instanceof SceneError) throw cause;
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new SceneError(`${owned.name}: the ${format} cannot be decoded (${why})`, { cause });
  }
}

interface Named {
  readonly source: string;
  readonly format: SceneFormat;
  readonly identity: string;
}

async function inMemory(image: Sharp, is16: boolean, named: Named): Promise<Scene> {
  const raw = image.raw({ depth: is16 ? "ushort" : "uchar" });
  const { data, info } = await raw.toBuffer({ resolveWithObject: true });
  const samples = view(is16 ? "uint16" : "uint8", data);
  const bands = deinterleave(samples, info.channels);
  return memoryScene({
    width: info.width,
    height: info.height,
    bands,
    ...named,
    warnings: UNPLACED,
  });
}

async function onDisk(image: Sharp, named: Named, cacheBytes: number | undefined): Promise<Scene> {
  const folder = await mkdtemp(join(tmpdir(), "nadir-photo-"));
  const remove = (): Promise<void> => rm(folder, { recursive: true, force: true });
  try {
    const path = join(folder, "photo.tif");
    const tiles = { tile: true, tileWidth: 512, tileHeight: 512, bigtiff: true };
    await image.tiff({ ...tiles, compression: "none", predictor: "none" }).toFile(path);
    const scene = await openGeoTiff(await fileSource(path), { codecs: NODE_CODECS, cacheBytes });
    return {
      ...scene,
      ...named,
      bands: defaultRoles(scene.bands.length),
      warnings: UNPLACED,
      [Symbol.asyncDispose]: async () => {
        await scene[Symbol.asyncDispose]();
        await remove();
      },
    };
  } catch (error) {
    await remove();
    throw error;
  }
}

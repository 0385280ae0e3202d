/** Opens a scene after looking at its head: a photo decodes as a whole, so its size is judged before. */
import { open } from "node:fs/promises";
import { type Scene, SceneError } from "../../../datasets/index.ts";
import { openScene, openSceneFromBytes } from "../../../datasets/node.ts";
import type { Limits } from "../options.ts";
import { RequestError } from "../problem.ts";

/** First bytes → a photo that would be decoded as a whole. */
const PHOTO = /^(\x89PNG|\xff\xd8\xff|RIFF....WEBP)/s;

/** A file on disk, or its content and a name for messages. */
export interface Upload {
  readonly place: string | Uint8Array;
  readonly name: string;
}

/**
 * Opens an upload.
 *
 * @param mostPixels - of the scene, whatever its format
 * @throws {RequestError} `ERR_TOO_LARGE` before anything is decoded
 * @throws {SceneError} where it is no scene
 */
export async function openUpload(
  { place, name }: Upload,
  { photoPixels, blockPixels }: Pick<Limits, "photoPixels" | "blockPixels">,
  { mostPixels = Infinity, signal }: { mostPixels?: number; signal?: AbortSignal | undefined } = {},
): Promise<Scene> {
  if (PHOTO.test(await headOf(place))) {
    expectPixels(await photoSize(place, name), Math.min(mostPixels, photoPixels), "a photo");
  }
  const scene = await (typeof place === "string"
    ? openScene(place, { signal })
    : openSceneFromBytes(place, name, { signal }));
  try {
    expectPixels(scene, mostPixels, "a scene");
    for (const { blockWidth, blockHeight } of scene.format === "GeoTIFF" ? scene.levels : []) {
      expectPixels({ width: blockWidth, height: blockHeight }, blockPixels, "a block of a TIFF");
    }
    return scene;
  } catch (error) {
    await scene[Symbol.asyncDispose]();
    throw error;
  }
}

const HEAD_BYTES = 16;

async function headOf(place: Upload["place"]): Promise<string> {
  if (typeof place !== "string")
    return Buffer.from(place.subarray(0, HEAD_BYTES)).toString("latin1");
  const file = await open(place);
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(HEAD_BYTES), 0, HEAD_BYTES, 0);
    return buffer.toString("latin1", 0, bytesRead);
  } finally {
    await file.close();
  }
}

interface Size {
  readonly width: number;
  readonly height: number;
}

async function photoSize(place: Upload["place"], name: string): Promise<Size> {
  const { default: sharp } = await import("sharp");
  try {
    return await sharp(place, { limitInputPixels: false }).metadata();
  } catch (cause) {
    throw new SceneError(`${name}: the head of the photo must be readable`, { cause });
  }
}

function expectPixels({ width, height }: Size, most: number, what: string): void {
  if (width * height <= most) return;
  throw new RequestError(
    "ERR_TOO_LARGE",
    `${what} must have at most ${most} pixels here, received ${width} x ${height}`,
  );
}

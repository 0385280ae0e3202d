/** Opens a scene after looking at its head: a photo decodes as a whole, so its size is judged before. */
import { open } from "node:fs/promises";
import { type Scene, SceneError } from "../../../datasets/index.ts";
import { openScene } from "../../../datasets/node.ts";
import type { Limits } from "../options.ts";
import { RequestError } from "../problem.ts";

/** First bytes → a photo that would be decoded as a whole. */
const PHOTO = /^(\x89PNG|\xff\xd8\xff|RIFF....WEBP)/s;

/**
 * Opens an upload.
 *
 * @param mostPixels - of the scene, whatever its format
 * @throws {RequestError} `ERR_TOO_LARGE` before anything is decoded
 * @throws {SceneError} where it is no scene
 */
export async function openUpload(
  path: string,
  { photoPixels, blockPixels }: Pick<Limits, "photoPixels" | "blockPixels">,
  { mostPixels = Infinity, signal }: { mostPixels?: number; signal?: AbortSignal | undefined } = {},
): Promise<Scene> {
  if (PHOTO.test(await headOf(path))) {
    expectPixels(await photoSize(path), Math.min(mostPixels, photoPixels), "a photo");
  }
  const scene = await openScene(path, { signal });
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

async function headOf(path: string): Promise<string> {
  const file = await open(path);
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(16), 0, 16, 0);
    return buffer.toString("latin1", 0, bytesRead);
  } finally {
    await file.close();
  }
}

interface Size {
  readonly width: number;
  readonly height: number;
}

async function photoSize(path: string): Promise<Size> {
  const { default: sharp } = await import("sharp");
  try {
    return await sharp(path, { limitInputPixels: false }).metadata();
  } catch (cause) {
    throw new SceneError(`${path}: the head of the photo must be readable`, { cause });
  }
}

function expectPixels({ width, height }: Size, most: number, what: string): void {
  if (width * height <= most) return;
  throw new RequestError(
    "ERR_TOO_LARGE",
    `${what} must have at most ${most} pixels here, received ${width} x ${height}`,
  );
}

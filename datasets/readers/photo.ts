/** PNG, JPEG and WebP in a browser, through its own decoder: 8 bits a band. */
import { SceneError, type Scene } from "../scene.ts";
import { memoryScene } from "./memory.ts";
import { placementWarnings } from "./placement.ts";

/** @throws {SceneError} where the browser cannot decode the image. */
export async function openPhotoBlob(blob: Blob, name: string, format: string): Promise<Scene> {
  const image = await createImageBitmap(blob).catch((cause: unknown) => {
    throw new SceneError(`${name}: the ${format} cannot be decoded`, { cause });
  });
  const { width, height } = image;
  const context = new OffscreenCanvas(width, height).getContext("2d");
  if (context === null) throw new SceneError(`${name}: the browser has no canvas to decode it`);
  context.drawImage(image, 0, 0);
  image.close();
  const { data } = context.getImageData(0, 0, width, height);
  const count = hasTransparency(data) ? 4 : 3;
  const bands = Array.from({ length: count }, (_, band) => {
    const plane = new Uint8Array(width * height);
    for (let i = 0; i < plane.length; i += 1) plane[i] = data[i * 4 + band] ?? 0;
    return plane;
  });
  return memoryScene({
    width,
    height,
    bands,
    source: name,
    format,
    warnings: placementWarnings([], { transform: undefined, crs: undefined }),
  });
}

function hasTransparency(rgba: Uint8ClampedArray): boolean {
  for (let i = 3; i < rgba.length; i += 4) if (rgba[i] !== 255) return true;
  return false;
}

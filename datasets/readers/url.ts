/** Opens a scene on a web server from a page: the server must allow the page's origin to ask for ranges (CORS). */
import { SceneError, type Scene } from "../scene.ts";
import { httpSource } from "./byte-source-http.ts";
import { SNIFF_BYTES, sniffFormat, unknownFormat } from "./formats.ts";
import { type GeoTiffOptions, openGeoTiff } from "./geotiff.ts";
import { openPhotoBlob } from "./photo.ts";

/**
 * Opens an http(s) address in the browser: TIFFs are read in parts, photos fetched whole.
 *
 * @throws {SceneError} where the server refuses, or the content is no scene.
 */
export async function openSceneFromUrl(url: string, options: GeoTiffOptions = {}): Promise<Scene> {
  const source = await httpSource(url);
  try {
    const head = await source.read(0, Math.min(SNIFF_BYTES, source.sizeBytes));
    const format = sniffFormat(head);
    if (format === undefined) throw new SceneError(unknownFormat(url, head));
    if (format === "GeoTIFF") return await openGeoTiff(source, options);
    const bytes = await source.read(0, source.sizeBytes);
    const blob = new Blob([bytes as Uint8Array<ArrayBuffer>]); // our bytes are never shared
    await source[Symbol.asyncDispose]();
    return await openPhotoBlob(blob, url, format);
  } catch (error) {
    await source[Symbol.asyncDispose]();
    throw error;
  }
}

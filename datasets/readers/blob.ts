/** Opens what a person dropped on a page. */
import { SceneError, type Scene } from "../scene.ts";
import { blobSource } from "./byte-source.ts";
import { SNIFF_BYTES, sniffFormat, unknownFormat } from "./formats.ts";
import { type GeoTiffOptions, openGeoTiff } from "./geotiff.ts";
import { openPhotoBlob } from "./photo.ts";

/**
 * Opens a file in the browser: TIFFs are read in parts, photos decoded whole.
 *
 * @throws {SceneError} where the content is no scene.
 */
export async function openSceneFromBlob(
  blob: Blob,
  name: string,
  options: GeoTiffOptions = {},
): Promise<Scene> {
  const head = new Uint8Array(await blob.slice(0, SNIFF_BYTES).arrayBuffer());
  const format = sniffFormat(head);
  if (format === undefined) throw new SceneError(unknownFormat(name, head));
  if (format === "GeoTIFF") return openGeoTiff(blobSource(blob, name), options);
  return openPhotoBlob(blob, name, format);
}

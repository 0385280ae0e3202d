/** Writes a GeoTIFF to a file: beside its name first, renamed when it is whole. */
import { open, rename, rm } from "node:fs/promises";
import { promisify } from "node:util";
import { deflate } from "node:zlib";
import { type GeoTiffImage, type ReadPixels, writeGeoTiff, type WriteOptions } from "./geotiff.ts";

const deflateLater = promisify(deflate);

/** Writes an image to a path. @throws {SceneError} as {@link writeGeoTiff}; the system's error where it cannot write. */
export async function writeGeoTiffFile(
  path: string,
  image: GeoTiffImage,
  readPixels: ReadPixels,
  options: WriteOptions = {},
): Promise<void> {
  const partial = `${path}.${process.pid}.part`;
  const file = await open(partial, "w");
  try {
    const write = async (bytes: Uint8Array, offset: number): Promise<void> => {
      for (let done = 0; done < bytes.length;) {
        const { bytesWritten } = await file.write(bytes, done, bytes.length - done, offset + done);
        done += bytesWritten;
      }
    };
    const compress = (bytes: Uint8Array): Promise<Uint8Array> => deflateLater(bytes, { level: 6 });
    await writeGeoTiff({ write }, image, readPixels, { deflate: compress, ...options });
    await file.close();
    await rename(partial, path);
  } catch (error) {
    await file.close();
    await rm(partial, { force: true });
    throw error;
  }
}

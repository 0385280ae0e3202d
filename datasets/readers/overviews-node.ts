/** Overviews that stand in a file of their own, `scene.tif.ovr`, as `gdaladdo -ro` writes them. */
import { access } from "node:fs/promises";
import type { Scene } from "../scene.ts";
import { fileSource } from "./byte-source-node.ts";
import { type GeoTiffOptions, openGeoTiff } from "./geotiff.ts";

/** The scene with the levels of the file beside it; the scene itself where there is none, or it has its own. */
export async function withExternalOverviews(scene: Scene, options: GeoTiffOptions): Promise<Scene> {
  const path = `${scene.source}.ovr`;
  const exists = await access(path).then(
    () => true,
    () => false,
  );
  if (!exists || scene.levels.length > 1) return scene;
  const beside = await openGeoTiff(await fileSource(path), { ...options, nodata: scene.nodata });
  const fits =
    beside.bands.length === scene.bands.length &&
    beside.sampleType === scene.sampleType &&
    beside.width < scene.width;
  if (!fits) {
    await beside[Symbol.asyncDispose]();
    return { ...scene, warnings: [...scene.warnings, `${path} is of another scene: not read`] };
  }
  return {
    ...scene,
    identity: `${scene.identity}+${beside.identity}`,
    levels: [...scene.levels, ...beside.levels],
    read: (window, request = {}) => {
      const { level = 0 } = request;
      if (level < 1) return scene.read(window, request);
      return beside.read(window, { ...request, level: level - 1 });
    },
    [Symbol.asyncDispose]: async () => {
      await beside[Symbol.asyncDispose]();
      await scene[Symbol.asyncDispose]();
    },
  };
}

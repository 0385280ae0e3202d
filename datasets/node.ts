/** What the room offers in Node: scenes by path or address, and every EPSG code. */
import { crsFromEpsg as crsFromEpsgIn, crsFromText as crsFromTextIn, type Crs } from "./crs.ts";
import { allEpsg } from "./crs/epsg-node.ts";
import type { Affine } from "./affine.ts";
import { fileSource } from "./readers/byte-source-node.ts";
import { httpSource } from "./readers/byte-source-http.ts";
import { type ByteSource, bytesSource } from "./readers/byte-source.ts";
import { type SceneFormat, SNIFF_BYTES, sniffFormat, unknownFormat } from "./readers/formats.ts";
import { placementWarnings } from "./readers/placement.ts";
import { readSidecar } from "./readers/sidecar-node.ts";
import { type Scene, SceneError } from "./scene.ts";

export interface OpenSceneOptions {
  /** Decoded blocks that are kept. @default what a sweep needs, 64 to 512 MiB */
  readonly cacheBytes?: number | undefined;
  /** Takes the place of the file's CRS: `EPSG:32633`, a proj4 string or WKT. */
  readonly crs?: string | undefined;
  /** Stops the opening; each read has a signal of its own. */
  readonly signal?: AbortSignal | undefined;
}

type OpenFormat = (source: ByteSource, options: OpenSceneOptions) => Promise<Scene>;

/** How each format is opened; its reader is loaded when it is first needed. */
const READERS: Readonly<Record<SceneFormat, () => Promise<OpenFormat>>> = {
  GeoTIFF: once(openTiff),
  PNG: once(photo("PNG")),
  JPEG: once(photo("JPEG")),
  WebP: once(photo("WebP")),
};

/** The same promise for all: even a module that is there takes a while to be found again. */
function once<T>(load: () => Promise<T>): () => Promise<T> {
  let loading: Promise<T> | undefined;
  return () => (loading ??= load());
}

/**
 * Opens a scene by its path or http(s) address; content decides the format, not the name.
 *
 * @throws {SceneError} where there is no such file or server, or the content is no scene.
 */
export async function openScene(pathOrUrl: string, options: OpenSceneOptions = {}): Promise<Scene> {
  const { signal } = options;
  signal?.throwIfAborted();
  const isUrl = /^https?:\/\//i.test(pathOrUrl);
  if (isUrl) return openSource(await httpSource(pathOrUrl, signal), options);
  const scene = await openSource(await fileSource(pathOrUrl), options);
  try {
    return await withSidecar(await withOverviews(scene, options), options);
  } catch (error) {
    await scene[Symbol.asyncDispose]();
    throw error;
  }
}

/**
 * Opens the bytes of a file; no files beside it are looked for.
 *
 * @throws {SceneError} where the content is no scene.
 */
export async function openSceneFromBytes(
  bytes: Uint8Array,
  name: string,
  options: OpenSceneOptions = {},
): Promise<Scene> {
  options.signal?.throwIfAborted();
  return openSource(bytesSource(bytes, name), options);
}

async function openSource(source: ByteSource, options: OpenSceneOptions): Promise<Scene> {
  const { signal } = options;
  try {
    const head = await source.read(0, Math.min(SNIFF_BYTES, source.sizeBytes), signal);
    const format = sniffFormat(head);
    if (format === undefined) throw new SceneError(unknownFormat(source.name, head));
    const open = await READERS[format]();
    signal?.throwIfAborted();
    return await open(source, options);
  } catch (error) {
    await source[Symbol.asyncDispose]();
    throw error;
  }
}

async function withOverviews(scene: Scene, { cacheBytes }: OpenSceneOptions): Promise<Scene> {
  if (scene.format !== "GeoTIFF") return scene;
  const [{ withExternalOverviews }, { NODE_CODECS }] = await Promise.all([
    import("./readers/overviews-node.ts"),
    import("./readers/tiff/codecs-node.ts"),
  ]);
  return withExternalOverviews(scene, { cacheBytes, lookup: allEpsg, codecs: NODE_CODECS });
}

/** Puts in what files beside the scene say, where it says nothing itself. */
async function withSidecar(scene: Scene, { crs }: OpenSceneOptions): Promise<Scene> {
  if (scene.transform !== undefined && scene.crs !== undefined) return scene;
  const beside = await readSidecar(scene.source);
  const given = crs === undefined ? undefined : crsFromText(crs);
  return georeferenced(scene, beside.transform, given ?? beside.crs);
}

function georeferenced(scene: Scene, transform: Affine | undefined, crs: Crs | undefined): Scene {
  const placed = { transform: scene.transform ?? transform, crs: scene.crs ?? crs };
  const about = /^(not georeferenced|georeferenced by|no CRS)/;
  const warnings = scene.warnings.filter((warning) => !about.test(warning));
  return { ...scene, ...placed, warnings: [...warnings, ...placementWarnings(scene.gcps, placed)] };
}

async function openTiff(): Promise<OpenFormat> {
  const [{ openGeoTiff }, { NODE_CODECS }] = await Promise.all([
    import("./readers/geotiff.ts"),
    import("./readers/tiff/codecs-node.ts"),
  ]);
  return (source, { cacheBytes, crs }) =>
    openGeoTiff(source, { cacheBytes, crs, lookup: allEpsg, codecs: NODE_CODECS });
}

function photo(format: SceneFormat): () => Promise<OpenFormat> {
  return async () => {
    const { openPhoto } = await import("./readers/photo-node.ts");
    return (source, { cacheBytes }) => openPhoto(source, format, { cacheBytes });
  };
}

/** A CRS by its EPSG code, of the full table. @throws {SceneError} where the table has no such code. */
export function crsFromEpsg(code: number): Crs {
  return crsFromEpsgIn(code, allEpsg);
}

/** `EPSG:4326`, a proj4 string or WKT. @throws {SceneError} where it is not understood. */
export function crsFromText(text: string): Crs {
  return crsFromTextIn(text, allEpsg);
}

export { writeWhole } from "./write-whole-node.ts";
export { writeGeoTiffFile } from "./writers/geotiff-node.ts";
export {
  type LabelledFolder,
  type ReadLabelsOptions,
  readLabels,
  writeLabels,
} from "./labels/folder-node.ts";
export { type LabelSplit, recogniseYolo, splitOf } from "./labels/yolo-folder-node.ts";

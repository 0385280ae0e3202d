/** Scenes held in memory: photos in a browser, synthetic scenes, tests. */
import type { Affine } from "../affine.ts";
import type { Crs } from "../crs.ts";
import {
  type Band,
  type GroundControlPoint,
  type Pixels,
  type ReadOptions,
  type Samples,
  type Scene,
  SceneError,
  type Window,
} from "../scene.ts";
import { checkRequest } from "./request.ts";
import { allocate, copyPatch, sampleTypeOf } from "./samples.ts";
import { validity } from "./validity.ts";

export interface MemorySceneOptions {
  readonly width: number;
  readonly height: number;
  /** One plane a band, rows from top to bottom, all of one type. */
  readonly bands: readonly Samples[];
  /** What each band shows. @default grey for one, red green blue (alpha) for three or four, else undefined */
  readonly roles?: readonly Band[] | undefined;
  /** 1 where a pixel is data. @default all */
  readonly valid?: Uint8Array | undefined;
  readonly nodata?: number | undefined;
  readonly transform?: Affine | undefined;
  readonly crs?: Crs | undefined;
  readonly gcps?: readonly GroundControlPoint[] | undefined;
  readonly palette?: Uint8Array | undefined;
  /** @default "memory" */
  readonly source?: string | undefined;
  /** @default "memory" */
  readonly format?: string | undefined;
  /** @default a hash of the pixels */
  readonly identity?: string | undefined;
  readonly warnings?: readonly string[] | undefined;
}

/** @throws {SceneError} where there are no bands, or they differ in length or type. */
export function memoryScene(options: MemorySceneOptions): Scene {
  const { width, height, bands: planes, valid, nodata, source = "memory" } = options;
  const sampleType = checkPlanes(source, options);
  const bands = options.roles ?? defaultRoles(planes.length);
  const alpha = planes[bands.findIndex(({ role }) => role === "alpha")];
  const levels = [{ width, height, blockWidth: width, blockHeight: height }];

  async function read(window: Window, request: ReadOptions = {}): Promise<Pixels> {
    const chosen = checkRequest({ source, levels, bands }, window, request);
    const patch = { fromX: window.x, fromY: window.y, toX: 0, toY: 0, ...size(window) };
    const cut = (plane: Samples): Samples => {
      const part = allocate(sampleTypeOf(plane), window.width * window.height);
      copyPatch(plane, width, part, window.width, patch);
      return part;
    };
    const parts = chosen.bands.flatMap((band) => planes.slice(band, band + 1).map(cut));
    const layers = { nodata, alpha: alpha && cut(alpha), mask: valid && cut(valid) };
    return { ...size(window), bands: parts, valid: validity(parts, layers) };
  }

  return {
    source,
    format: options.format ?? "memory",
    identity: options.identity ?? hash(planes),
    width,
    height,
    sampleType,
    bands,
    palette: options.palette,
    nodata,
    transform: options.transform,
    gcps: options.gcps ?? [],
    crs: options.crs,
    levels,
    warnings: options.warnings ?? [],
    read,
    [Symbol.asyncDispose]: async () => {},
  };
}

function size({ width, height }: Window): { readonly width: number; readonly height: number } {
  return { width, height };
}

function checkPlanes(source: string, { width, height, bands, valid, roles }: MemorySceneOptions) {
  const [first] = bands;
  if (first === undefined) {
    throw new SceneError(`${source}: a scene must have at least one band, received none`);
  }
  const sampleType = sampleTypeOf(first);
  for (const plane of [...bands, ...(valid === undefined ? [] : [valid])]) {
    if (plane.length !== width * height) {
      throw new SceneError(
        `${source}: a band must hold ${width} x ${height} pixels, received ${plane.length}`,
      );
    }
  }
  const other = bands.find((plane) => sampleTypeOf(plane) !== sampleType);
  if (other !== undefined) {
    throw new SceneError(
      `${source}: all bands must be ${sampleType}, received ${sampleTypeOf(other)}`,
    );
  }
  if (roles !== undefined && roles.length !== bands.length) {
    throw new SceneError(
      `${source}: every band must have a role, received ${roles.length} for ${bands.length}`,
    );
  }
  return sampleType;
}

/** What photos hold: grey, grey + alpha, RGB, RGBA. */
export function defaultRoles(count: number): readonly Band[] {
  const alpha: Band = { role: "alpha" };
  const colours: readonly Band[] = [{ role: "red" }, { role: "green" }, { role: "blue" }];
  if (count === 1) return [{ role: "grey" }];
  if (count === 2) return [{ role: "grey" }, alpha];
  if (count === 3) return colours;
  if (count === 4) return [...colours, alpha];
  return Array.from({ length: count }, (): Band => ({ role: "undefined" }));
}

/** 32-bit FNV-1a over all bytes. */
function hash(planes: readonly Samples[]): string {
  let state = 0x811c9dc5;
  for (const plane of planes) {
    const bytes = new Uint8Array(plane.buffer, plane.byteOffset, plane.byteLength);
    for (const byte of bytes) state = Math.imul(state ^ byte, 0x01000193);
  }
  return `memory:${(state >>> 0).toString(16)}`;
}

/**
 * The contract of an output: found objects in, one file out.
 *
 * An {@link Encoder} turns objects into bytes and knows no files, so the browser and the server use the same ones. An
 * {@link Output} is an encoder whose bytes go to a path: `openOutput` in `node/open.ts`.
 */
import type { Affine, Crs } from "../../datasets/index.ts";
import type { FoundObject } from "../objects.ts";

/** The plane in which coordinates are written. */
export type OutputCrs = "wgs84" | "source" | "pixel";

/** What an output must know of the scene. A `Scene` is one. */
export interface SceneFacts {
  /** Path or address; files name only its last part. */
  readonly source: string;
  readonly width: number;
  readonly height: number;
  readonly transform: Affine | undefined;
  readonly crs: Crs | undefined;
}

export interface OutputContext {
  readonly scene: SceneFacts;
  /** The model's classes; `classIndex` counts into them. */
  readonly classes: readonly string[];
  readonly model?: { readonly name: string; readonly sha256: string } | undefined;
  /** Formats that know only pixels (COCO, YOLO, DOTA, pictures) ignore it. */
  readonly crs: OutputCrs;
  /** The scene's CRS as well-known text 1, for formats that carry it; `openOutput` looks it up by its code. */
  readonly wkt?: string | undefined;
  /** Metres per pixel of the scene, where known; DOTA files carry it. */
  readonly gsdM?: number | undefined;
}

export type Chunk = string | Uint8Array;

/** Objects to bytes. Holds a bounded number of objects, whatever the size of the scene. */
export interface Encoder {
  /** What the file starts with. */
  readonly begin: () => Chunk;
  /** What one more object adds; empty while a batch is being gathered. */
  readonly write: (object: FoundObject) => Chunk | Promise<Chunk>;
  /** The rest of the file. */
  readonly end: () => Iterable<Chunk> | AsyncIterable<Chunk>;
}

/** Bytes put aside and read again before the file ends: memory in the browser, a temporary file in Node. */
export interface Spool {
  readonly append: (bytes: Uint8Array) => Promise<void>;
  /** @throws {RangeError} beyond what was appended */
  readonly read: (offset: number, length: number) => Promise<Uint8Array>;
}

export type CreateEncoder = (context: OutputContext, spool: Spool) => Encoder;

/** One file that is being written. Under its final name it exists only once it is whole. */
export interface Output extends AsyncDisposable {
  /** The final name. */
  readonly path: string;
  readonly write: (object: FoundObject) => Promise<void>;
  /** Ends the file and gives it its final name. */
  readonly finish: () => Promise<void>;
  /** Leaves nothing behind. Does nothing after {@link finish}. */
  readonly abort: () => Promise<void>;
}

/** A result cannot be written: full disk, no permission, a scene that the format cannot express. */
export class OutputError extends Error {
  override readonly name = "OutputError";
  readonly code = "ERR_OUTPUT";
}

/** The plane to write in: the wanted one where the scene has it, else the next poorer. */
export function availableCrs(
  scene: Pick<SceneFacts, "transform" | "crs">,
  wanted: OutputCrs,
): OutputCrs {
  if (wanted === "wgs84" && scene.crs !== undefined && scene.transform !== undefined) return wanted;
  return wanted !== "pixel" && scene.transform !== undefined ? "source" : "pixel";
}

/** The last part of a path or address, without its query. */
export function fileName(source: string): string {
  const bare = source.replace(/[?#].*$/, "").replace(/[\\/]+$/, "");
  return bare.slice(Math.max(bare.lastIndexOf("/"), bare.lastIndexOf("\\")) + 1);
}

/** The last part of a path or address, without query and extension. */
export function stem(source: string): string {
  const name = fileName(source);
  const dot = name.lastIndexOf(".");
  return dot > 0 ? name.slice(0, dot) : name;
}

const utf8 = new TextEncoder();

export function toBytes(chunk: Chunk): Uint8Array {
  return typeof chunk === "string" ? utf8.encode(chunk) : chunk;
}

/**
 * Encodes a stream of objects: for a response body, or a download in the browser.
 *
 * @yields the bytes of the file, in order
 */
export async function* encode(
  objects: Iterable<FoundObject> | AsyncIterable<FoundObject>,
  encoder: Encoder,
): AsyncGenerator<Uint8Array, void, undefined> {
  yield toBytes(encoder.begin());
  for await (const object of objects) yield toBytes(await encoder.write(object));
  for await (const chunk of encoder.end()) yield toBytes(chunk);
}

/** A spool in memory. */
export function memorySpool(): Spool {
  let bytes = new Uint8Array(1 << 16);
  let length = 0;
  return {
    append: async (more) => {
      if (length + more.length > bytes.length) {
        const larger = new Uint8Array(Math.max(bytes.length * 2, length + more.length));
        larger.set(bytes.subarray(0, length));
        bytes = larger;
      }
      bytes.set(more, length);
      length += more.length;
    },
    read: async (offset, count) => {
      if (offset < 0 || offset + count > length) {
        throw new RangeError(
          `spool: must lie within ${length} bytes, received ${offset}…${offset + count}`,
        );
      }
      return bytes.slice(offset, offset + count);
    },
  };
}

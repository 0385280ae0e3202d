/** Receives a request for detection: a file, to disk unless it is small and not to be kept, and the fields beside it. */
import { createHash } from "node:crypto";
import { createWriteStream } from "node:fs";
import { mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import type { MultipartFile } from "@fastify/multipart";
import type { FastifyRequest } from "fastify";
import { RequestError } from "../problem.ts";
import { fieldName, fieldValue } from "./body.ts";
import { safeFileName } from "./file-name.ts";

export interface ReceivedFile {
  /** The path, or the content where it was small enough to stay in memory. */
  readonly place: string | Uint8Array;
  /** Harmless: without folders and odd characters. */
  readonly name: string;
  readonly bytes: number;
  /** Hexadecimal, of a file that is to be kept. */
  readonly sha256: string | undefined;
}

export interface ReceiveOptions {
  /** Where the file goes; made where it is missing. */
  readonly folder: string;
  readonly maxBytes: number;
  /** What to do instead where the file is larger. */
  readonly hint: string;
  /** Called before so much is written; throws where there is no room for it. */
  readonly reserve: (bytes: number) => void;
  /**
   * Called with the bytes so far of a file that need not outlive this process; true: they may stay in memory.
   *
   * @default none may, and the file is safe on disk when it has been received
   */
  readonly hold?: ((bytes: number) => boolean) | undefined;
}

const FIELD_BYTES = 1_000_000;

/** Takes a form apart. @returns the fields as a body for the schema, and the file @throws {RequestError} */
export async function receiveForm(
  request: FastifyRequest,
  options: ReceiveOptions,
): Promise<{ readonly body: Record<string, unknown>; readonly file: ReceivedFile | undefined }> {
  const said = Number(request.headers["content-length"]);
  if (said > options.maxBytes + 40 * FIELD_BYTES) throw tooLarge(options);
  const texts = new Map<string, string>();
  let file: ReceivedFile | undefined;
  const limits = { files: 1, fields: 40, fieldSize: FIELD_BYTES, fileSize: options.maxBytes };
  for await (const part of request.parts({ limits })) {
    const name = fieldName(part.fieldname);
    if (part.type === "file") {
      if (name !== "file") {
        throw new RequestError("ERR_REQUEST", `form: ${name} must be text, received a file`);
      }
      file = await save(part, options);
      continue;
    }
    if (name === "file") {
      throw new RequestError("ERR_REQUEST", "form: file must be a file, received text");
    }
    if (part.valueTruncated) {
      throw new RequestError(
        "ERR_TOO_LARGE",
        `form: ${name} must have at most ${FIELD_BYTES} bytes`,
      );
    }
    const before = texts.get(name);
    const text = String(part.value);
    texts.set(name, before === undefined ? text : `${before},${text}`);
  }
  const body: Record<string, unknown> = {};
  for (const [name, text] of texts) body[name] = fieldValue(name, text);
  if (file !== undefined) body["file"] = file.name;
  return { body, file };
}

async function save(part: MultipartFile, options: ReceiveOptions): Promise<ReceivedFile> {
  const name = safeFileName(part.filename);
  const stored = await store(part.file, name, options);
  if (!part.file.truncated) return stored;
  if (typeof stored.place === "string") await rm(stored.place, { force: true });
  throw tooLarge(options);
}

/** Takes a file in. @throws {RequestError} where it is too large, or there is no room */
export async function store(
  source: AsyncIterable<Uint8Array>,
  name: string,
  options: ReceiveOptions,
): Promise<ReceivedFile> {
  const { folder, hold } = options;
  const { pieces, facts } = counted(source, options);
  const { held, isWhole } = await holdSome(pieces, hold);
  if (isWhole) return { name, place: Buffer.concat(held), ...facts() };
  await mkdir(folder, { recursive: true });
  const path = join(folder, name);
  const file = createWriteStream(path, { flush: hold === undefined });
  await pipeline(written(held, pieces, options), file);
  return { name, place: path, ...facts() };
}

/** The pieces of a file, and what is known of it after the last of them. */
function counted(source: AsyncIterable<Uint8Array>, options: ReceiveOptions) {
  const hash = options.hold === undefined ? createHash("sha256") : undefined;
  let bytes = 0;
  async function* pieces(): AsyncGenerator<Uint8Array, void, undefined> {
    for await (const piece of source) {
      bytes += piece.length;
      if (bytes > options.maxBytes) throw tooLarge(options);
      hash?.update(piece);
      yield piece;
    }
  }
  return { pieces: pieces(), facts: () => ({ bytes, sha256: hash?.digest("hex") }) };
}

/** Takes pieces for as long as they may stay in memory. */
async function holdSome(
  pieces: AsyncGenerator<Uint8Array, void, undefined>,
  hold: ReceiveOptions["hold"],
): Promise<{ readonly held: readonly Uint8Array[]; readonly isWhole: boolean }> {
  const held: Uint8Array[] = [];
  for (let bytes = 0; hold?.(bytes) === true;) {
    const next = await pieces.next();
    if (next.done === true) return { held, isWhole: true };
    held.push(next.value);
    bytes += next.value.length;
  }
  return { held, isWhole: false };
}

async function* written(
  held: readonly Uint8Array[],
  pieces: AsyncIterable<Uint8Array>,
  { reserve }: ReceiveOptions,
): AsyncGenerator<Uint8Array, void, undefined> {
  for await (const piece of concat(held, pieces)) {
    reserve(piece.length);
    yield piece;
  }
}

async function* concat(
  held: readonly Uint8Array[],
  pieces: AsyncIterable<Uint8Array>,
): AsyncGenerator<Uint8Array, void, undefined> {
  yield* held;
  yield* pieces;
}

const tooLarge = ({ maxBytes, hint }: ReceiveOptions): RequestError =>
  new RequestError("ERR_TOO_LARGE", `the file must have at most ${maxBytes} bytes${hint}`);

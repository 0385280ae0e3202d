/** Receives a request for detection: a file straight to disk, hashed on its way, and the fields beside it. */
import { createHash } from "node:crypto";
import { createWriteStream } from "node:fs";
import { mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { Transform } from "node:stream";
import { pipeline } from "node:stream/promises";
import type { MultipartFile } from "@fastify/multipart";
import type { FastifyRequest } from "fastify";
import { RequestError } from "../problem.ts";
import { fieldName, fieldValue } from "./body.ts";
import { safeFileName } from "./file-name.ts";

export interface ReceivedFile {
  readonly path: string;
  /** Harmless: without folders and odd characters. */
  readonly name: string;
  readonly bytes: number;
  /** Hexadecimal. */
  readonly sha256: string;
}

export interface ReceiveOptions {
  /** Where the file goes; made where it is missing. */
  readonly folder: string;
  readonly maxBytes: number;
  /** What to do instead where the file is larger. */
  readonly hint: string;
  /** Called with every piece before it is written; throws where there is no room for it. */
  readonly reserve: (bytes: number) => void;
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
  if (part.file.truncated) {
    await rm(stored.path, { force: true });
    throw tooLarge(options);
  }
  return stored;
}

/** Writes a stream to the folder. @throws {RequestError} where it is too large, or there is no room */
export async function store(
  source: AsyncIterable<Uint8Array>,
  name: string,
  options: ReceiveOptions,
): Promise<ReceivedFile> {
  await mkdir(options.folder, { recursive: true });
  const path = join(options.folder, name);
  const hash = createHash("sha256");
  let bytes = 0;
  const count = new Transform({
    transform(chunk: Uint8Array, _, done) {
      bytes += chunk.length;
      try {
        if (bytes > options.maxBytes) throw tooLarge(options);
        options.reserve(chunk.length);
      } catch (error) {
        return done(error as Error); // what is thrown above are errors
      }
      hash.update(chunk);
      done(null, chunk);
    },
  });
  await pipeline(source, count, createWriteStream(path, { flush: true }));
  return { path, name, bytes, sha256: hash.digest("hex") };
}

const tooLarge = ({ maxBytes, hint }: ReceiveOptions): RequestError =>
  new RequestError("ERR_TOO_LARGE", `the file must have at most ${maxBytes} bytes${hint}`);

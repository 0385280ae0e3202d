/** The hooks of the routes that take a scene: receives it before the body is judged, and clears up afterwards. */
import { rm } from "node:fs/promises";
import type { FastifyInstance, FastifyRequest } from "fastify";
import type { ServerContext } from "../context.ts";
import { RequestError } from "../problem.ts";
import { receiveForm } from "./receive.ts";

export interface AcceptOptions {
  readonly maxBytes: number;
  /** What to do instead where the file is larger. */
  readonly hint: string;
  /** The file must outlive this process. */
  readonly keeps: boolean;
}

/** Receives the upload of a request into a folder of its own, and makes the fields its body. */
export async function acceptUpload(
  request: FastifyRequest,
  { store, claim: newClaim }: ServerContext,
  { maxBytes, hint, keeps }: AcceptOptions,
): Promise<void> {
  const folder = store.incoming();
  const claim = newClaim();
  const { reserve, hold } = claim;
  try {
    if (request.isMultipart()) {
      const options = { folder: `${folder}/upload`, maxBytes, hint, reserve };
      const { body, file } = await receiveForm(request, { ...options, ...(!keeps && { hold }) });
      request.body = body;
      request.upload = file;
    }
    request.folder = folder;
    request.claim = claim;
    request.gone.throwIfAborted();
  } catch (error) {
    request.folder = undefined;
    claim.release();
    await rm(folder, { recursive: true, force: true }); // the answer may never go out
    throw asRequestError(error);
  }
}

/** What goes wrong while a form is taken apart is the sender's doing, unless the disk says otherwise. */
function asRequestError(error: unknown): unknown {
  const { code, message } = error as NodeJS.ErrnoException;
  // Of the system (`ENOSPC`), of the framework (`FST_…`), or a client that has gone (a number).
  const isKnown = typeof code === "number" || /^(E|FST_)/.test(code ?? "");
  if (error instanceof RequestError || isKnown) return error;
  return new RequestError("ERR_REQUEST", `form: the body must be a whole form (${message})`);
}

/** Removes the folders of requests that are over, however they ended. */
export function clearUploads(app: FastifyInstance): void {
  const clear = async (request: FastifyRequest): Promise<void> => {
    const { folder, claim } = request;
    request.folder = undefined;
    if (folder === undefined) return;
    request.upload = undefined;
    claim?.release();
    await rm(folder, { recursive: true, force: true });
  };
  app.addHook("onResponse", clear);
  app.addHook("onRequest", async (request, { raw }) => {
    raw.once("close", () => {
      if (!raw.writableFinished) void clear(request);
    });
  });
}

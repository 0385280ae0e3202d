/** Fetches a scene from an address that has been judged, and judges every redirect again. */
import { request as requestHttp, type IncomingMessage } from "node:http";
import { request as requestHttps } from "node:https";
import { RequestError } from "../problem.ts";
import { type Lookup, type Vetted, vet } from "../security/addresses.ts";
import { safeFileName } from "./file-name.ts";
import { type ReceivedFile, type ReceiveOptions, store } from "./receive.ts";

const REDIRECTS = 3;

export interface DownloadOptions extends ReceiveOptions {
  readonly allowHosts: readonly string[];
  readonly fetchMs: number;
  readonly stallMs: number;
  readonly signal: AbortSignal;
  readonly lookup?: Lookup | undefined;
}

/** @throws {RequestError} where an address is not allowed, does not answer, or sends too much */
export async function download(address: string, options: DownloadOptions): Promise<ReceivedFile> {
  const { allowHosts, lookup, fetchMs } = options;
  const signal = AbortSignal.any([options.signal, AbortSignal.timeout(fetchMs)]);
  let next = address;
  for (let hop = 0; hop <= REDIRECTS; hop++) {
    const vetted = await vet(next, allowHosts, lookup);
    const answer = await get(vetted, { ...options, signal });
    const { statusCode = 0, headers } = answer;
    if (statusCode >= 300 && statusCode < 400 && headers.location !== undefined) {
      answer.destroy();
      next = URL.canParse(headers.location, vetted.url.href)
        ? new URL(headers.location, vetted.url).href
        : headers.location;
      continue;
    }
    if (statusCode !== 200) {
      answer.destroy();
      throw new RequestError("ERR_ADDRESS", `the address must answer 200, received ${statusCode}`);
    }
    return store(answer, nameFrom(vetted.url), options).catch((error: unknown) => {
      answer.destroy();
      throw error instanceof RequestError ? error : unreachable(error);
    });
  }
  throw new RequestError("ERR_ADDRESS", `the address must redirect at most ${REDIRECTS} times`);
}

function nameFrom({ pathname }: URL): string {
  try {
    return safeFileName(decodeURIComponent(pathname));
  } catch {
    return safeFileName(pathname);
  }
}

function get(
  { url, address, family }: Vetted,
  { signal, stallMs }: DownloadOptions,
): Promise<IncomingMessage> {
  const send = url.protocol === "https:" ? requestHttps : requestHttp;
  return new Promise((resolve, reject) => {
    const request = send(url, {
      signal,
      timeout: stallMs,
      agent: false,
      headers: { "accept-encoding": "identity", "user-agent": "nadir" },
      // The judged address, whatever the name says by now.
      lookup: (_, options, found) =>
        options.all === true ? found(null, [{ address, family }]) : found(null, address, family),
    });
    request.once("response", resolve);
    request.once("timeout", () => request.destroy(new Error("no answer in time")));
    request.once("error", (error) => reject(unreachable(error)));
    request.end();
  });
}

const unreachable = (cause: unknown): RequestError =>
  new RequestError(
    "ERR_ADDRESS",
    `the address must be reachable (${cause instanceof Error ? cause.message : String(cause)})`,
  );

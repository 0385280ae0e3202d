/** Bytes of a file on a web server, by HTTP range requests (RFC 9110 §14). */
import { SceneError } from "../scene.ts";
import { type ByteSource, expectInside } from "./byte-source.ts";

const HEAD_BYTES = 32 * 1024;
const ATTEMPTS = 3;
const BACKOFF_MS = 200;

/**
 * Opens an address; the first request reads the head of the file, which is kept.
 *
 * @throws {SceneError} where the server refuses, does not answer, or knows no ranges.
 */
export async function httpSource(url: string, signal?: AbortSignal): Promise<ByteSource> {
  const closed = new AbortController();
  const first = await request(url, 0, HEAD_BYTES, signal);
  const sizeBytes = totalSize(url, first);
  const head = new Uint8Array(await first.arrayBuffer());
  const version = first.headers.get("etag") ?? first.headers.get("last-modified") ?? "";

  async function read(offset: number, length: number, caller?: AbortSignal): Promise<Uint8Array> {
    expectInside(url, sizeBytes, offset, length);
    if (offset + length <= head.length) return head.slice(offset, offset + length);
    const stop = caller === undefined ? closed.signal : AbortSignal.any([closed.signal, caller]);
    const response = await request(url, offset, length, stop);
    const now = response.headers.get("etag") ?? response.headers.get("last-modified") ?? "";
    if (now !== version) {
      throw new SceneError(`${url}: the file must not change while it is read, it became ${now}`);
    }
    const bytes = new Uint8Array(await response.arrayBuffer());
    if (bytes.length !== length) {
      throw new SceneError(
        `${url}: the server must send ${length} bytes from ${offset}, received ${bytes.length}`,
      );
    }
    return bytes;
  }

  return {
    name: url,
    sizeBytes,
    identity: `${url}:${sizeBytes}:${version}`,
    gapBytes: 64 * 1024,
    read,
    [Symbol.asyncDispose]: async () => closed.abort(new SceneError(`${url}: the scene is closed`)),
  };
}

/** One range, tried again where the network or the server fails for a moment. */
async function request(
  url: string,
  offset: number,
  length: number,
  signal: AbortSignal | undefined,
): Promise<Response> {
  const headers = {
    Range: `bytes=${offset}-${offset + length - 1}`,
    "Accept-Encoding": "identity",
  };
  for (let attempt = 1; ; attempt += 1) {
    signal?.throwIfAborted();
    const answer = await fetch(url, { headers, signal: signal ?? null }).catch((cause: unknown) => {
      signal?.throwIfAborted();
      return new SceneError(`${url}: the server cannot be reached (${reason(cause)})`, { cause });
    });
    if (answer instanceof Response && answer.status === 206) return answer;
    const passing = answer instanceof SceneError || answer.status === 429 || answer.status >= 500;
    if (answer instanceof Response) await answer.body?.cancel();
    if (!passing || attempt === ATTEMPTS) {
      throw answer instanceof SceneError ? answer : new SceneError(refusal(url, answer));
    }
    await new Promise((resolve) => setTimeout(resolve, BACKOFF_MS * 2 ** (attempt - 1)));
  }
}

function refusal(url: string, { status, statusText }: Response): string {
  if (status === 200) return `${url}: the server must answer range requests, it sends whole files`;
  return `${url}: the server must answer 206 (partial content), received ${status} ${statusText}`.trim();
}

function totalSize(url: string, response: Response): number {
  const range = response.headers.get("content-range") ?? "";
  const total = Number(/\/(\d+)$/.exec(range)?.[1] ?? Number.NaN);
  if (Number.isSafeInteger(total)) return total;
  throw new SceneError(
    `${url}: the server must say the size of the file in Content-Range, received "${range}"`,
  );
}

/** `fetch failed` says nothing: what failed stands in its cause. */
function reason(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause instanceof Error ? error.cause.message : error.message;
}

/** A web server of one file that knows ranges, and remembers what it was asked for. */
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

export interface RangeServer extends AsyncDisposable {
  readonly url: string;
  /** First and last byte of each request so far. */
  readonly requests: { readonly from: number; readonly to: number }[];
}

export interface ServerFaults {
  /** Answers so many requests with 503 first. */
  readonly busyTimes?: number;
  /** Sends whole files only. */
  readonly ignoresRanges?: boolean;
  /** The ETag of each answer, by its number. */
  readonly etag?: (request: number) => string;
  /** Status of every answer. */
  readonly status?: number;
}

export async function rangeServer(
  file: Uint8Array,
  { busyTimes = 0, ignoresRanges = false, etag = () => '"1"', status }: ServerFaults = {},
): Promise<RangeServer> {
  const requests: { from: number; to: number }[] = [];
  let answered = 0;

  function answer(request: IncomingMessage, response: ServerResponse): void {
    answered += 1;
    if (status !== undefined || answered <= busyTimes) {
      response.writeHead(status ?? 503).end();
      return;
    }
    const range = /^bytes=(\d+)-(\d+)$/.exec(request.headers.range ?? "");
    if (range === null || ignoresRanges) {
      response.writeHead(200).end(file);
      return;
    }
    const from = Number(range[1]);
    const to = Math.min(Number(range[2]), file.length - 1);
    requests.push({ from, to });
    response.writeHead(206, {
      "Content-Range": `bytes ${from}-${to}/${file.length}`,
      ETag: etag(requests.length),
    });
    response.end(file.subarray(from, to + 1));
  }

  const server = createServer(answer);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo; // a TCP server's is one
  return {
    url: `http://127.0.0.1:${port}/scene.tif`,
    requests,
    [Symbol.asyncDispose]: () =>
      new Promise((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  };
}

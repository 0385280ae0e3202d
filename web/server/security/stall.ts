/** Ends requests that arrive too slowly (slow loris): every window must bring some bytes. */
import type { FastifyInstance } from "fastify";
import type { Limits } from "../options.ts";

const ANSWER =
  "HTTP/1.1 408 Request Timeout\r\nConnection: close\r\nContent-Type: application/problem+json\r\n\r\n" +
  '{"type":"urn:nadir:error:ERR_TIMEOUT","title":"The request took too long to arrive.","status":408,' +
  '"detail":"the body must keep arriving","code":"ERR_TIMEOUT"}';

export function endStalledRequests(
  app: FastifyInstance,
  { stallMs, stallBytes }: Pick<Limits, "stallMs" | "stallBytes">,
): void {
  app.addHook("onRequest", async ({ raw }) => {
    const { socket } = raw;
    const hasBody =
      raw.headers["transfer-encoding"] !== undefined || Number(raw.headers["content-length"]) > 0;
    if (!hasBody || socket === null || socket.bytesRead === undefined) return;
    let before = socket.bytesRead;
    const timer = setInterval(() => {
      if (raw.complete || raw.destroyed) return clearInterval(timer);
      const now = socket.bytesRead;
      // A full buffer is our slowness, not the sender's.
      if (now - before >= stallBytes || raw.readableLength > 0) return void (before = now);
      clearInterval(timer);
      socket.end(ANSWER);
      raw.destroy(new Error("the body stopped arriving"));
    }, stallMs);
    timer.unref();
    raw.once("close", () => clearInterval(timer));
  });
}

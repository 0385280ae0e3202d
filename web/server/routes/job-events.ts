/** Server-sent events (HTML Living Standard, §9.2). */
import type { FastifyReply } from "fastify";
import { once } from "node:events";
import type { EventLog } from "../jobs/events.ts";

const BEAT_MS = 15_000;

/** Sends what the log holds after `last` and what is added, until it is closed or the signal says so. */
export async function sendEvents(
  reply: FastifyReply,
  log: EventLog,
  last: number,
  signal: AbortSignal,
): Promise<FastifyReply> {
  reply.hijack();
  const { raw } = reply;
  const headers = { ...reply.getHeaders(), "content-type": "text/event-stream" };
  raw.writeHead(200, { ...headers, "cache-control": "no-store", "x-accel-buffering": "no" } as Record<string, string>); // prettier-ignore
  raw.write("retry: 2000\n\n");
  // Keeps proxies from closing a stream in which nothing happens.
  const beat = setInterval(() => raw.write(":\n\n"), BEAT_MS);
  try {
    for await (const { id, event, data } of log.read(last, signal)) {
      const isFull = !raw.write(`id: ${id}\nevent: ${event}\ndata: ${JSON.stringify(data)}\n\n`);
      if (isFull) await once(raw, "drain", { signal });
    }
  } catch (error) {
    if (!signal.aborted) raw.destroy(error instanceof Error ? error : undefined);
  } finally {
    clearInterval(beat);
    raw.end();
  }
  return reply;
}

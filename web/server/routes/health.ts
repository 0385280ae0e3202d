/** Whether the server lives and can take work, and what it measures. */
import type { FastifyInstance } from "fastify";
import Type from "typebox";
import type { ServerContext } from "../context.ts";
import { RequestError } from "../problem.ts";
import { json, problems } from "./shared.ts";

const tags = ["health"];
const Ok = Type.Object({ status: Type.Literal("ok") });
const ok = json("Yes.", Ok);

/** Routes that never ask for a token: they tell nothing. */
export function healthRoutes(app: FastifyInstance, context: ServerContext): void {
  app.get(
    "/healthz",
    {
      schema: { tags, summary: "Does the process answer?", response: { 200: ok } },
      config: { open: true },
    },
    async () => ({ status: "ok" }),
  );
  app.get(
    "/readyz",
    {
      schema: {
        tags,
        summary: "Are models loaded, and is there room for work?",
        response: { 200: ok, ...problems(503) },
      },
      config: { open: true },
    },
    async () => {
      expectReady(context);
      return { status: "ok" };
    },
  );
}

/** @throws {RequestError} `ERR_BUSY` */
export function expectReady({ registry, closing, gate }: ServerContext): void {
  if (closing.aborted) throw new RequestError("ERR_BUSY", "the server is going down", 10);
  const isReady = registry.isReady() && registry.list().some(({ state }) => state !== "failed");
  if (!isReady) throw new RequestError("ERR_BUSY", "there must be a model, there is none", 5);
  gate.check();
}

export function metricRoutes(app: FastifyInstance, { metrics }: ServerContext): void {
  app.get(
    "/metrics",
    {
      schema: {
        tags,
        summary: "Prometheus metrics",
        response: {
          200: { description: "Metrics.", content: { "text/plain": { schema: Type.String() } } },
          ...problems(401, 429, 503),
        },
      },
    },
    async (_, reply) => reply.type(metrics.contentType).send(await metrics.text()),
  );
}

/** Whatever goes wrong becomes a problem document. */
import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { RequestError, toProblem } from "./problem.ts";

const RUN_OUT_BYTES = 16e6;

export function answerErrors(app: FastifyInstance, hide: readonly string[]): void {
  const answer = (error: unknown, request: FastifyRequest, reply: FastifyReply): FastifyReply => {
    const problem = toProblem(error, hide);
    if (problem.status >= 500) request.log.error({ err: error }, problem.code);
    const retryAfterS = error instanceof RequestError ? error.retryAfterS : undefined;
    if (retryAfterS !== undefined) reply.header("retry-after", retryAfterS);
    if (problem.status === 401) reply.header("www-authenticate", "Bearer");
    // The rest of a body that nobody reads: a short one is let run out, for a client in the middle of sending would
    // find the connection broken and miss the answer; a long one is not waited for.
    const { complete, headers } = request.raw;
    const isShort = Number(headers["content-length"] ?? Infinity) <= RUN_OUT_BYTES;
    if (!complete && !isShort) reply.header("connection", "close");
    const protocol = request.url.startsWith("/v2");
    return reply
      .code(problem.status)
      .header("content-type", protocol ? "application/json" : "application/problem+json")
      .send(
        Buffer.from(JSON.stringify(protocol ? { error: problem.detail, ...problem } : problem)),
      );
  };
  app.setErrorHandler<FastifyError>(answer);
  app.setNotFoundHandler((request, reply) => {
    const what = `${request.method} ${request.url.slice(0, 100)}`;
    return answer(new RequestError("ERR_NOT_FOUND", `there is no ${what}`), request, reply);
  });
}

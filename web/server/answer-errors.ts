/** Whatever goes wrong becomes a problem document. */
import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { RequestError, toProblem } from "./problem.ts";

export function answerErrors(app: FastifyInstance, hide: readonly string[]): void {
  const answer = (error: unknown, request: FastifyRequest, reply: FastifyReply): FastifyReply => {
    const problem = toProblem(error, hide);
    if (problem.status >= 500) request.log.error({ err: error }, problem.code);
    const retryAfterS = error instanceof RequestError ? error.retryAfterS : undefined;
    if (retryAfterS !== undefined) reply.header("retry-after", retryAfterS);
    if (problem.status === 401) reply.header("www-authenticate", "Bearer");
    // A body that nobody will read must not keep the connection.
    if (!request.raw.complete) reply.header("connection", "close");
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

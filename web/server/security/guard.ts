/** Who is asking, and whether they are still there. */
import type { FastifyInstance } from "fastify";
import { RequestError } from "../problem.ts";
import { recogniser } from "./tokens.ts";

declare module "fastify" {
  interface FastifyContextConfig {
    /** Asks for no token and counts for no limit. */
    open?: boolean;
  }
}

/** Asks every request but those to open routes for a token, where there are tokens. */
export function guard(app: FastifyInstance, tokens: readonly string[]): void {
  const recognise = recogniser(tokens);
  app.decorateRequest("owner", "anyone");
  app.decorateRequest("gone");
  app.decorateRequest("folder");
  app.decorateRequest("upload");
  app.decorateRequest("claim");
  app.addHook("onRequest", async (request, { raw }) => {
    const leaving = new AbortController();
    request.gone = leaving.signal;
    raw.once("close", () => {
      if (!raw.writableFinished) leaving.abort();
    });
    if (tokens.length === 0 || isOpen(request.url, request.routeOptions.config.open)) return;
    const owner = recognise(request.headers.authorization);
    if (owner === undefined) {
      throw new RequestError("ERR_TOKEN", "Authorization must hold a valid bearer token");
    }
    request.owner = owner;
  });
}

/** The documentation and the page hold nothing that is not in the source. */
const isOpen = (url: string, open: boolean | undefined): boolean =>
  open === true || /^\/(docs(\/|$)|openapi\.json$|$)/.test(url.replace(/\?.*$/, ""));

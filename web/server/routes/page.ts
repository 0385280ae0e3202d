/** `/`: a page that detects in the browser, or links. */
import { resolve } from "node:path";
import staticFiles from "@fastify/static";
import type { FastifyInstance } from "fastify";

/** What a page needs that computes with WebAssembly in threads and shows map tiles from elsewhere. */
const HEADERS = {
  "cross-origin-embedder-policy": "credentialless",
  "content-security-policy":
    "default-src 'self'; script-src 'self' 'wasm-unsafe-eval'; worker-src 'self' blob:; " +
    "style-src 'self' 'unsafe-inline'; img-src 'self' data: blob: https:; connect-src 'self' blob: https:",
};

const LINKS = {
  detect: "/v1/detect",
  jobs: "/v1/jobs",
  models: "/v1/models",
  inference: "/v2",
  health: "/healthz",
  ready: "/readyz",
  metrics: "/metrics",
  documentation: "/docs",
  openapi: "/openapi.json",
};

export function pageRoutes(app: FastifyInstance, folder: string | undefined): void {
  if (folder === undefined) {
    app.get("/", { schema: { hide: true }, config: { open: true } }, async () => LINKS);
    return;
  }
  app.addHook("onRoute", (route) => {
    route.config = { ...route.config, open: true };
    route.schema = { ...route.schema, hide: true };
  });
  void app.register(staticFiles, {
    root: resolve(folder),
    preCompressed: true, // NAME.br or NAME.gz where the build has left one and the browser takes it
    setHeaders: (response) => {
      for (const [name, value] of Object.entries(HEADERS)) response.setHeader(name, value);
    },
  });
}

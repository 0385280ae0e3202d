/** `/openapi.json` and `/docs`, made of the very schemas that requests are judged by. */
import swagger from "@fastify/swagger";
import swaggerUi from "@fastify/swagger-ui";
import type { FastifyInstance } from "fastify";
import { VERSION } from "../../pipeline/index.ts";

export function documentApi(app: FastifyInstance): void {
  void app.register(swagger, {
    openapi: {
      openapi: "3.1.0",
      info: {
        title: "Nadir",
        version: VERSION,
        description: "Object detection in satellite and aerial imagery.",
        license: { name: "Apache-2.0", identifier: "Apache-2.0" },
      },
      tags: [
        { name: "detection", description: "Scenes that are answered at once." },
        { name: "jobs", description: "Scenes of any size." },
        { name: "models", description: "What can be detected with." },
        { name: "inference", description: "Open Inference Protocol, version 2." },
        { name: "health", description: "How the server is." },
      ],
      components: { securitySchemes: { token: { type: "http", scheme: "bearer" } } },
      security: [{}, { token: [] }],
    },
  });
  void app.register(swaggerUi, { routePrefix: "/docs", staticCSP: true });
  void app.register(async (routes) => {
    routes.get("/openapi.json", { schema: { hide: true }, config: { open: true } }, async () =>
      app.swagger(),
    );
  });
}

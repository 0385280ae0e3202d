/** `/v1/models`: what can be detected with. */
import type { FastifyInstance } from "fastify";
import Type from "typebox";
import type { ServerContext } from "../context.ts";
import type { ModelState } from "../models/registry.ts";
import { RequestError } from "../problem.ts";
import { json, problems } from "./shared.ts";

const tags = ["models"];

const ModelSchema = Type.Object(
  {
    id: Type.String(),
    state: Type.Union([Type.Literal("ready"), Type.Literal("idle"), Type.Literal("failed")], {
      description: "idle: it is loaded when it is first asked for.",
    }),
    isDefault: Type.Boolean({ description: "Taken by requests that name no model." }),
    reason: Type.Optional(Type.String({ description: "Why it failed." })),
    version: Type.Optional(Type.String({ description: "First digits of the SHA-256." })),
    name: Type.Optional(Type.String()),
    sha256: Type.Optional(Type.String()),
    classes: Type.Optional(Type.Array(Type.String())),
    oriented: Type.Optional(Type.Boolean()),
    head: Type.Optional(Type.String({ description: "How its outputs are read." })),
    gsdM: Type.Optional(
      Type.Object({ from: Type.Number(), to: Type.Number() }, { description: "Metres per pixel." }),
    ),
    input: Type.Optional(Type.Record(Type.String(), Type.Unknown())),
    scoreAtLeast: Type.Optional(Type.Number()),
    overlapPx: Type.Optional(Type.Number()),
    licence: Type.Optional(Type.String()),
    notices: Type.Optional(Type.Array(Type.String())),
    engine: Type.Optional(Type.String()),
  },
  { $id: "Model", description: "A detector." },
);

export function modelRoutes(app: FastifyInstance, { registry }: ServerContext): void {
  app.get(
    "/v1/models",
    {
      schema: {
        tags,
        summary: "All models",
        response: {
          200: json("Models, by id.", Type.Object({ models: Type.Array(ModelSchema) })),
          ...problems(401, 429, 503),
        },
      },
    },
    async () => ({ models: registry.list().map(showModel) }),
  );

  app.get<{ Params: { id: string } }>(
    "/v1/models/:id",
    {
      schema: {
        tags,
        summary: "One model",
        params: Type.Object({ id: Type.String() }),
        response: {
          200: json("The model.", ModelSchema),
          ...problems(401, 404, 429, 503),
        },
      },
    },
    async ({ params: { id } }) => {
      const found = registry.list().find((model) => model.id === id);
      if (found !== undefined) return showModel(found);
      throw new RequestError("ERR_NOT_FOUND", `there is no model ${id.slice(0, 80)}`);
    },
  );
}

function showModel(state: ModelState): Readonly<Record<string, unknown>> {
  const { id, isDefault, reason, model, facts } = state;
  const common = { id, state: state.state, isDefault };
  if (reason !== undefined) return { ...common, reason };
  if (model === undefined) return { ...common, ...facts };
  const { card, decision, notices } = model.detector;
  const { name, sha256, classes, oriented, gsdM, input, scoreAtLeast, overlapPx, licence } = card;
  return {
    ...{ ...common, version: model.version, name, sha256, classes, oriented, head: decision.name },
    ...{ gsdM, input, scoreAtLeast, overlapPx, licence, notices, engine: model.engine },
  };
}

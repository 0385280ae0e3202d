/** `/v1/jobs`: scenes of any size, worked off in the background. */
import { createReadStream } from "node:fs";
import type { FastifyInstance, FastifyRequest } from "fastify";
import Type from "typebox";
import { FORMAT_NAMES, type FormatName } from "../../../pipeline/index.ts";
import type { ServerContext } from "../context.ts";
import { isFinished, JOB_STATES, type JobRecord, type JobState } from "../jobs/record.ts";
import { formatsOf, resultFile } from "../jobs/result.ts";
import { checkQueue, submit } from "../jobs/submit.ts";
import { RequestError } from "../problem.ts";
import { acceptUpload } from "../requests/accept.ts";
import { type DetectBody, FormBody, JsonBody, settingsOf } from "../requests/body.ts";
import { sendEvents } from "./job-events.ts";
import { JobSchema, showJob } from "./job-schemas.ts";
import { contentDisposition, json, problems } from "./shared.ts";

const tags = ["jobs"];
const Id = Type.Object({ id: Type.String({ pattern: "^[0-9a-z]+-[0-9a-f]+$" }) });
const Headers = Type.Object({
  "idempotency-key": Type.Optional(
    Type.String({
      minLength: 1,
      maxLength: 255,
      description: "A repeated request with the same key and content is given the same job.",
    }),
  ),
});

interface WithId {
  Params: { id: string };
}

export function jobRoutes(app: FastifyInstance, context: ServerContext): void {
  const { store, runner, limits } = context;
  const find = (request: FastifyRequest<WithId>): JobRecord => {
    const record = store.get(request.params.id);
    if (record?.owner === request.owner) return record;
    throw new RequestError("ERR_NOT_FOUND", `there is no job ${request.params.id}`);
  };
  const show = (record: JobRecord) => showJob(record, runner.progress(record.id));

  app.post<{ Body: DetectBody; Headers: { "idempotency-key"?: string } }>(
    "/v1/jobs",
    {
      schema: {
        tags,
        summary: "Detects in a scene of any size, in the background",
        headers: Headers,
        body: {
          content: {
            "multipart/form-data": { schema: FormBody },
            "application/json": { schema: JsonBody },
          },
        },
        response: {
          202: json("Accepted: the job is on disk. Location says where it is.", JobSchema),
          ...problems(400, 401, 403, 408, 413, 415, 422, 429, 503, 507),
        },
      },
      onRequest: async () => checkQueue(context),
      preValidation: async (request) =>
        acceptUpload(request, context, { maxBytes: limits.uploadBytes, hint: "", keeps: true }),
    },
    async (request, reply) => {
      const { body, upload, owner, folder = store.incoming() } = request;
      const { record, isNew } = await submit(
        {
          ...{ owner, upload, folder, url: body.url, model: body.model },
          key: request.headers["idempotency-key"],
          settings: settingsOf(body),
        },
        context,
      );
      if (isNew) request.folder = undefined; // it is the job's now
      return reply.code(202).header("location", `/v1/jobs/${record.id}`).send(show(record));
    },
  );

  app.get<{ Querystring: { state?: JobState; limit?: number; before?: string } }>(
    "/v1/jobs",
    {
      schema: {
        tags,
        summary: "Jobs, the newest first",
        querystring: Type.Object({
          state: Type.Optional(Type.Union(JOB_STATES.map((state) => Type.Literal(state)))),
          limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 200, default: 50 })),
          before: Type.Optional(Type.String({ description: "Only those older than this id." })),
        }),
        response: {
          200: json("Jobs.", Type.Object({ jobs: Type.Array(JobSchema) })),
          ...problems(400, 401, 429, 503),
        },
      },
    },
    async ({ owner, query: { state, limit = 50, before } }) => {
      const mine = store
        .list()
        .filter((job) => job.owner === owner && (state === undefined || job.state === state))
        .filter(({ id }) => before === undefined || id < before);
      return { jobs: mine.toReversed().slice(0, limit).map(show) };
    },
  );

  app.get<WithId>(
    "/v1/jobs/:id",
    {
      schema: {
        tags,
        summary: "A job and how it stands",
        params: Id,
        response: { 200: json("The job.", JobSchema), ...problems(400, 401, 404, 429, 503) },
      },
    },
    async (request) => show(find(request)),
  );

  app.delete<WithId>(
    "/v1/jobs/:id",
    {
      schema: {
        tags,
        summary: "Cancels a job, or removes a finished one",
        params: Id,
        response: {
          200: json("It was waiting or running, and is cancelled.", JobSchema),
          204: { description: "It was finished; it and its files are gone.", type: "null" },
          ...problems(400, 401, 404, 429, 503),
        },
      },
    },
    async (request, reply) => {
      const record = find(request);
      if (!isFinished(record)) {
        await runner.cancel(record.id);
        return show(store.get(record.id) ?? record);
      }
      runner.forget(record.id);
      await store.remove(record.id);
      return reply.code(204).send();
    },
  );

  app.get<WithId & { Headers: { "last-event-id"?: string } }>(
    "/v1/jobs/:id/events",
    {
      schema: {
        tags,
        summary: "What happens to a job, as server-sent events",
        description:
          "Events are `state`, `scene`, `plan`, `tiles` and `note`; the stream ends with the job. `Last-Event-ID` goes on after that one.",
        params: Id,
        headers: Type.Object({
          "last-event-id": Type.Optional(Type.String({ pattern: "^[0-9]{1,15}$" })),
        }),
        response: {
          200: {
            description: "Events.",
            content: { "text/event-stream": { schema: Type.String() } },
          },
          ...problems(400, 401, 404, 429, 503),
        },
      },
    },
    async (request, reply) => {
      const log = await runner.events(find(request).id);
      const last = Number(request.headers["last-event-id"] ?? 0);
      return sendEvents(reply, log, last, AbortSignal.any([request.gone, context.closing]));
    },
  );

  app.get<WithId & { Querystring: { format?: FormatName } }>(
    "/v1/jobs/:id/result",
    {
      schema: {
        tags,
        summary: "What was found",
        params: Id,
        querystring: Type.Object({
          format: Type.Optional(
            Type.Union(
              FORMAT_NAMES.map((name) => Type.Literal(name)),
              {
                description: "Default: the first that the job was asked for.",
              },
            ),
          ),
        }),
        response: {
          200: {
            description: "The file, as the command line writes it.",
            content: { "*/*": { schema: Type.String({ format: "binary" }) } },
          },
          ...problems(400, 401, 404, 409, 422, 429, 503, 507),
        },
      },
    },
    async (request, reply) => {
      const record = find(request);
      if (record.state !== "done") {
        throw new RequestError("ERR_CONFLICT", `the job must be done, it is ${record.state}`);
      }
      const format = request.query.format ?? formatsOf(record)[0] ?? "geojson";
      const file = await resultFile(record, store.folder(record.id), format, limits);
      return reply
        .header("content-type", file.mediaType)
        .header("content-length", file.bytes)
        .header("content-disposition", contentDisposition(file.name))
        .send(createReadStream(file.path));
    },
  );
}

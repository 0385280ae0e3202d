/** How a job looks from outside. */
import Type, { type TSchema } from "typebox";
import type { JobProgress, JobRecord } from "../jobs/record.ts";
import { JOB_STATES } from "../jobs/record.ts";

const Time = Type.String({ format: "date-time" });

export const JobSchema: TSchema = Type.Object(
  {
    id: Type.String(),
    state: Type.Union(JOB_STATES.map((state) => Type.Literal(state))),
    createdAt: Time,
    startedAt: Type.Optional(Time),
    finishedAt: Type.Optional(Time),
    model: Type.Object({ id: Type.String(), version: Type.Optional(Type.String()) }),
    source: Type.Object({
      name: Type.String(),
      bytes: Type.Optional(Type.Integer({ minimum: 0 })),
      sha256: Type.Optional(Type.String()),
      url: Type.Optional(Type.String()),
    }),
    settings: Type.Record(Type.String(), Type.Unknown(), {
      description: "What the request said; the manifest among the results has all of them.",
    }),
    progress: Type.Optional(
      Type.Object({
        done: Type.Integer({ minimum: 0, description: "Tiles." }),
        total: Type.Integer({ minimum: 0 }),
        objects: Type.Integer({ minimum: 0 }),
        rate: Type.Optional(Type.Number({ description: "Tiles a second." })),
        etaS: Type.Optional(Type.Integer({ description: "Seconds that are left." })),
      }),
    ),
    counts: Type.Optional(
      Type.Object({
        objects: Type.Integer(),
        raw: Type.Integer({ description: "Detections before merging." }),
        byClass: Type.Record(Type.String(), Type.Integer()),
      }),
    ),
    failure: Type.Optional(Type.Object({ code: Type.String(), detail: Type.String() })),
    outputs: Type.Optional(Type.Array(Type.String(), { description: "Files of the result." })),
    links: Type.Object({ self: Type.String(), events: Type.String(), result: Type.String() }),
  },
  { $id: "Job", description: "A job and how it stands." },
);

/** The record without what is nobody's business, and with its progress. */
export function showJob(
  record: JobRecord,
  progress: JobProgress | undefined,
): Readonly<Record<string, unknown>> {
  const { id, state, createdAt, startedAt, finishedAt, model, source, settings } = record;
  const { counts, failure, outputs } = record;
  const self = `/v1/jobs/${id}`;
  return {
    ...{ id, state, createdAt, startedAt, finishedAt, model, source, settings },
    ...{ counts, failure, outputs },
    ...(progress !== undefined && { progress }),
    links: { self, events: `${self}/events`, result: `${self}/result` },
  };
}

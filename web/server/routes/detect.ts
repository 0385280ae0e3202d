/** `POST /v1/detect`: a scene in, what is in it out, at once. */
import type { FastifyInstance, FastifyRequest } from "fastify";
import Type from "typebox";
import { FORMATS } from "../../../pipeline/index.ts";
import type { ServerContext } from "../context.ts";
import { RequestError } from "../problem.ts";
import { acceptUpload } from "../requests/accept.ts";
import { type DetectBody, FormBody, JsonBody, settingsOf } from "../requests/body.ts";
import { type Answer, findOnce, onlyFormat, writeAnswer } from "../requests/detect-once.ts";
import { download } from "../requests/download.ts";
import { openUpload } from "../requests/pixels.ts";
import { contentDisposition, problems } from "./shared.ts";

const HINT = "; POST /v1/jobs takes larger ones";

export function detectRoutes(app: FastifyInstance, context: ServerContext): void {
  const { gate, limits } = context;
  app.post<{ Body: DetectBody }>(
    "/v1/detect",
    {
      schema: {
        tags: ["detection"],
        summary: "Finds the objects of a scene",
        description:
          `A file up to ${limits.syncBytes} bytes and ${limits.syncPixels} pixels is answered at once. ` +
          "Where nothing is found the collection is empty, and its member `nadir.diagnosis` says why.",
        body: {
          content: {
            "multipart/form-data": { schema: FormBody },
            "application/json": { schema: JsonBody },
          },
        },
        response: {
          200: { description: "What was found, in the format asked for.", content: answers() },
          ...problems(400, 401, 403, 408, 413, 415, 422, 429, 503, 507),
        },
      },
      onRequest: async () => gate.check(),
      preValidation: async (request) =>
        acceptUpload(request, context, { maxBytes: limits.syncBytes, hint: HINT, keeps: false }),
    },
    async (request, reply) => {
      const { answer, count } = await answerScene(request, context);
      return reply
        .header("content-type", answer.mediaType)
        .header("content-disposition", contentDisposition(answer.fileName))
        .header("nadir-objects", count)
        .send(Buffer.from(answer.body));
    },
  );
}

/** Waits for a place, detects, and writes the answer; the place is free again before it is sent. */
async function answerScene(
  request: FastifyRequest<{ Body: DetectBody }>,
  context: ServerContext,
): Promise<{ readonly answer: Answer; readonly count: number }> {
  const { gate, limits, registry, options, metrics } = context;
  const { body, gone, folder = "" } = request;
  const said = settingsOf(body);
  const format = onlyFormat(said);
  using lease = await registry.lease(body.model);
  const leave = await gate.enter(request.owner, gone);
  try {
    const upload = (request.upload ??= await fetchScene(request, body.url, folder, context));
    const limit = { mostPixels: limits.syncPixels, signal: gone };
    await using scene = await openUpload(upload, limits, limit);
    const base = options.settings ?? {};
    const found = await findOnce({ scene, model: lease.model, said, base, signal: gone });
    metrics.run(found.report.timingsMs, found.objects.length);
    return { answer: await writeAnswer(found, format, folder), count: found.objects.length };
  } finally {
    leave();
  }
}

const answers = () =>
  Object.fromEntries(
    [...new Set(Object.values(FORMATS).map(({ mediaType }) => mediaType))].map((mediaType) => [
      mediaType,
      { schema: mediaType.includes("json") ? Type.Unknown() : Type.String({ format: "binary" }) },
    ]),
  );

async function fetchScene(
  { gone, claim }: Pick<FastifyRequest, "gone" | "claim">,
  url: string | undefined,
  folder: string,
  { limits, options }: ServerContext,
) {
  if (url === undefined || claim === undefined) {
    throw new RequestError("ERR_REQUEST", "form: must hold a file or a url, received neither");
  }
  return download(url, {
    folder: `${folder}/upload`,
    maxBytes: limits.syncBytes,
    hint: HINT,
    reserve: claim.reserve,
    hold: claim.hold,
    allowHosts: options.allowHosts ?? [],
    fetchMs: limits.fetchMs,
    stallMs: limits.stallMs,
    signal: gone,
  });
}

/** `/v2`: Open Inference Protocol, version 2, for clients of KServe and Triton. */
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import Type from "typebox";
import { Value } from "typebox/value";
import { VERSION } from "../../../pipeline/index.ts";
import type { ServerContext } from "../context.ts";
import { IMAGE_INPUT, IMAGE_OUTPUTS, inferImages, inferTensors } from "../inference/infer.ts";
import {
  type InferRequest,
  InferRequestSchema,
  type InferResponse,
  InferResponseSchema,
  MetadataSchema,
} from "../inference/protocol.ts";
import { bad, datatypeOf, type Output, toOutput, withBytes } from "../inference/tensors.ts";
import type { Lease } from "../models/registry.ts";
import { RequestError } from "../problem.ts";
import { expectReady } from "./health.ts";
import { json, problems } from "./shared.ts";

const tags = ["inference"];
const LENGTH = "inference-header-content-length";

interface OfModel {
  Params: { id: string; version?: string };
}

/** Bytes after the JSON of a request. */
const tails = new WeakMap<FastifyRequest, Uint8Array>();

export function inferenceRoutes(app: FastifyInstance, context: ServerContext): void {
  takeAnyBody(app);
  serverRoutes(app, context);
  const borrow = async ({ params }: FastifyRequest<OfModel>): Promise<Lease> => {
    const { id, version } = params;
    const known = context.registry.list().find((model) => model.id === id);
    const lease = known && (await context.registry.lease(id));
    if (lease !== undefined && (version === undefined || lease.model.version === version)) {
      return lease;
    }
    lease?.[Symbol.dispose]();
    const what = `model ${id.slice(0, 80)}${version === undefined ? "" : ` version ${version.slice(0, 80)}`}`;
    throw new RequestError("ERR_NOT_FOUND", `there is no ${what}`);
  };
  for (const path of ["/v2/models/:id", "/v2/models/:id/versions/:version"]) {
    const named = { id: Type.String(), version: Type.String() };
    const params = Type.Object(path.endsWith("version") ? named : { id: named.id });
    app.get<OfModel>(
      path,
      {
        schema: {
          ...{ tags, params },
          summary: "Inputs and outputs of a model",
          response: {
            200: json("Metadata.", MetadataSchema),
            ...problems(401, 404, 422, 429, 503),
          },
        },
      },
      async (request) => {
        using lease = await borrow(request);
        return showMetadata(lease);
      },
    );
    app.get<OfModel>(
      `${path}/ready`,
      {
        schema: {
          ...{ tags, params },
          summary: "Is the model loaded?",
          response: {
            200: json("Yes.", Type.Object({ name: Type.String(), ready: Type.Boolean() })),
            ...problems(401, 404, 422, 429, 503),
          },
        },
      },
      async (request) => {
        using lease = await borrow(request);
        return { name: lease.model.id, ready: true };
      },
    );
    app.post<OfModel & { Body: unknown }>(
      `${path}/infer`,
      {
        schema: {
          ...{ tags, params },
          summary: "Runs a model on raw tensors, or on encoded images",
          description:
            `The network's own inputs give its own outputs. One BYTES input \`${IMAGE_INPUT}\` of image files (in JSON: base64) ` +
            `gives ${IMAGE_OUTPUTS.join(", ")}, a row for each object, in pixels. Binary tensors follow the JSON, whose length is in Inference-Header-Content-Length.`,
          body: {
            content: {
              "application/json": { schema: InferRequestSchema },
              "application/octet-stream": { schema: Type.Unknown() },
            },
          },
          response: {
            200: {
              description: "The outputs.",
              content: {
                "application/json": { schema: InferResponseSchema },
                "application/octet-stream": { schema: Type.String({ format: "binary" }) },
              },
            },
            ...problems(400, 401, 404, 408, 413, 415, 422, 429, 503),
          },
        },
        onRequest: async () => context.gate.check(),
      },
      async (request, reply) => {
        using lease = await borrow(request);
        const body = checkedBody(request.body);
        const outputs = await infer(request, lease, body, context);
        return answer(reply, lease, body, outputs);
      },
    );
  }
}

/** Clients send JSON, JSON with bytes after it, and all that under any or no content type. */
function takeAnyBody(app: FastifyInstance): void {
  app.removeAllContentTypeParsers();
  app.addContentTypeParser(
    "*",
    { parseAs: "buffer" },
    async (request: FastifyRequest, body: Buffer) => {
      if ((request.headers["content-encoding"] ?? "identity") !== "identity") {
        throw new RequestError("ERR_MEDIA_TYPE", "the body must not be compressed");
      }
      const said = request.headers[LENGTH];
      const length = said === undefined ? body.length : Number(said);
      if (!Number.isInteger(length) || length < 0 || length > body.length) {
        throw bad(
          `Inference-Header-Content-Length must lie within the body, received ${String(said)}`,
        );
      }
      tails.set(request, body.subarray(length));
      try {
        return JSON.parse(body.toString("utf8", 0, length)) as unknown;
      } catch {
        throw bad("the body must begin with whole JSON");
      }
    },
  );
}

function serverRoutes(app: FastifyInstance, context: ServerContext): void {
  app.get(
    "/v2",
    {
      schema: {
        tags,
        summary: "What server this is",
        response: {
          200: json(
            "Metadata.",
            Type.Object({
              name: Type.String(),
              version: Type.String(),
              extensions: Type.Array(Type.String()),
            }),
          ),
          ...problems(401, 429, 503),
        },
      },
    },
    async () => ({
      name: "nadir",
      version: VERSION,
      extensions: ["binary_tensor_data", "model_repository"],
    }),
  );
  const health = (path: string, name: "live" | "ready", check: () => void): void => {
    const response = {
      200: json("Yes.", Type.Object({ [name]: Type.Boolean() })),
      ...(name === "ready" ? problems(503) : {}),
    };
    app.get(
      path,
      { schema: { tags, summary: `Is it ${name}?`, response }, config: { open: true } },
      async () => {
        check();
        return { [name]: true };
      },
    );
  };
  health("/v2/health/live", "live", () => {});
  health("/v2/health/ready", "ready", () => expectReady(context));
  app.post(
    "/v2/repository/index",
    {
      schema: {
        tags,
        summary: "All models and their state",
        response: {
          200: json(
            "Models.",
            Type.Array(
              Type.Object({
                name: Type.String(),
                version: Type.String(),
                state: Type.String(),
                reason: Type.String(),
              }),
            ),
          ),
          ...problems(400, 401, 408, 413, 415, 429, 503),
        },
      },
    },
    async () =>
      context.registry.list().map(({ id, state, model, reason = "" }) => ({
        name: id,
        version: model?.version ?? "",
        state: state === "failed" ? "UNAVAILABLE" : "READY", // an idle one is loaded when it is asked for
        reason,
      })),
  );
}

function showMetadata({ model }: Lease) {
  const show = ({ name, type, dims }: (typeof model.session.inputs)[number]) => ({
    name,
    datatype: datatypeOf(type),
    shape: dims.map((size) => size ?? -1),
  });
  return {
    name: model.id,
    versions: [model.version],
    platform: "onnxruntime_onnx",
    inputs: model.session.inputs.map(show),
    outputs: model.session.outputs.map(show),
    parameters: { encoded_input: IMAGE_INPUT, encoded_outputs: IMAGE_OUTPUTS.join(",") },
  };
}

function checkedBody(body: unknown): InferRequest {
  if (Value.Check(InferRequestSchema, body)) return body as InferRequest; // it has just been checked
  const [error] = Value.Errors(InferRequestSchema, body);
  throw bad(`${error?.instancePath ?? "the body"} ${error?.message ?? "must be a request"}`);
}

async function infer(
  request: FastifyRequest,
  { model }: Lease,
  body: InferRequest,
  { gate, limits, options }: ServerContext,
): Promise<readonly Output[]> {
  const inputs = withBytes(body.inputs, tails.get(request) ?? new Uint8Array());
  const [first, ...more] = inputs;
  const isImage =
    first?.name === IMAGE_INPUT &&
    (first.datatype === "BYTES" || !model.session.inputs.some(({ name }) => name === IMAGE_INPUT));
  const { gone: signal, owner } = request;
  const leave = await gate.enter(owner, signal);
  try {
    if (first === undefined || !isImage) return await inferTensors(model, inputs, signal);
    if (more.length > 0)
      throw bad(`${IMAGE_INPUT} must be the only input, received ${inputs.length}`);
    const base = options.settings ?? {};
    return await inferImages(model, first, body, { limits, base, signal });
  } finally {
    leave();
  }
}

function answer(
  reply: FastifyReply,
  { model }: Lease,
  { id, parameters, outputs: asked }: InferRequest,
  found: readonly Output[],
): FastifyReply {
  const missing = asked?.find(({ name }) => !found.some((output) => output.name === name));
  if (missing !== undefined) {
    const names = found.map(({ name }) => name).join(", ");
    throw bad(`outputs must be of ${names}, received ${missing.name.slice(0, 80)}`);
  }
  const wanted = asked ?? found.map(({ name }) => ({ name, parameters: undefined }));
  const written = wanted.flatMap(({ name, parameters: own }) => {
    const output = found.find((one) => one.name === name);
    const binary = own?.["binary_data"] ?? parameters?.["binary_data_output"] ?? false;
    return output === undefined ? [] : [toOutput(output, binary === true)];
  });
  const response: InferResponse = {
    model_name: model.id,
    model_version: model.version,
    ...(id !== undefined && { id }),
    outputs: written.map(({ output }) => output),
  };
  const message = Buffer.from(JSON.stringify(response));
  const parts = written.flatMap(({ bytes }) => (bytes === undefined ? [] : [bytes]));
  if (parts.length === 0) return reply.type("application/json").send(message);
  return reply
    .type("application/octet-stream")
    .header(LENGTH, message.length)
    .send(Buffer.concat([message, ...parts]));
}

import { Validator } from "@seriousme/openapi-schema-validator";
import fc from "fast-check";
import { Value } from "typebox/value";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { form, sampleServer, sceneForm } from "./sample-server.ts";
import { fitting, nearly, type Schema } from "./from-schema.ts";

const SEED = 20_261_122;

interface Operation {
  readonly parameters?: readonly {
    readonly name: string;
    readonly in: string;
    readonly schema: Schema;
  }[];
  readonly requestBody?: {
    readonly content: Readonly<Record<string, { readonly schema: Schema }>>;
  };
  readonly responses: Readonly<
    Record<string, { readonly content?: Readonly<Record<string, { readonly schema: Schema }>> }>
  >;
}

let server: Awaited<ReturnType<typeof sampleServer>>;
let document: { readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>> };
beforeAll(async () => {
  server = await sampleServer({
    limits: { perMinute: 0, queuedJobs: 30 },
    allowHosts: ["allowed.invalid"],
  });
  document = (await server.app.inject("/openapi.json")).json();
});
afterAll(() => server[Symbol.asyncDispose]());

const operations = () =>
  Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ path, method, operation })),
  );

/** Fails where an answer is none that the document describes. */
function expectDocumented(
  operation: Operation,
  answer: {
    readonly statusCode: number;
    readonly headers: Readonly<Record<string, string | number | string[] | undefined>>;
    readonly body: string;
  },
  sent: string,
): void {
  const { statusCode, body } = answer;
  const described = operation.responses[statusCode];
  expect(described, `${sent}: ${statusCode} ${body.slice(0, 200)}`).toBeDefined();
  const type = String(answer.headers["content-type"] ?? "").replace(/;.*/, "");
  if (!/json/.test(type) || type.includes("seq")) return;
  const content = described?.content ?? {};
  const schema = (content[type] ?? content["application/problem+json"] ?? content["*/*"])?.schema;
  expect(schema, `${sent}: ${statusCode} ${type}`).toBeDefined();
  const value: unknown = JSON.parse(body);
  expect([...Value.Errors(schema as object, value)].slice(0, 1), `${sent}: ${body.slice(0, 300)}`).toEqual([]); // prettier-ignore
}

describe("the OpenAPI document", () => {
  test("is valid OpenAPI 3.1", async () => {
    const { valid, errors } = await new Validator().validate(structuredClone(document));
    expect([valid, errors]).toEqual([true, undefined]);
  });

  test("describes every route but those of the documentation", () => {
    const described = operations().map(({ path, method }) => `${method.toUpperCase()} ${path}`);
    expect(described.toSorted()).toEqual(
      [
        "GET /healthz",
        "GET /readyz",
        "GET /metrics",
        "GET /v1/models",
        "GET /v1/models/{id}",
        "POST /v1/detect",
        "GET /v1/jobs",
        "POST /v1/jobs",
        "GET /v1/jobs/{id}",
        "DELETE /v1/jobs/{id}",
        "GET /v1/jobs/{id}/events",
        "GET /v1/jobs/{id}/result",
        "GET /v2",
        "GET /v2/health/live",
        "GET /v2/health/ready",
        "POST /v2/repository/index",
        ...["/v2/models/{id}", "/v2/models/{id}/versions/{version}"].flatMap((path) => [
          `GET ${path}`,
          `GET ${path}/ready`,
          `POST ${path}/infer`,
        ]),
      ].toSorted(),
    );
  });

  test("has a page for people", async () => {
    const page = await server.app.inject("/docs/");
    expect([page.statusCode, page.headers["content-type"]]).toEqual([
      200,
      "text/html; charset=utf-8",
    ]);
  });
});

test("a fuzzer that reads the document finds no 500 and no answer that is not described", async () => {
  const seen = new Map<number, number>();
  for (const { path, method, operation } of operations()) {
    const { parameters = [], requestBody } = operation;
    const request = fc.record({
      parameters: fc.tuple(...parameters.map(({ schema }) => nearly(schema))),
      used: fc.array(fc.boolean(), { minLength: parameters.length, maxLength: parameters.length }),
      known: fc.boolean(),
      body: fc.oneof(...Object.values(requestBody?.content ?? { none: { schema: {} } }).map(({ schema }) => nearly(schema))), // prettier-ignore
    });
    const kinds = Object.keys(requestBody?.content ?? {});
    const samples = fc.sample(request, {
      seed: SEED,
      numRuns: requestBody === undefined ? 12 : 60,
    });
    for (const [i, sample] of samples.entries()) {
      const sent = send(path, operation, sample, kinds[i % Math.max(1, kinds.length)]);
      const options = { method: method.toUpperCase() as "GET", ...sent };
      const answer = await server.app.inject(options);
      seen.set(answer.statusCode, (seen.get(answer.statusCode) ?? 0) + 1);
      const said = `${method} ${sent.url} ${("payload" in sent ? sent.payload : undefined)?.toString("utf8").slice(0, 400) ?? ""}`;
      expect(answer.statusCode, `${said}: ${answer.body}`).not.toBe(500);
      expectDocumented(operation, answer, said);
    }
  }
  for (const status of [200, 400, 404]) expect(seen.get(status)).toBeGreaterThan(5);
});

interface Sample {
  readonly parameters: readonly unknown[];
  readonly used: readonly boolean[];
  /** Name a model that is there. */
  readonly known: boolean;
  readonly body: unknown;
}

const text = (value: unknown): string =>
  typeof value === "string" ? value : JSON.stringify(value);

function send(
  path: string,
  { parameters = [] }: Operation,
  sample: Sample,
  kind: string | undefined,
) {
  let url = path;
  const query = new URLSearchParams();
  const headers: Record<string, string> = {};
  for (const [i, parameter] of parameters.entries()) {
    const value = text(sample.parameters[i]);
    const { name } = parameter;
    if (parameter.in === "path") {
      const id = sample.known && path.includes("models") && name === "id" ? "spots" : value;
      url = url.replace(`{${name}}`, encodeURIComponent(id.slice(0, 50)) || "x");
    } else if (sample.used[i] === true && parameter.in === "query") query.set(name, value);
    else if (sample.used[i] === true) headers[name] = value.replaceAll(/[^ -~]/g, "?");
  }
  const full = query.size > 0 ? `${url}?${query}` : url;
  if (kind === undefined) return { url: full, headers };
  if (kind !== "multipart/form-data") {
    const payload = Buffer.from(JSON.stringify(sample.body) ?? "");
    return { url: full, headers: { ...headers, "content-type": kind }, payload };
  }
  const body = typeof sample.body === "object" && sample.body !== null ? sample.body : {};
  const fields = Object.entries(body).filter(([name]) => name !== "file");
  const odd = /[\r\n"\0]/;
  const parts = fields
    .filter(([name]) => !odd.test(name))
    .map(([name, value]) => ({ name, value: text(value) }));
  const made = sample.known
    ? sceneForm(server.scene, Object.fromEntries(parts.map(({ name, value }) => [name, value])))
    : form(...parts, { name: "file", value: "no scene", fileName: "x.tif" });
  return { url: full, headers: { ...headers, ...made.headers }, payload: made.payload };
}

test("values that the schema of a form allows are taken as they are", async () => {
  const { schema } = document.paths["/v1/jobs"]?.["post"]?.requestBody?.content["multipart/form-data"] ?? { schema: {} }; // prettier-ignore
  const { aoi: _, file: __, url: ___, model: ____, ...properties } = schema.properties ?? {};
  for (const body of fc.sample(fitting({ ...schema, properties }), { seed: SEED, numRuns: 40 })) {
    const fields = Object.fromEntries(Object.entries(body as object).map(([k, v]) => [k, text(v)]));
    const { payload, headers } = sceneForm(server.scene, fields);
    const answer = await server.app.inject({ method: "POST", url: "/v1/jobs", payload, headers });
    // Settings that do not fit each other are the one thing that a schema cannot say; the queue is short.
    if (answer.statusCode === 400) expect(answer.json().code).toBe("ERR_SETTINGS");
    else expect([202, 503]).toContain(answer.statusCode);
  }
});

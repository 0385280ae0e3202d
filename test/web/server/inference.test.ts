import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { problemOf, sampleServer, sceneForm } from "./sample-server.ts";

let server: Awaited<ReturnType<typeof sampleServer>>;
beforeAll(async () => {
  server = await sampleServer({ limits: { perMinute: 0 } });
});
afterAll(() => server[Symbol.asyncDispose]());

const URL = "/v2/models/spots/infer";
const PX = 192;
const pixels = Float32Array.from({ length: 3 * PX * PX }, (_, i) => (i * 37) % 255);
const input = { name: "images", shape: [1, 3, PX, PX], datatype: "FP32" };
const infer = (body: unknown, url = URL) =>
  server.app.inject({ method: "POST", url, payload: body as object });

/** A message with bytes after it, as clients of Triton send it: without a content type. */
function inferBytes(message: object, ...tails: readonly Uint8Array[]) {
  const json = Buffer.from(JSON.stringify(message));
  const headers = { "inference-header-content-length": String(json.length) };
  const payload = Buffer.concat([json, ...tails]);
  return server.app.inject({ method: "POST", url: URL, payload, headers });
}

/** The JSON of an answer, and the bytes of its outputs. */
function opened(response: { rawPayload: Buffer; headers: Record<string, unknown> }) {
  const length = Number(response.headers["inference-header-content-length"]);
  const message = JSON.parse(response.rawPayload.toString("utf8", 0, length));
  let at = length;
  const bytes = message.outputs.map(
    ({ parameters }: { parameters: { binary_data_size: number } }) =>
      response.rawPayload.subarray(at, (at += parameters.binary_data_size)),
  );
  expect(at).toBe(response.rawPayload.length);
  return { message, bytes };
}

describe("Open Inference Protocol V2", () => {
  test("tells what server and model are", async () => {
    expect((await server.app.inject("/v2")).json().extensions).toContain("binary_tensor_data");
    expect((await server.app.inject("/v2/health/live")).json()).toEqual({ live: true });
    expect((await server.app.inject("/v2/health/ready")).json()).toEqual({ ready: true });
    const metadata = (await server.app.inject("/v2/models/spots")).json();
    expect(metadata.inputs).toEqual([{ name: "images", datatype: "FP32", shape: [1, 3, PX, PX] }]);
    const [version] = metadata.versions;
    for (const path of ["", "/ready", `/versions/${version}`, `/versions/${version}/ready`]) {
      expect((await server.app.inject(`/v2/models/spots${path}`)).statusCode).toBe(200);
    }
    const missing = await server.app.inject("/v2/models/spots/versions/0");
    expect(problemOf(missing)).toEqual([404, "ERR_NOT_FOUND"]);
    expect(missing.json().error).toMatch(/there is no model spots version 0/);
    const index = await server.app.inject({
      method: "POST",
      url: "/v2/repository/index",
      payload: {},
    });
    expect(index.json()).toEqual([{ name: "spots", version, state: "READY", reason: "" }]);
  });

  test("gives the same raw outputs for tensors as JSON, nested JSON and bytes", async () => {
    const flat = (await infer({ id: "7", inputs: [{ ...input, data: [...pixels] }] })).json();
    expect(flat).toMatchObject({ id: "7", model_name: "spots" });
    expect(flat.outputs.map(({ name }: { name: string }) => name)).toEqual(["boxes", "scores"]);
    const rows = Array.from({ length: 3 * PX }, (_, i) => [
      ...pixels.subarray(i * PX, (i + 1) * PX),
    ]);
    const nested = (await infer({ inputs: [{ ...input, data: rows }] })).json();
    expect(nested.outputs).toEqual(flat.outputs);
    const asBytes = { ...input, parameters: { binary_data_size: pixels.byteLength } };
    const response = await inferBytes(
      { inputs: [asBytes], parameters: { binary_data_output: true } },
      new Uint8Array(pixels.buffer),
    );
    expect(response.headers["content-type"]).toBe("application/octet-stream");
    const { message, bytes } = opened(response);
    const scores = new Float32Array(bytes[1].buffer.slice(bytes[1].byteOffset, bytes[1].byteOffset + bytes[1].length)); // prettier-ignore
    expect(message.outputs[1].shape).toEqual(flat.outputs[1].shape);
    expect([...scores]).toEqual(flat.outputs[1].data.map(Math.fround));
    const one = await inferBytes(
      { inputs: [asBytes], outputs: [{ name: "scores" }] },
      new Uint8Array(pixels.buffer),
    );
    expect(one.json().outputs).toEqual([flat.outputs[1]]);
  });

  test("detects in an encoded image as /v1/detect does", async () => {
    const { features } = (
      await server.app.inject({
        method: "POST",
        url: "/v1/detect",
        ...sceneForm(server.scene, { crs: "pixel", conf: "0.4" }),
      })
    ).json();
    const length = Buffer.alloc(4);
    length.writeUInt32LE(server.scene.length);
    const image = { name: "image", shape: [1], datatype: "BYTES" };
    const size = { binary_data_size: server.scene.length + 4 };
    const { outputs } = (
      await inferBytes(
        { inputs: [{ ...image, parameters: size }], parameters: { conf: 0.4 } },
        length,
        server.scene,
      )
    ).json();
    const output = (name: string) => outputs.find((one: { name: string }) => one.name === name);
    expect(output("names").data).toEqual(
      features.map(({ properties }: { properties: { class: string } }) => properties.class),
    );
    expect(output("corners").shape).toEqual([features.length, 8]);
    const base64 = {
      ...image,
      shape: [2],
      data: [server.scene.toString("base64"), server.scene.toString("base64")],
    };
    const twice = (await infer({ inputs: [base64], parameters: { conf: 0.4 } })).json();
    expect(twice.outputs.at(-1)).toMatchObject({
      name: "image_index",
      shape: [2 * features.length],
    });
    expect(twice.outputs[2].data.slice(features.length)).toEqual(output("scores").data);
  });

  const png = {
    name: "image",
    shape: [1],
    datatype: "BYTES",
    data: [Buffer.from("no picture").toString("base64")],
  };
  test.each([
    ["JSON that is none", "{", 400, "ERR_REQUEST"],
    ["no inputs", { inputs: [] }, 400, "ERR_REQUEST"],
    [
      "an input of another name",
      { inputs: [{ ...input, name: "x", data: [1] }] },
      400,
      "ERR_REQUEST",
    ],
    ["an input without data", { inputs: [input] }, 400, "ERR_REQUEST"],
    [
      "another datatype",
      { inputs: [{ ...input, datatype: "INT64", data: [1] }] },
      400,
      "ERR_REQUEST",
    ],
    [
      "another shape",
      { inputs: [{ ...input, shape: [1, 3, 8, 8], data: [1] }] },
      400,
      "ERR_REQUEST",
    ],
    ["no rows", { inputs: [{ ...input, shape: [0, 3, PX, PX], data: [] }] }, 400, "ERR_REQUEST"],
    ["too few values", { inputs: [{ ...input, data: [1, 2] }] }, 400, "ERR_REQUEST"],
    [
      "values that are none",
      { inputs: [{ ...input, data: Array(3 * PX * PX).fill("1") }] },
      400,
      "ERR_REQUEST",
    ],
    [
      "bytes that do not come",
      { inputs: [{ ...input, parameters: { binary_data_size: 8 } }] },
      400,
      "ERR_REQUEST",
    ],
    ["an image that is none", { inputs: [png] }, 422, "ERR_SCENE"],
    [
      "a parameter that is none",
      { inputs: [png], parameters: { confidense: 1 } },
      400,
      "ERR_REQUEST",
    ],
    ["an output that is none", { inputs: [{ ...input, data: [...pixels] }], outputs: [{ name: "y" }] }, 400, "ERR_REQUEST"], // prettier-ignore
  ])("refuses %s", async (_, body, status, code) => {
    const response = await infer(body);
    expect(problemOf(response)).toEqual([status, code]);
    expect(response.json().error).toBe(response.json().detail);
  });

  test("refuses a header that lies about the length of the JSON, and compressed bodies", async () => {
    for (const length of ["-1", "99999999", "x", "1.5"]) {
      const headers = { "inference-header-content-length": length };
      const response = await server.app.inject({
        method: "POST",
        url: URL,
        payload: "{}",
        headers,
      });
      expect(problemOf(response)).toEqual([400, "ERR_REQUEST"]);
    }
    const headers = { "content-encoding": "gzip" };
    const response = await server.app.inject({ method: "POST", url: URL, payload: "{}", headers });
    expect(problemOf(response)).toEqual([415, "ERR_MEDIA_TYPE"]);
  });
});

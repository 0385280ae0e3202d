import { copyFileSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join, relative } from "node:path";
import { brotliCompressSync, brotliDecompressSync, gunzipSync, gzipSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import { buildMatchedFilter } from "../../../models/index.ts";
import { isLoopback, listen } from "../../../web/index.ts";
import { problemOf, sampleServer, sceneForm } from "./sample-server.ts";

/** A busy machine takes its time to load a model. */
const PATIENT = { timeout: 10_000 };

const TOKENS = ["correct-horse-battery", "another-token-0123456"] as const;

describe("models", () => {
  test("are listed with what they find, and one by one", async () => {
    await using server = await sampleServer();
    const { models } = (await server.app.inject("/v1/models")).json();
    expect(models).toHaveLength(1);
    const model = (await server.app.inject("/v1/models/spots")).json();
    expect(model).toEqual(models[0]);
    expect(model).toMatchObject({ id: "spots", state: "ready", oriented: true });
    expect(model.sha256).toMatch(new RegExp(`^${model.version}`));
    const missing = await server.app.inject("/v1/models/%2e%2e%2fdetector");
    expect(problemOf(missing)).toEqual([404, "ERR_NOT_FOUND"]);
  });

  test("come, change and go with the files of the folder", async () => {
    await using server = await sampleServer({ limits: { rescanMs: 30 } });
    const models = async () => (await server.app.inject("/v1/models")).json().models;
    const folder = join(server.path, "models");
    const [{ version }] = await models();
    copyFileSync(join(folder, "spots.onnx"), join(folder, "second.onnx"));
    writeFileSync(join(folder, "broken.onnx"), "no model");
    await expect.poll(async () => (await models()).length, PATIENT).toBe(3);
    const broken = (await models()).find(({ id }: { id: string }) => id === "broken");
    expect(broken.state).toBe("failed");
    expect(broken.reason).not.toContain(server.path);
    const post = (fields: Record<string, string>) =>
      server.app.inject({ method: "POST", url: "/v1/detect", ...sceneForm(server.scene, fields) });
    expect(problemOf(await post({}))).toEqual([422, "ERR_MODEL"]); // which of them?
    expect(problemOf(await post({ model: "broken" }))).toEqual([422, "ERR_MODEL"]);
    writeFileSync(join(folder, "spots.onnx"), buildMatchedFilter({ sizePx: 128 }));
    rmSync(join(folder, "second.onnx"));
    rmSync(join(folder, "broken.onnx"));
    await expect.poll(async () => (await models()).length, PATIENT).toBe(1);
    await expect.poll(async () => (await models())[0].version, PATIENT).not.toBe(version);
    expect((await post({})).statusCode).toBe(200);
  });
});

describe("health", () => {
  test("lives at once, is ready when a model is, and measures", async () => {
    await using server = await sampleServer();
    const get = (url: string) => server.app.inject(url);
    expect((await get("/healthz")).json()).toEqual({ status: "ok" });
    expect((await get("/readyz")).statusCode).toBe(200);
    const detect = { method: "POST", url: "/v1/detect", ...sceneForm(server.scene) } as const;
    await server.app.inject(detect);
    const metrics = async () => (await get("/metrics")).body;
    await expect // an answer is measured after it is out
      .poll(metrics)
      .toMatch(/nadir_http_request_seconds_count\{route="\/v1\/detect",.*status="200"\} 1/);
    expect(await metrics()).toMatch(/nadir_stage_seconds_count\{stage="infer"\} 1/);
    expect(await metrics()).toMatch(/process_resident_memory_bytes \d+/);
    rmSync(join(server.path, "models", "spots.onnx"));
    await expect.poll(async () => (await get("/readyz")).statusCode, { timeout: 5000 }).toBe(503);
  });
});

describe("tokens", () => {
  test("are asked for everywhere but at health and documentation, and jobs belong to theirs", async () => {
    await using server = await sampleServer({ tokens: TOKENS });
    const as = (token: string) => ({ authorization: `Bearer ${token}` });
    for (const url of ["/v1/models", "/v1/jobs", "/metrics", "/nothing"]) {
      const response = await server.app.inject(url);
      expect(problemOf(response)).toEqual([401, "ERR_TOKEN"]);
      expect(response.headers["www-authenticate"]).toBe("Bearer");
      for (const wrong of ["correct-horse-batterz", "", TOKENS[0].slice(0, -1), `${TOKENS[0]} x`]) {
        expect((await server.app.inject({ url, headers: as(wrong) })).statusCode).toBe(401);
      }
    }
    for (const url of ["/healthz", "/readyz", "/openapi.json"]) {
      expect((await server.app.inject(url)).statusCode).toBe(200);
    }
    const { payload, headers } = sceneForm(server.scene);
    const url = "/v1/jobs";
    const mine = { ...headers, ...as(TOKENS[0]) };
    const { links } = (
      await server.app.inject({ method: "POST", url, payload, headers: mine })
    ).json();
    const get = (token: string, path: string) =>
      server.app.inject({ url: path, headers: as(token) });
    expect((await get(TOKENS[0], links.self)).statusCode).toBe(200);
    expect((await get(TOKENS[1], links.self)).statusCode).toBe(404);
    expect((await get(TOKENS[1], url)).json().jobs).toEqual([]);
  });

  test("are needed to listen where others can reach", async () => {
    await using server = await sampleServer();
    for (const host of ["0.0.0.0", "::", "192.168.1.4", "example.org", "127.0.0.1.example.org"]) {
      expect(isLoopback(host)).toBe(false);
      await expect(listen(server.app, { host, port: 0, hasTokens: false })).rejects.toThrow(
        /needs --token-file/,
      );
    }
    for (const host of ["127.0.0.1", "127.8.8.8", "::1", "localhost"])
      expect(isLoopback(host)).toBe(true);
  });

  test("never reach the log", async () => {
    const lines: string[] = [];
    const log = { write: (line: string) => void lines.push(line) };
    await using server = await sampleServer({ tokens: TOKENS, log });
    const headers = { authorization: `Bearer ${TOKENS[0]}` };
    await server.app.inject({ url: "/v1/models", headers });
    await server.app.inject({
      url: "/v1/models",
      headers: { authorization: "Bearer guess-0123456789" },
    });
    expect(lines.length).toBeGreaterThan(3);
    expect(lines.join("")).not.toMatch(/correct-horse|guess-0123/);
  });
});

test("a token that asks too often is turned away with the time to wait", async () => {
  await using server = await sampleServer({ limits: { perMinute: 3 } });
  for (let i = 0; i < 3; i++) expect((await server.app.inject("/v1/models")).statusCode).toBe(200);
  const response = await server.app.inject("/v1/models");
  expect(problemOf(response)).toEqual([429, "ERR_RATE"]);
  expect(Number(response.headers["retry-after"])).toBeGreaterThan(0);
  expect((await server.app.inject("/healthz")).statusCode).toBe(200);
});

test("the page stands at /, with what it needs to compute in threads; without one there are links", async () => {
  await using bare = await sampleServer();
  expect((await bare.app.inject("/")).json()).toMatchObject({
    detect: "/v1/detect",
    documentation: "/docs",
  });
  const page = join(bare.path, "page");
  mkdirSync(page);
  writeFileSync(join(page, "index.html"), "<!doctype html><title>Nadir</title>");
  writeFileSync(join(page, "a.js"), "0;");
  writeFileSync(join(page, "a.js.gz"), gzipSync("0;"));
  writeFileSync(join(page, "a.js.br"), brotliCompressSync("0;"));
  await using server = await sampleServer({ page: relative(process.cwd(), page), tokens: TOKENS });
  const response = await server.app.inject("/");
  expect([response.statusCode, response.headers["content-type"]]).toEqual([
    200,
    "text/html; charset=utf-8",
  ]);
  expect(response.headers["content-security-policy"]).toContain("'wasm-unsafe-eval'");
  expect(response.headers["cross-origin-embedder-policy"]).toBe("credentialless");
  for (const [accepted, sent, read] of [
    ["gzip", "gzip", gunzipSync],
    ["gzip, deflate, br", "br", brotliDecompressSync],
  ] as const) {
    const asked = { url: "/a.js", headers: { "accept-encoding": accepted } };
    const { headers, rawPayload } = await server.app.inject(asked);
    expect(headers["content-encoding"]).toBe(sent);
    expect(headers["content-type"]).toContain("javascript");
    expect(read(rawPayload).toString()).toBe("0;");
  }
  expect((await server.app.inject("/a.js")).payload).toBe("0;");
  for (const path of ["/../detector.onnx", "/%2e%2e/detector.onnx", "/..%2fdetector.onnx"]) {
    expect((await server.app.inject(path)).statusCode).toBeGreaterThanOrEqual(400);
  }
  expect((await server.app.inject("/v1/models")).statusCode).toBe(401);
});

test("pages of other origins are answered only where they are allowed", async () => {
  await using server = await sampleServer({ corsOrigins: ["https://map.example.org"] });
  const ask = (origin: string) => server.app.inject({ url: "/v1/models", headers: { origin } });
  const allowed = (await ask("https://map.example.org")).headers;
  expect(allowed["access-control-allow-origin"]).toBe("https://map.example.org");
  expect(allowed["access-control-allow-credentials"]).toBeUndefined();
  expect(
    (await ask("https://evil.example.org")).headers["access-control-allow-origin"],
  ).toBeUndefined();
});

test("requests are turned away while the process holds more memory than it may", async () => {
  await using server = await sampleServer({ limits: { memoryBytes: 1e6 } });
  await expect
    .poll(async () => problemOf(await server.app.inject("/v1/models")), { timeout: 5000 })
    .toEqual([503, "ERR_BUSY"]);
});

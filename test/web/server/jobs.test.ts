import { mkdtempSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { buildServer } from "../../../web/index.ts";
import { run } from "../../cli/surroundings.ts";
import {
  finished,
  form,
  type JobView,
  problemOf,
  sampleServer,
  sceneForm,
} from "./sample-server.ts";

let server: Awaited<ReturnType<typeof sampleServer>>;
beforeAll(async () => {
  server = await sampleServer({ limits: { perMinute: 0 } });
});
afterAll(() => server[Symbol.asyncDispose]());

const submit = (fields: Record<string, string> = {}, headers: Record<string, string> = {}) => {
  const { payload, headers: own } = sceneForm(server.scene, fields);
  return server.app.inject({ method: "POST", url: "/v1/jobs", payload, headers: { ...own, ...headers } }); // prettier-ignore
};
const get = (url: string, headers: Record<string, string> = {}) =>
  server.app.inject({ url, headers });

/** The events of a stream. */
const parse = (body: string) =>
  [...body.matchAll(/id: (\d+)\nevent: (\w+)\ndata: (.*)\n/g)].map(([, id, event, data]) => ({
    id: Number(id),
    event,
    data: JSON.parse(data ?? ""),
  }));

describe("jobs", () => {
  test("a job is accepted, runs, and its result is the command line's, byte for byte", async () => {
    const response = await submit({ formats: "geojson,csv" });
    expect(response.statusCode).toBe(202);
    const { id, state, links } = response.json();
    expect(response.headers["location"]).toBe(links.self);
    expect(["queued", "running"]).toContain(state);
    const job = await finished(server.app, id);
    expect([job.state, job.failure]).toEqual(["done", undefined]);
    expect(job.outputs).toEqual(["scene.geojson", "scene.csv", "scene.run.json"]);

    const out = mkdtempSync(join(tmpdir(), "nadir-test-"));
    const argv = [
      "detect",
      "scene.tif",
      "-m",
      "detector.onnx",
      "-o",
      out,
      "--format",
      "geojson,csv",
    ];
    expect((await run(argv, { cwd: server.path })).status).toBe(0);
    for (const format of ["geojson", "csv"]) {
      const result = await get(`${links.result}?format=${format}`);
      expect(result.rawPayload).toEqual(readFileSync(join(out, `scene.${format}`)));
    }
    expect(job.counts?.objects).toBe((await get(links.result)).json().features.length);
  });

  test("a result can be had in a format that was not asked for before", async () => {
    const { id } = (await submit()).json();
    await finished(server.app, id);
    const picture = await get(`/v1/jobs/${id}/result?format=png`);
    expect([picture.statusCode, picture.headers["content-type"]]).toEqual([200, "image/png"]);
    const coco = await get(`/v1/jobs/${id}/result?format=coco`);
    const geojson = await get(`/v1/jobs/${id}/result`);
    expect(coco.json().annotations).toHaveLength(geojson.json().features.length);
    expect(problemOf(await get(`/v1/jobs/${id}/result?format=bmp`))).toEqual([400, "ERR_REQUEST"]);
  });

  test("events tell the run from its beginning to its end, and go on after the last one that was had", async () => {
    const { id } = (await submit()).json();
    const stream = await get(`/v1/jobs/${id}/events`); // ends with the job
    expect(stream.headers["content-type"]).toBe("text/event-stream");
    const events = parse(stream.body);
    expect(events.map(({ id: number }) => number)).toEqual(events.map((_, i) => i + 1));
    const kinds = new Set(events.map(({ event }) => event));
    expect([...kinds].slice(0, 4)).toEqual(["state", "scene", "plan", "tiles"]);
    expect(events.at(-1)?.data.state).toBe("done");
    const again = await get(`/v1/jobs/${id}/events`, { "last-event-id": "3" });
    expect(parse(again.body)).toEqual(events.slice(3));
    expect(stream.body).not.toContain(server.path);
  });

  test("a repeated request with the same key is the same job, with other content it is refused", async () => {
    const key = { "idempotency-key": "first" };
    const [one, two] = [await submit({}, key), await submit({}, key)];
    expect([two.statusCode, two.json().id]).toEqual([202, one.json().id]);
    expect(problemOf(await submit({ conf: "0.9" }, key))).toEqual([422, "ERR_IDEMPOTENCY"]);
    expect((await submit({}, { "idempotency-key": "second" })).json().id).not.toBe(one.json().id);
  });

  test("a job that waits or runs is cancelled, a finished one is removed", async () => {
    const [first, second] = [(await submit()).json(), (await submit()).json()];
    const cancelled = await server.app.inject({ method: "DELETE", url: second.links.self });
    expect([cancelled.statusCode, cancelled.json().state]).toEqual([200, "cancelled"]);
    expect(problemOf(await get(second.links.result))).toEqual([409, "ERR_CONFLICT"]);
    expect(parse((await get(second.links.events)).body).at(-1)?.data.state).toBe("cancelled");
    await finished(server.app, first.id);
    const removed = await server.app.inject({ method: "DELETE", url: first.links.self });
    expect(removed.statusCode).toBe(204);
    expect(problemOf(await get(first.links.self))).toEqual([404, "ERR_NOT_FOUND"]);
    expect(readdirSync(join(server.path, "data", "jobs"))).not.toContain(first.id);
  });

  test("jobs are listed, the newest first, by state and in pages", async () => {
    const { id } = (await submit()).json();
    await finished(server.app, id);
    const { jobs } = (await get("/v1/jobs?state=done&limit=2")).json();
    expect(jobs).toHaveLength(2);
    expect(jobs[0].id).toBe(id);
    const { jobs: older } = (await get(`/v1/jobs?before=${id}`)).json();
    expect(older.every((job: { id: string }) => job.id < id)).toBe(true);
    expect(problemOf(await get("/v1/jobs?limit=0"))).toEqual([400, "ERR_REQUEST"]);
  });

  test("a scene that cannot be read fails the job with the sentence of the command line", async () => {
    const bad = sceneForm(Buffer.from("no scene at all, no scene at all"));
    const { id } = (await server.app.inject({ method: "POST", url: "/v1/jobs", ...bad })).json();
    const job = await finished(server.app, id);
    expect(job.state).toBe("failed");
    expect(job.failure?.code).toBe("ERR_SCENE");
    expect(job.failure?.detail).toMatch(/^scene.tif: a scene must be a TIFF, PNG, JPEG or WebP/);
  });

  test("what could only fail later is refused at once", async () => {
    const post = (body: ReturnType<typeof form>) =>
      server.app.inject({ method: "POST", url: "/v1/jobs", ...body });
    expect(problemOf(await post(form({ name: "conf", value: "0.5" })))).toEqual([
      400,
      "ERR_REQUEST",
    ]);
    expect(problemOf(await submit({ model: "other" }))).toEqual([422, "ERR_MODEL"]);
    expect(problemOf(await submit({ tile: "64", overlap: "64" }))).toEqual([400, "ERR_SETTINGS"]);
    expect(problemOf(await get("/v1/jobs/nothing"))).toEqual([400, "ERR_REQUEST"]);
    expect(problemOf(await get("/v1/jobs/abc-0123"))).toEqual([404, "ERR_NOT_FOUND"]);
    const json = { "content-type": "application/json" };
    const url = JSON.stringify({ url: "http://example.org/a.tif" });
    expect(problemOf(await post({ payload: Buffer.from(url), headers: json }))).toEqual([
      403,
      "ERR_ADDRESS",
    ]);
  });
});

test("jobs under way when the server is stopped are finished by the next one", async () => {
  await using one = await sampleServer();
  const ids: string[] = [];
  for (let i = 0; i < 3; i++) {
    const { payload, headers } = sceneForm(one.scene);
    ids.push(
      (await one.app.inject({ method: "POST", url: "/v1/jobs", payload, headers })).json().id,
    );
  }
  await one.app.close();
  const next = buildServer(one.options);
  await next.ready();
  for (const id of ids) expect((await finished(next, id)).state).toBe("done");
  await next.close();
});

test("finished jobs go after their time, and uploads beyond the disk space are refused", async () => {
  await using one = await sampleServer({ limits: { keepMs: 100, diskBytes: 1_500_000 } });
  const post = () => one.app.inject({ method: "POST", url: "/v1/jobs", ...sceneForm(one.scene) });
  const { id } = (await post()).json();
  await finished(one.app, id);
  await expect.poll(() => readdirSync(join(one.path, "data", "jobs"))).toEqual([]);
  writeFileSync(join(one.path, "data", "ballast"), Buffer.alloc(1_400_000));
  await expect.poll(async () => problemOf(await post())).toEqual([507, "ERR_QUOTA"]);
});

test("a job over which the server ended three times without getting further is given up", async () => {
  await using one = await sampleServer();
  const { id } = (
    await one.app.inject({ method: "POST", url: "/v1/jobs", ...sceneForm(one.scene) })
  ).json();
  await finished(one.app, id);
  await one.app.close();
  const path = join(one.path, "data", "jobs", id, "job.json");
  const record = JSON.parse(readFileSync(path, "utf8"));
  writeFileSync(path, JSON.stringify({ ...record, state: "running", crashes: 2 }));
  const next = buildServer(one.options);
  await next.ready();
  const job: JobView = (await next.inject(`/v1/jobs/${id}`)).json();
  expect([job.state, job.failure?.detail]).toEqual(["failed", "the server ended 3 times over it"]);
  await next.close();
});

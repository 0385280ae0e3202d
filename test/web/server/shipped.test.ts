import { mkdirSync, writeFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  buildMatchedFilter,
  detector,
  inferenceGraph,
  initialWeights,
} from "../../../models/index.ts";
import { writeShipped } from "../../../pipeline/node.ts";
import { buildServer } from "../../../web/index.ts";
import { findSources } from "../../../web/server/models/sources.ts";
import { problemOf, sampleServer, sceneForm } from "./sample-server.ts";

const SIDE = 64;
let folder = "";
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "nadir-served-"));
  for (const [name, isDefault] of [["coast"], ["harbour", true], ["plain"]] as const) {
    const network = detector({ family: "yolo-caa", size: "pico", classes: 2 });
    const graph = inferenceGraph(network, { batch: 1, widthPx: SIDE, heightPx: SIDE });
    await writeShipped(join(folder, "shipped"), network, initialWeights(graph, { seed: 4 }), {
      ...{ name, summary: "for tests", classes: ["plane", "ship"], isDefault },
      ...{ tilePx: 60, overlapPx: 8, scoreAtLeast: 0.001, gsdM: { from: 0.3, to: 10 } },
      ...{ licence: "Apache-2.0", data: [], recipe: {}, metrics: {} },
    });
  }
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const shipped = () => join(folder, "shipped");

describe("a server without a folder of models", () => {
  test("serves those that are shipped and the matched filter: the default at once, the others when asked", async () => {
    await using server = await sampleServer({ models: undefined, shipped: shipped() });
    const list = async () => (await server.app.inject("/v1/models")).json().models;
    const brief = async () =>
      (await list()).map(({ id, state, isDefault }: Record<string, unknown>) => [
        ...[id, state, isDefault],
      ]);
    expect(await brief()).toEqual([
      ["coast", "idle", false],
      ["harbour", "ready", true],
      ["matched-filter", "idle", false],
      ["plain", "idle", false],
    ]);
    const [coast, harbour] = await list();
    expect(coast).toMatchObject({ classes: ["plane", "ship"], gsdM: { from: 0.3, to: 10 } });
    expect(harbour).toMatchObject({
      head: "nadir",
      input: { width: SIDE, height: SIDE, batch: 1 },
    });

    const ask = (fields: Record<string, string>) =>
      server.app.inject({
        method: "POST",
        url: "/v1/detect",
        ...sceneForm(server.scene, { ...fields, overlap: "8" }),
      });
    const [unnamed, named] = [await ask({}), await ask({ model: "harbour" })];
    expect(unnamed.statusCode).toBe(200);
    expect(unnamed.json().features.length).toBeGreaterThan(0);
    expect(unnamed.json().features).toEqual(named.json().features);
    expect((await ask({ model: "matched-filter" })).statusCode).toBe(200);
    expect((await brief())[2]).toEqual(["matched-filter", "ready", false]);
    const wrong = await ask({ model: "harbuor" });
    expect(problemOf(wrong)).toEqual([422, "ERR_MODEL"]);
    expect(wrong.json().detail).toBe("model: there is no harbuor; did you mean harbour?");
  });

  test("loads an idle model for the inference protocol, once for all who ask at the same time", async () => {
    await using server = await sampleServer({ models: undefined, shipped: shipped() });
    const get = (path: string) => server.app.inject(`/v2/models/${path}`);
    const answers = await Promise.all(["plain", "plain", "plain/ready"].map(get));
    expect(answers.map(({ statusCode }) => statusCode)).toEqual([200, 200, 200]);
    const { versions } = answers[0]!.json();
    expect((await get(`plain/versions/${versions[0]}`)).statusCode).toBe(200);
    expect((await get("plain/versions/7")).statusCode).toBe(404);
  });

  test("runs jobs with a shipped model", async () => {
    await using server = await sampleServer({ models: undefined, shipped: shipped() });
    const request = sceneForm(server.scene, { model: "coast", overlap: "8" });
    const { links } = (
      await server.app.inject({ method: "POST", url: "/v1/jobs", ...request })
    ).json();
    const state = async () => (await server.app.inject(links.self)).json();
    await expect.poll(async () => (await state()).state, { timeout: 20_000 }).toBe("done");
    const once = await server.app.inject({ method: "POST", url: "/v1/detect", ...request });
    expect((await server.app.inject(links.result)).json().features).toEqual(once.json().features);
  });
});

describe("the default of a server", () => {
  const chosen = async (files: readonly string[] | undefined, from: string) => {
    const models = files && join(folder, files.join("+") || "empty");
    if (models !== undefined) mkdirSync(models, { recursive: true });
    for (const name of files ?? []) writeFileSync(join(models ?? "", `${name}.onnx`), "");
    const found = await findSources({ folder: models, shipped: from, batch: 1 });
    return [
      found.defaultId,
      found.sources
        .map(({ id }) => id)
        .toSorted()
        .join(" "),
    ] as const;
  };

  test.each([
    [undefined, "coast harbour matched-filter plain", "harbour"],
    [[], "coast harbour plain", "harbour"],
    [["own"], "coast harbour own plain", "own"],
    [["coast"], "coast harbour plain", "coast"],
    [["one", "two"], "coast harbour one plain two", undefined],
  ])("with files %j, %s are served, by default %s", async (files, ids, id) => {
    expect(await chosen(files, shipped())).toEqual([id, ids]);
  });

  test("is the matched filter where nothing is shipped and no folder given, nothing where it is empty", async () => {
    const nowhere = join(folder, "nowhere");
    expect(await chosen(undefined, nowhere)).toEqual(["matched-filter", "matched-filter"]);
    expect(await chosen([], nowhere)).toEqual([undefined, ""]);
  });
});

test("a file takes the place of the shipped model of its name, and gives it back", async () => {
  const models = join(folder, "exchanged");
  mkdirSync(models, { recursive: true });
  const file = join(models, "coast.onnx");
  writeFileSync(file, buildMatchedFilter({ sizePx: 128 }));
  const app = buildServer({
    ...{ models, shipped: shipped(), data: join(folder, "data") },
    limits: { rescanMs: 30 },
  });
  await app.ready();
  const coast = async () => (await app.inject("/v1/models/coast")).json();
  expect(await coast()).toMatchObject({ state: "ready", isDefault: true, name: "matched filters" });
  await rm(file);
  await expect
    .poll(coast, { timeout: 10_000 })
    .toMatchObject({ state: "idle", isDefault: false, name: "coast" });
  await app.close();
});

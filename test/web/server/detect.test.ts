import { mkdirSync, readdirSync } from "node:fs";
import { join } from "node:path";
import sharp from "sharp";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { writeScene } from "../../cli/scenes.ts";
import { form, problemOf, sampleServer, sceneForm } from "./sample-server.ts";
import { readFile } from "node:fs/promises";

let server: Awaited<ReturnType<typeof sampleServer>>;

const post = (request: ReturnType<typeof form>) =>
  server.app.inject({ method: "POST", url: "/v1/detect", ...request });
const detect = (fields: Record<string, string> = {}) => post(sceneForm(server.scene, fields));

describe.each([
  ["in memory", {}],
  ["on disk", { heldFileBytes: 100 }],
])("POST /v1/detect, uploads %s", (_, more) => {
  beforeAll(async () => {
    const limits = { syncBytes: 2_000_000, syncPixels: 1e6, photoPixels: 500_000, perMinute: 0 };
    server = await sampleServer({ limits: { ...limits, ...more } });
  });
  afterAll(() => server[Symbol.asyncDispose]());

  test("answers a scene with its objects as GeoJSON", async () => {
    const response = await detect();
    expect([response.statusCode, response.headers["content-type"]]).toEqual([
      200,
      "application/geo+json",
    ]);
    const { type, features, nadir } = response.json();
    expect(type).toBe("FeatureCollection");
    expect(features.length).toBeGreaterThan(5);
    expect(Number(response.headers["nadir-objects"])).toBe(features.length);
    expect(nadir.source).toBe("scene.tif");
    expect(nadir.timings_ms.total).toBeGreaterThan(0);
  });

  test("answers the same objects as CSV, COCO and a picture", async () => {
    const found = (await detect()).json().features.length;
    const csv = await detect({ format: "csv" });
    expect(csv.headers["content-type"]).toBe("text/csv");
    expect(csv.body.trim().split("\n")).toHaveLength(found + 1);
    expect((await detect({ format: "coco" })).json().annotations).toHaveLength(found);
    const picture = await detect({ format: "png" });
    expect(await sharp(picture.rawPayload).metadata()).toMatchObject({ width: 256, format: "png" });
  });

  test("answers 200 with an empty collection and a diagnosis where nothing is found", async () => {
    const response = await detect({ conf: "0.999999" });
    expect(response.statusCode).toBe(200);
    const { features, nadir } = response.json();
    expect(features).toEqual([]);
    expect(nadir.diagnosis[0]).toMatch(/nothing was found: the highest score anywhere is/);
  });

  test("takes fields in the spellings of the flags and of tile servers, lists and areas as JSON", async () => {
    const aoi = JSON.stringify({
      type: "Polygon",
      coordinates: [[[14.9, 45.1], [15.1, 45.1], [15.1, 45.2], [14.9, 45.2], [14.9, 45.1]]], // prettier-ignore
    });
    const fields = {
      tile: "192",
      "overlap-px": "40",
      bidx: "[1,2,3]",
      rescale: "0,255",
      iou: "0.4",
      aoi,
    };
    const response = await detect(fields);
    expect([response.statusCode, response.json().detail]).toEqual([200, undefined]);
  });

  test("reads photos, whatever they are called", async () => {
    const photo = await sharp({
      create: { width: 300, height: 200, channels: 3, background: "#456" },
    })
      .jpeg()
      .toBuffer();
    const response = await post(sceneForm(photo, {}, "photo.txt"));
    expect(response.statusCode).toBe(200);
    expect(response.json().nadir.coordinates).toBe("pixel");
  });

  test.each([
    ["a field that is none", { confidense: "1" }, [400, "ERR_REQUEST"]],
    ["a value out of range", { conf: "7" }, [400, "ERR_REQUEST"]],
    ["settings that do not fit each other", { tile: "64", overlap: "64" }, [400, "ERR_SETTINGS"]],
    ["JSON that is cut off", { bands: "[1,2" }, [400, "ERR_REQUEST"]],
    ["two formats", { formats: "csv,coco" }, [400, "ERR_REQUEST"]],
    ["a resolution that the model cannot see", { "scene-gsd": "60" }, [422, "ERR_RESOLUTION"]],
    ["a model that is not there", { model: "spot" }, [422, "ERR_MODEL"]],
    ["a band that is not there", { bands: "9,9,9" }, [400, "ERR_SETTINGS"]],
    ["an address, as these are off", { url: "http://example.org/a.tif" }, undefined],
  ])("refuses %s", async (_, fields, expected) => {
    const response = expected
      ? await detect(fields)
      : await post(form({ name: "url", value: fields.url ?? "" }));
    expect(problemOf(response)).toEqual(expected ?? [403, "ERR_ADDRESS"]);
    expect(response.headers["content-type"]).toBe("application/problem+json");
    expect(response.body).not.toContain(server.path);
    expect(response.json().detail).toMatch(/\S/);
  });

  test("refuses what is no scene, by its content", async () => {
    const response = await post(sceneForm(Buffer.from("%PDF-1.7 no picture"), {}, "scene.tif"));
    expect(problemOf(response)).toEqual([422, "ERR_SCENE"]);
    expect(response.json().detail).toMatch(/^scene.tif: a scene must be a TIFF, PNG, JPEG or WebP/);
  });

  test("refuses a file that is cut off in the middle", async () => {
    const response = await post(sceneForm(server.scene.subarray(0, server.scene.length >> 1)));
    expect(problemOf(response)).toEqual([422, "ERR_SCENE"]);
  });

  test("refuses a form that is cut off", async () => {
    const { payload, headers } = sceneForm(server.scene);
    const response = await post({ payload: payload.subarray(0, 5000), headers });
    expect(problemOf(response)).toEqual([400, "ERR_REQUEST"]);
  });

  test("refuses a file, a photo and a scene that are too large for an answer at once", async () => {
    const file = await post(sceneForm(Buffer.alloc(2_000_001)));
    expect(problemOf(file)).toEqual([413, "ERR_TOO_LARGE"]);
    expect(file.json().detail).toContain("POST /v1/jobs takes larger ones");
    // 36 megapixels in some kilobytes: decoded it would be a hundred megabytes.
    const bomb = await sharp({
      create: { width: 6000, height: 6000, channels: 3, background: "#000" },
    })
      .png()
      .toBuffer();
    expect(bomb.length).toBeLessThan(200_000);
    expect(problemOf(await post(sceneForm(bomb, {}, "b.png")))).toEqual([413, "ERR_TOO_LARGE"]);
    const path = join(server.path, "large.tif");
    await writeScene(path, { width: 1100, height: 1000, value: () => 7 });
    const scene = await post(sceneForm(await readFile(path)));
    expect(problemOf(scene)).toEqual([413, "ERR_TOO_LARGE"]);
  });

  test("refuses other bodies than forms and JSON", async () => {
    const headers = { "content-type": "image/tiff" };
    expect(problemOf(await post({ payload: server.scene, headers }))).toEqual([
      415,
      "ERR_MEDIA_TYPE",
    ]);
    const json = { "content-type": "application/json" };
    expect(problemOf(await post({ payload: Buffer.from("{"), headers: json }))).toEqual([
      400,
      "ERR_REQUEST",
    ]);
    expect(problemOf(await post({ payload: Buffer.from("{}"), headers: json }))).toEqual([
      400,
      "ERR_REQUEST",
    ]);
  });

  test.each([
    "../../evil.tif",
    "..\\..\\evil.tif",
    "/etc/passwd",
    "nul.tif",
    "a\u0000b.tif",
    ".",
    "",
  ])("keeps an upload called %j inside its folder", async (name) => {
    mkdirSync(join(server.path, "data"), { recursive: true });
    const response = await post(sceneForm(server.scene, {}, name));
    // A part without a file name is text to the form.
    expect([200, 400]).toContain(response.statusCode);
    expect(readdirSync(server.path).toSorted()).not.toContain("evil.tif");
  });

  test("leaves nothing behind", async () => {
    await detect();
    await detect({ conf: "7" });
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(readdirSync(join(server.path, "data", "incoming"))).toEqual([]);
  });
});

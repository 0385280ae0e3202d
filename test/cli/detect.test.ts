import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import type { FeatureCollection } from "geojson";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { main } from "../../cli/main.ts";
import { EXIT, type RunEvent } from "../../pipeline/index.ts";
import { type Sample, sampleFolder } from "./sample.ts";
import { run, testIo, type TestIo } from "./surroundings.ts";

let sample: Sample;
let cwd: string;
beforeAll(async () => {
  sample = await sampleFolder();
  cwd = sample.path;
});
afterAll(() => sample[Symbol.dispose]());
beforeEach(() => {
  const keep = ["scene.tif", "detector.onnx"];
  for (const name of readdirSync(cwd)) {
    if (!keep.includes(name)) rmSync(join(cwd, name), { recursive: true });
  }
});

const detect = (...more: string[]) =>
  run(["detect", "scene.tif", "-m", "detector.onnx", ...more], { cwd });
const json = <T>(path: string): T => JSON.parse(readFileSync(join(cwd, path), "utf8")) as T;
const added = (): string[] =>
  readdirSync(cwd)
    .filter((name) => !["scene.tif", "detector.onnx"].includes(name))
    .sort();

describe("nadir detect", () => {
  test("writes features and manifest beside the scene, and nothing to standard output", async () => {
    const { status, out, err } = await detect();
    expect({ status, out }).toEqual({ status: EXIT.done, out: "" });
    expect(added()).toEqual(["scene.geojson", "scene.run.json"]);
    const { features } = json<FeatureCollection>("scene.geojson");
    expect(features.length).toBeGreaterThan(0.9 * sample.truth.objects.length);
    expect(err).toMatch(/^model +detector\.onnx sha256 .* · nadir \(3 classes\)/);
    expect(err).toMatch(/^tiles +\d+ +192 px +overlap \d+ +batch 1$/m);
    expect(err).toMatch(new RegExp(`^done .*: ${features.length} objects`, "m"));
  });

  test("the manifest says who decided what: flag over environment over file over model", async () => {
    writeFileSync(join(cwd, "nadir.yaml"), "overlapPx: 20\nmerge: nmm\nmodel: detector.onnx\n");
    const argv = ["detect", "scene.tif", "-c", "nadir.yaml", "--overlap", "40"];
    const env = { NADIR_MERGE: "wbf", NADIR_OVERLAP_PX: "30" };
    expect((await run(argv, { cwd, env })).status).toBe(EXIT.done);
    expect(json<{ settings: unknown }>("scene.run.json").settings).toMatchObject({
      overlapPx: { value: 40, from: "flag" },
      merge: { value: "wbf", from: "environment" },
      tilePx: { value: 192, from: "model" },
      metric: { value: "ios", from: "default" },
    });
  });

  test("--json prints one summary object, alone", async () => {
    const { status, out } = await detect("--json", "--format", "csv,geojson");
    expect(status).toBe(EXIT.done);
    const summary = JSON.parse(out) as { objects: number; scenes: { outputs: string[] }[] };
    expect(summary).toMatchObject({
      completed: 1,
      failed: 0,
      skipped: 0,
      cancelled: false,
      failures: [],
    });
    for (const path of summary.scenes[0]?.outputs ?? []) expect(existsSync(path)).toBe(true);
    expect(summary.scenes[0]?.outputs).toHaveLength(3);
  });

  test("-o - is the GeoJSON and nothing else, and leaves no file", async () => {
    const { status, out } = await detect("-o", "-");
    expect(status).toBe(EXIT.done);
    expect((JSON.parse(out) as FeatureCollection).type).toBe("FeatureCollection");
    expect(added()).toEqual([]);
  });

  test("-o names a file, whose ending is a format", async () => {
    expect((await detect("-o", "deep/ships.csv")).status).toBe(EXIT.done);
    expect(readdirSync(join(cwd, "deep")).sort()).toEqual(["ships.csv", "ships.run.json"]);
  });

  test("-o names a folder; patterns and folders name scenes", async () => {
    mkdirSync(join(cwd, "a/b"), { recursive: true });
    copyFileSync(join(cwd, "scene.tif"), join(cwd, "a/b/two.tif"));
    const argv = [
      "detect",
      "a/**/*.tif",
      ".",
      "-m",
      "detector.onnx",
      "-o",
      "out",
      "--workers",
      "2",
    ];
    const { status, err } = await run(argv, { cwd });
    expect(status).toBe(EXIT.done);
    expect(readdirSync(join(cwd, "out")).sort()).toEqual([
      "scene.geojson",
      "scene.run.json",
      "two.geojson",
      "two.run.json",
    ]);
    expect(err).toMatch(/^completed 2 · failed 0 · skipped 0 · \d+ objects · /m);
  });

  test("--progress json: every line of standard error is an event", async () => {
    const { err } = await detect("--progress", "json");
    const events = err
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line) as RunEvent);
    const types = events.map(({ type }) => type);
    expect(types.filter((type) => type === "scene" || type === "plan")).toEqual(["scene", "plan"]);
    expect(types.at(-1)).toBe("done");
  });

  test.each([
    ["skip", EXIT.done, /^skipped +.*is there already$/m],
    ["error", EXIT.someFailed, /^failed +.*overwrite/m],
    ["replace", EXIT.done, /^done/m],
  ])("--overwrite %s", async (how, status, says) => {
    await detect();
    const again = await detect("--overwrite", how);
    expect(again.status).toBe(status);
    expect(again.err).toMatch(says);
  });

  test.each([
    [["--tilepx", "512"], /unknown option '--tilepx' \(Did you mean --tile-px\?\)/],
    [
      ["--tile-px", "many"],
      /tilePx must be a whole number from 32 to 16384, received "many" \(flag\)/,
    ],
    [["--overlap", "192"], /overlapPx must be less than tilePx/],
    [["--format", "shp"], /formats must be a list of geojson/],
    [["--progress", "loud"], /--progress must be one of auto, bar/],
    [["--bands", "9"], /bands?/],
    [["-o", "-", "--json"], /must not share standard output/],
    [["-o", "-", "--format", "geojson,csv"], /must have one format/],
    [["--config", "none.yaml"], /none\.yaml must be readable/],
    [["--engine", "abacus"], /engine|createEngine/],
  ])("%j is an error of usage in one sentence", async (more, sentence) => {
    const { status, out, err } = await detect(...more);
    expect({ status, out }).toEqual({ status: EXIT.usage, out: "" });
    expect(err).toMatch(sentence);
    expect(added()).toEqual([]);
  });

  test("without a model the shipped one looks, and is named", async () => {
    const { status, err } = await run(["detect", "scene.tif", "-o", "shipped/"], { cwd });
    expect(status).toBe(EXIT.done);
    expect(err).toMatch(/^model +yolo-caa-nano sha256 [0-9a-f]{8}/m);
  });

  test("the environment may name the model", async () => {
    const env = { NADIR_MODEL: "detector.onnx", NADIR_PROGRESS: "none" };
    const { status, err } = await run(["detect", "scene.tif"], { cwd, env });
    expect(status).toBe(EXIT.done);
    expect(err.split("\n").filter((line) => line.startsWith("done"))).toEqual([]);
  });

  test("an area of interest leaves the rest of the scene out", async () => {
    const all = await detect("-o", "-");
    const [west, east] = [15, 15.0013]; // half of the scene: 200 m at 45° N are 0.00254°
    const half = await detect("-o", "-", "--aoi", `${west},45,${east},46`);
    const count = (text: string): number => (JSON.parse(text) as FeatureCollection).features.length;
    expect(count(half.out)).toBeGreaterThan(0);
    expect(count(half.out)).toBeLessThan(count(all.out));
  });
});

describe("Ctrl-C", () => {
  /** Runs with a hand on Ctrl-C that presses when a tile is done, `times` times. */
  async function pressed(times: number): Promise<{ status: number; io: TestIo }> {
    const plain = testIo({ cwd });
    let left = times;
    const write = (chunk: string | Uint8Array): void => {
      plain.stderr.write(chunk);
      const isTile = /"type":"tiles".*"done":[1-9]/.test(String(chunk));
      for (; isTile && left > 0; left--) plain.interrupt();
    };
    const io: TestIo = { ...plain, stderr: { ...plain.stderr, write } };
    const argv = ["detect", "scene.tif", "-m", "detector.onnx", "--progress", "json"];
    return { status: await main(argv, io), io };
  }

  test("the first saves what is done, and the next run ends as if there had been none", async () => {
    await detect();
    const whole = readFileSync(join(cwd, "scene.geojson"));
    for (const name of added()) rmSync(join(cwd, name));

    const { status, io } = await pressed(1);
    expect(status).toBe(EXIT.cancelled);
    expect(io.exits).toEqual([]);
    expect(io.err()).toContain("press Ctrl-C again");
    expect(added().filter((name) => !name.startsWith("."))).toEqual([]);

    const { status: again, err } = await detect();
    expect(again).toBe(EXIT.done);
    expect(err).toMatch(/^tiles .*done before/m);
    expect(readFileSync(join(cwd, "scene.geojson")).equals(whole)).toBe(true);
    expect(added()).toEqual(["scene.geojson", "scene.run.json"]);
  });

  test("the second stops at once", async () => {
    const { io } = await pressed(2);
    expect(io.exits).toEqual([EXIT.cancelled]);
  });
});

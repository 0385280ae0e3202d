import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { FeatureCollection } from "geojson";
import sharp from "sharp";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { EXIT } from "../../pipeline/index.ts";
import { type Sample, sampleFolder } from "./sample.ts";
import { run } from "./surroundings.ts";

let sample: Sample;
let cwd: string;
const nadir = (...argv: string[]) => run(argv, { cwd });
beforeAll(async () => {
  sample = await sampleFolder();
  cwd = sample.path;
  await nadir("detect", "scene.tif", "-m", "detector.onnx", "-o", "result.geojson");
});
afterAll(() => sample[Symbol.dispose]());

const features = (path: string): number =>
  (JSON.parse(readFileSync(join(cwd, path), "utf8")) as FeatureCollection).features.length;

describe("nadir plan", () => {
  test("counts tiles and estimates time and memory, and writes nothing", async () => {
    const { status, out } = await nadir("plan", "scene.tif", "-m", "detector.onnx");
    expect(status).toBe(EXIT.done);
    expect(out).toMatch(/tiles +16 tiles/);
    expect(out).toMatch(/size +192×192 px, overlap \d+, batch 1/);
    expect(out).toMatch(/time +about .* a tile/);
    expect(out).toMatch(/memory +about \d+ [MG]B/);
    expect(existsSync(join(cwd, "scene.run.json"))).toBe(false);
  });

  test("--json says the same, and its tiles are those that detect plans", async () => {
    const { out } = await nadir("plan", "scene.tif", "-m", "detector.onnx", "--json");
    const { tiles, batch } = JSON.parse(out) as { tiles: number; batch: number };
    const run = await nadir("detect", "scene.tif", "-m", "detector.onnx", "-o", "-");
    expect(run.err).toMatch(new RegExp(`^tiles +${tiles} .*batch ${batch}$`, "m"));
  });

  test("bad scenes get a sentence, the others a plan", async () => {
    const { status, out, err } = await nadir("plan", "no.tif", "scene.tif", "-m", "detector.onnx");
    expect(status).toBe(EXIT.someFailed);
    expect(err).toMatch(/^nadir: .*no\.tif: there is no such file$/m);
    expect(out).toContain("scene.tif");
  });
});

describe("nadir render", () => {
  test("draws a result into its scene", async () => {
    const argv = ["render", "scene.tif", "result.geojson", "-o", "out.png", "--max-side-px", "200"];
    const { status, out, err } = await nadir(...argv);
    expect({ status, out }).toEqual({ status: EXIT.done, out: "" });
    expect(err).toBe(`wrote      out.png with ${features("result.geojson")} objects\n`);
    const drawn = await sharp(join(cwd, "out.png")).metadata();
    expect(drawn).toMatchObject({ format: "png", width: 200, height: 200 });
  });

  test("a picture with objects is not the picture without", async () => {
    writeFileSync(join(cwd, "none.geojson"), '{"type":"FeatureCollection","features":[]}');
    for (const name of ["none", "result"]) {
      await nadir("render", "scene.tif", `${name}.geojson`, "-o", `${name}.png`);
    }
    const pixels = (name: string) =>
      sharp(join(cwd, `${name}.png`))
        .raw()
        .toBuffer();
    const [bare, drawn] = await Promise.all([pixels("none"), pixels("result")]);
    const changed = bare.filter((value, i) => value !== drawn[i]).length;
    expect(changed).toBeGreaterThan(1000);
  });

  test.each([
    [["scene.tif", "result.geojson", "-o", "out.gif"], EXIT.usage, /must end with \.png or \.jpg/],
    [["scene.tif", "result.geojson"], EXIT.usage, /required option '-o, --out <file>'/],
    [
      ["scene.tif", "result.geojson", "-o", "o.png", "--max-side-px", "0"],
      EXIT.usage,
      /whole number/,
    ],
    [["none.tif", "result.geojson", "-o", "o.png"], EXIT.nothingReadable, /no such file/],
    [["scene.tif", "scene.tif", "-o", "o.png"], EXIT.nothingReadable, /scene\.tif/],
  ])("%j", async (argv, status, says) => {
    const ended = await nadir("render", ...argv);
    expect(ended.status).toBe(status);
    expect(ended.err).toMatch(says);
    expect(existsSync(join(cwd, "o.png"))).toBe(false);
  });
});

describe("nadir convert", () => {
  test("a result becomes other outputs, and labels", async () => {
    const count = features("result.geojson");
    for (const [to, out] of [
      ["gpkg", "r.gpkg"],
      ["csv", "r.csv"],
      ["coco", "r.json"],
      ["GeoParquet", "r.parquet"],
    ] as const) {
      const argv = ["convert", "result.geojson", "--from", "geojson", "--to", to, "-o", out];
      const { status, err } = await nadir(...argv);
      expect(status).toBe(EXIT.done);
      expect(err).toBe(`wrote      ${out} with ${count} objects of 1 image\n`);
      expect(existsSync(join(cwd, out))).toBe(true);
    }
    const lines = readFileSync(join(cwd, "r.csv"), "utf8").trimEnd().split(/\r?\n/);
    expect(lines).toHaveLength(count + 1);
  });

  test.each([
    [["--from", "geojson", "--to", "shp"], EXIT.usage, /argument 'shp' is invalid.*coco, dota/],
    [["--from", "shp", "--to", "coco"], EXIT.usage, /argument 'shp' is invalid/],
    [["--to", "coco"], EXIT.usage, /required option '--from <format>'/],
    [
      ["--from", "dota", "--to", "csv"],
      EXIT.someFailed,
      /only geojson results become other outputs/,
    ],
  ])("%j", async (argv, status, says) => {
    const ended = await nadir("convert", "result.geojson", ...argv, "-o", "x.csv");
    expect(ended.status).toBe(status);
    expect(ended.err).toMatch(says);
    expect(existsSync(join(cwd, "x.csv"))).toBe(false);
  });

  test("a file that is no result is a sentence", async () => {
    const argv = ["convert", "scene.tif", "--from", "geojson", "--to", "coco", "-o", "y.json"];
    const { status, err } = await nadir(...argv);
    expect(status).toBe(EXIT.nothingReadable);
    expect(err.trimEnd().split("\n")).toHaveLength(1);
  });
});

test("nadir demo finds nearly all of the objects it knows of", { timeout: 120_000 }, async () => {
  const { status, err } = await nadir("demo", "-o", "demo");
  expect(status).toBe(EXIT.done);
  const [, found, known, extra] =
    /compared +([\d,]+) of ([\d,]+) known objects were found, ([\d,]+) reports/.exec(err) ?? [];
  expect(Number(found)).toBeGreaterThanOrEqual(0.95 * Number(known));
  expect(Number(extra)).toBeLessThan(0.05 * Number(known));
  for (const name of ["sample.geojson", "sample.jpg", "sample.run.json"]) {
    expect(existsSync(join(cwd, "demo", name))).toBe(true);
  }
});

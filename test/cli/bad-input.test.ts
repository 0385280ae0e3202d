import { chmodSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { directoryBytes, type Field, header } from "../../datasets/writers/tiff-directory.ts";
import { writeGeoTiffFile } from "../../datasets/node.ts";
import { writeModel } from "../../models/index.ts";
import { EXIT } from "../../pipeline/index.ts";
import { modelOf, port } from "../models/decode/heads.ts";
import { type Sample, sampleFolder } from "./sample.ts";
import { writeScene } from "./scenes.ts";
import { run } from "./surroundings.ts";

let sample: Sample;
let cwd: string;
beforeAll(async () => {
  sample = await sampleFolder();
  cwd = sample.path;
  await makeBadScenes();
  makeBadModels();
});
afterAll(() => sample[Symbol.dispose]());

const put = (name: string, content: string | Uint8Array): void =>
  writeFileSync(join(cwd, name), content);

/** A TIFF of a directory and nothing else. */
function bare(fields: Readonly<Record<number, number>>): Uint8Array {
  const list = Object.entries(fields).map(([tag, value]): Field => ({
    tag: Number(tag),
    type: "long",
    values: [value],
  }));
  const directory = directoryBytes([list], 16, false);
  const file = new Uint8Array(16 + directory.length);
  file.set(header(16, false));
  file.set(directory, 16);
  return file;
}

async function makeBadScenes(): Promise<void> {
  const whole = readFileSync(join(cwd, "scene.tif"));
  put("text.tif", "this is no picture");
  put("empty.tif", "");
  put("cut.tif", whole.subarray(0, whole.length / 2));
  put(
    "corrupt.tif",
    whole.map((byte, i) => (i > 64 && i < whole.length - 4000 ? byte ^ 0x55 : byte)),
  );
  const grey = { 258: 8, 259: 1, 262: 1 };
  put("no-bands.tif", bare({ ...grey, 256: 64, 257: 64, 277: 0, 273: 8, 278: 64, 279: 4096 }));
  put("vast.tif", bare({ ...grey, 256: 100_000, 257: 100_000, 277: 1 }));
  await writeScene(join(cwd, "nodata.tif"), { nodata: 0, value: () => 0, width: 400 });
  const nothing = (width: number, height: number): Float32Array =>
    Float32Array.from(
      { length: width * height },
      (_, i) => [Number.NaN, Infinity, -Infinity][i % 3]!,
    );
  await writeGeoTiffFile(
    join(cwd, "nan.tif"),
    { width: 300, height: 200, sampleType: "float32", bands: [{ role: "grey" }] },
    ({ width, height }) => [nothing(width, height)],
  );
}

function makeBadModels(): void {
  const copy = (dims: readonly number[]) =>
    writeModel(
      modelOf(
        { image: dims },
        {
          node: [{ opType: "Identity", input: ["images"], output: ["y"] }],
          output: [port("y", "float32", dims)],
        },
      ),
    );
  put("rank.onnx", copy([1, 10]));
  put("square.onnx", copy([1, 1, 1, 4]));
  put("headless.onnx", copy([1, 3, 64, 64]));
  put("text.onnx", "no model");
}

const visible = (folder: string): string[] => readdirSync(join(cwd, folder)).sort();

describe("a bad scene", () => {
  const BAD: readonly (readonly [name: string, says: RegExp])[] = [
    ["text.tif", /must be a TIFF, PNG, JPEG or WebP, the file holds text/],
    ["empty.tif", /the file is empty/],
    ["cut.tif", /cut\.tif/],
    ["corrupt.tif", /corrupt\.tif/],
    ["no-bands.tif", /no-bands\.tif/],
    ["vast.tif", /vast\.tif/],
    ["none.tif", /there is no such file/],
  ];

  test.each(BAD)("%s alone: one sentence, status 3, no output", async (name, says) => {
    const out = `out-${name}`;
    const { status, err } = await run(["detect", name, "-m", "detector.onnx", "-o", out], { cwd });
    const failures = err.split("\n").filter((line) => line.startsWith("failed"));
    expect(failures).toHaveLength(1);
    expect(failures[0]).toMatch(says);
    expect(failures[0]).not.toMatch(/ at .*:\d+:\d+/);
    expect(status).toBe(EXIT.nothingReadable);
    mkdirSync(join(cwd, out), { recursive: true });
    expect(visible(out)).toEqual([]);
  });

  test("in a batch the others go on, and the failures are listed at the end", async () => {
    const names = BAD.map(([name]) => name);
    const argv = ["detect", ...names, "scene.tif", "-m", "detector.onnx", "-o", "batch", "--json"];
    const { status, out, err } = await run(argv, { cwd });
    expect(status).toBe(EXIT.someFailed);
    const summary = JSON.parse(out) as { failures: { source: string; code: string }[] };
    expect(summary).toMatchObject({ completed: 1, failed: names.length });
    expect(summary.failures.map(({ source }) => source.split("/").at(-1))).toEqual(names);
    expect(new Set(summary.failures.map(({ code }) => code))).toEqual(new Set(["ERR_SCENE"]));
    expect(visible("batch")).toEqual(["scene.geojson", "scene.run.json"]);
    expect(err).toContain(`completed 1 · failed ${names.length} · skipped 0`);
  });

  test.each(["nodata.tif", "nan.tif"])(
    "%s is read, nothing is found, and it says why",
    async (name) => {
      const out = `none-${name}`;
      const argv = ["detect", name, "-m", "detector.onnx", "-o", out];
      const { status, err } = await run(argv, { cwd });
      expect(status).toBe(EXIT.done);
      expect(err).toMatch(/^note .*nothing was found: no tile holds anything to look at/m);
      expect(visible(out)).toHaveLength(2);
    },
  );
});

describe("a bad model", () => {
  test.each([
    ["rank.onnx", /\[1 10\]|image/],
    ["square.onnx", /./],
    ["headless.onnx", /known detection head/],
    ["text.onnx", /must be an ONNX file/],
    ["none.onnx", /there is no such file/],
  ])("%s: one sentence, status 2", async (name, says) => {
    const { status, out, err } = await run(["detect", "scene.tif", "-m", name, "-o", "m"], { cwd });
    expect({ status, out }).toEqual({ status: EXIT.usage, out: "" });
    expect(err).toMatch(/^nadir: /);
    expect(err).toMatch(says);
    expect(err.trimEnd().split("\n")).toHaveLength(1);
  });
});

describe("a bad place for results", () => {
  test("a file where a folder should be", async () => {
    put("taken", "");
    const argv = ["detect", "scene.tif", "-m", "detector.onnx", "-o", "taken/deep"];
    const { status, err } = await run(argv, { cwd });
    expect(status).toBe(EXIT.someFailed);
    expect(err).toMatch(/^failed +.*taken.*(not a folder|is a file)/m);
  });

  test.skipIf(process.getuid?.() === 0)("a folder without permission", async () => {
    mkdirSync(join(cwd, "closed"));
    chmodSync(join(cwd, "closed"), 0o500);
    const argv = ["detect", "scene.tif", "-m", "detector.onnx", "-o", "closed"];
    const { status, err } = await run(argv, { cwd });
    expect(status).toBe(EXIT.someFailed);
    expect(err).toMatch(/no permission/);
  });
});

import { readdirSync, readFileSync } from "node:fs";
import { describe as suite, expect, test } from "vitest";
import { SceneError } from "../../datasets/index.ts";
import { ModelError } from "../../models/index.ts";
import { describe, ERRORS, EXIT, SettingsError } from "../../pipeline/index.ts";

const ROOMS = ["attention", "datasets", "models", "pipeline", "web", "cli"];

/** Every `ERR_…` written as a string in the product. */
function codesInSource(): Set<string> {
  const codes = new Set<string>();
  for (const room of ROOMS) {
    let files: string[];
    try {
      files = readdirSync(room, { recursive: true, encoding: "utf8" });
    } catch {
      continue; // a room that is not built yet
    }
    for (const file of files.filter((name) => /\.tsx?$/.test(name))) {
      const source = readFileSync(`${room}/${file}`, "utf8");
      for (const [, code = ""] of source.matchAll(/code = "(ERR_[A-Z_]+)"/g)) codes.add(code);
    }
  }
  return codes;
}

suite("the table of errors", () => {
  test("holds every code that the source throws", () => {
    const codes = codesInSource();
    expect(codes.size).toBeGreaterThan(3);
    expect([...codes].filter((code) => !Object.hasOwn(ERRORS, code))).toEqual([]);
  });

  test("is printed in the README, row by row", () => {
    const readme = readFileSync("README.md", "utf8");
    for (const [code, { meaning, http, exit }] of Object.entries(ERRORS)) {
      expect(readme).toContain(`| \`${code}\` | ${meaning} | ${http} | ${exit} |`);
    }
  });
});

suite("describe", () => {
  test("a named error keeps its sentence", () => {
    expect(describe(new SceneError("open: a.tif is cut off at byte 8"))).toEqual({
      code: "ERR_SCENE",
      sentence: "open: a.tif is cut off at byte 8",
      http: 422,
      exit: EXIT.nothingReadable,
    });
    expect(describe(new ModelError("m.onnx: no image input")).exit).toBe(EXIT.usage);
    expect(describe(new SettingsError("settings: …")).http).toBe(400);
  });

  test("an error of the system names the path in words", () => {
    let thrown: unknown;
    try {
      readFileSync("no/such.tif");
    } catch (error) {
      thrown = error;
    }
    expect(describe(thrown).sentence).toBe("no/such.tif: there is no such file");
    const full = Object.assign(new Error("ENOSPC: no space left on device, write"), {
      code: "ENOSPC",
      path: "out/a.geojson",
    });
    expect(describe(full)).toMatchObject({
      code: "ERR_OUTPUT",
      sentence: "out/a.geojson: the disk is full",
    });
  });

  test("a cause's code counts where the error itself has none", () => {
    const cause = Object.assign(new Error("ENOSPC: …"), { code: "ENOSPC" });
    const error = new Error("write: out/a.gpkg cannot grow", { cause });
    expect(describe(error)).toMatchObject({
      code: "ERR_OUTPUT",
      sentence: "write: out/a.gpkg cannot grow",
    });
  });

  test("an abort is a cancelled run", () => {
    expect(describe(AbortSignal.abort().reason)).toMatchObject({
      code: "ERR_CANCELLED",
      exit: EXIT.cancelled,
    });
  });

  test.each([
    [new TypeError("x is not\n a function"), "x is not a function"],
    ["a bare string", "a bare string"],
    [undefined, "undefined"],
    [{ message: "" }, "[object Object]"],
  ])("%o, which nobody named, is one line of ERR_INTERNAL", (thrown, sentence) => {
    expect(describe(thrown)).toMatchObject({ code: "ERR_INTERNAL", sentence });
  });

  test("a circle of causes ends", () => {
    const error = new Error("round");
    error.cause = error;
    expect(describe(error).sentence).toBe("round");
  });
});

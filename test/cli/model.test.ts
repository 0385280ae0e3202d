import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { EXIT } from "../../pipeline/index.ts";
import { run, scratch } from "./surroundings.ts";

const DATA = process.env["NADIR_DATA"] ?? "../shared/data";
const YOLOX = join(DATA, "onnx/yolox_nano.onnx");
const missing = !existsSync(YOLOX);
if (missing) console.warn(`skipped: ${YOLOX} is not there (NADIR_DATA)`);

describe("nadir model inspect", () => {
  test.skipIf(missing)("says what was decided, and why", async () => {
    const { status, out, err } = await run(["model", "inspect", YOLOX]);
    expect({ status, err }).toEqual({ status: EXIT.done, err: "" });
    expect(out).toMatch(/head +yolox\n +because +Output output has 3549 rows/);
    expect(out).toMatch(/input +images float32 \[1 3 416 416\]/);
    expect(out).toMatch(/classes +80: person, bicycle/);
  });

  test.skipIf(missing)("--json gives the card, --head overrules", async () => {
    const { out } = await run(["model", "inspect", YOLOX, "--json"]);
    expect(JSON.parse(out)).toMatchObject({
      head: { name: "yolox" },
      card: { input: { width: 416, height: 416 } },
      file: { opset: 11 },
    });
    const wrong = await run(["model", "inspect", YOLOX, "--head", "yoloks"]);
    expect(wrong.status).toBe(EXIT.usage);
    expect(wrong.err).toMatch(/^nadir: .*yoloks\n$/);
  });

  test.each([
    ["there is no such file", undefined],
    ["must be an ONNX file", "words, not a model"],
    ["must", ""],
  ])("a file that is no model: %s", async (sentence, content) => {
    using folder = scratch();
    if (content !== undefined) writeFileSync(join(folder.path, "m.onnx"), content);
    const { status, out, err } = await run(["model", "inspect", "m.onnx"], { cwd: folder.path });
    expect({ status, out }).toEqual({ status: EXIT.usage, out: "" });
    expect(err).toContain(sentence);
    expect(err.trimEnd().split("\n")).toHaveLength(1);
  });

  test("a mistyped sub-command is an error that names the nearest one", async () => {
    const { status, err } = await run(["model", "inspekt"]);
    expect(status).toBe(EXIT.usage);
    expect(err).toContain("Did you mean inspect?");
  });
});

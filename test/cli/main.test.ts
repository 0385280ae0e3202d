import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { COMMANDS } from "../../cli/main.ts";
import { EXIT, VERSION } from "../../pipeline/index.ts";
import { run } from "./surroundings.ts";

describe("nadir", () => {
  test("--help lists every command on standard output", async () => {
    const { status, out, err } = await run(["--help"]);
    expect(status).toBe(EXIT.done);
    for (const [name, { summary }] of Object.entries(COMMANDS)) {
      expect(out).toMatch(new RegExp(`^ +${name} .*${summary.split(" ")[0]}`, "m"));
    }
    expect(err).toBe("");
  });

  test.each(Object.keys(COMMANDS))("%s --help explains the command", async (name) => {
    const { status, out } = await run([name, "--help"]);
    expect(status).toBe(EXIT.done);
    expect(out).toContain(`Usage: nadir ${name}`);
  });

  test("--version is the package's", async () => {
    const { version } = JSON.parse(readFileSync("package.json", "utf8")) as { version: string };
    expect(VERSION).toBe(version);
    expect((await run(["--version"])).out).toBe(`${version}\n`);
  });

  test("without a command it shows the help as an error of usage", async () => {
    const { status, out, err } = await run([]);
    expect(status).toBe(EXIT.usage);
    expect(out).toBe("");
    expect(err).toContain("Usage: nadir");
  });

  test("an unknown command is an error that names the nearest one", async () => {
    const { status, out, err } = await run(["doctr"]);
    expect({ status, out, err }).toEqual({
      status: EXIT.usage,
      out: "",
      err: "nadir: unknown command 'doctr' (Did you mean doctor?)\n",
    });
  });

  test("an unknown flag is an error that names the nearest one", async () => {
    const { status, err } = await run(["doctor", "--jsn"]);
    expect(status).toBe(EXIT.usage);
    expect(err).toBe("nadir: unknown option '--jsn' (Did you mean --json?)\n");
  });
});

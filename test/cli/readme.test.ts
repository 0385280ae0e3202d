import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import type { Command } from "commander";
import { describe, expect, test } from "vitest";
import { COMMANDS, createProgram } from "../../cli/main.ts";
import { EXIT } from "../../pipeline/index.ts";
import { testIo } from "./surroundings.ts";

const readme = readFileSync("README.md", "utf8");

/** The lines of the README that call `nadir`, as words. */
const calls = readme
  .split("\n")
  .filter((line) => line.startsWith("nadir "))
  .map((line) =>
    [...line.matchAll(/"([^"]*)"|(\S+)/g)].map(([, quoted, bare]) => quoted ?? bare ?? ""),
  );

/** Takes the actions out of a command and those below it, so that parsing is all that happens. */
function silence(command: Command): void {
  if (command.commands.length === 0) command.action(() => {});
  command.commands.forEach(silence);
}

describe("the README", () => {
  test("shows every command", () => {
    const shown = new Set(calls.map(([, name]) => name));
    expect(Object.keys(COMMANDS).filter((name) => name !== "demo" && !shown.has(name))).toEqual([]);
  });

  test.each(calls.map((words) => [words.join(" "), words.slice(1)] as const))(
    "%s",
    async (_, argv) => {
      const io = testIo();
      const program = await createProgram(argv, { io, finish: () => {} });
      silence(program);
      await program.parseAsync([...argv], { from: "user" });
      expect(io.err()).toBe("");
    },
  );

  test("lists every exit status", () => {
    for (const status of Object.values(EXIT))
      expect(readme).toMatch(new RegExp(`^\\| ${status} \\|`, "m"));
  });

  test("and every other Markdown page links to what is there", () => {
    const folders = [".", "attention", "datasets", "models", "pipeline", "cli", "test"];
    const pages = folders.flatMap((folder) =>
      readdirSync(folder, { recursive: folder !== ".", encoding: "utf8" })
        .filter((name) => name.endsWith(".md"))
        .map((name) => join(folder, name)),
    );
    expect(pages.length).toBeGreaterThan(5);
    const dead = pages.flatMap((page) =>
      [...readFileSync(page, "utf8").matchAll(/\]\((?!https?:|#|mailto:)([^)#\s]+)/g)]
        .map(([, target = ""]) => join(dirname(page), target))
        .filter((target) => !existsSync(target))
        .map((target) => `${page} → ${target}`),
    );
    expect(dead).toEqual([]);
  });
});

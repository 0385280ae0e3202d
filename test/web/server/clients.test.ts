/** The examples of the README, run as they stand. */
import { spawn, spawnSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { once } from "node:events";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { ERRORS } from "../../../pipeline/index.ts";
import { listen } from "../../../web/index.ts";
import { SERVICE_ERRORS } from "../../../web/server/problem.ts";
import { sampleServer } from "./sample-server.ts";

const readme = readFileSync(join(import.meta.dirname, "../../../web/server/README.md"), "utf8");

let server: Awaited<ReturnType<typeof sampleServer>>;
let address = "";
beforeAll(async () => {
  server = await sampleServer();
  address = await listen(server.app, { host: "127.0.0.1", port: 0, hasTokens: false });
});
afterAll(() => server[Symbol.asyncDispose]());

/** The first block in a language. */
const example = (language: string): string =>
  new RegExp(`\`\`\`${language}\n([^]*?)\`\`\``).exec(readme)?.[1] ?? "";

const has = (program: string): boolean => {
  const there = spawnSync(program, ["--version"]).status === 0;
  if (!there) process.stdout.write(`skipped: there is no ${program} here\n`);
  return there;
};

async function runIn(folder: string, program: string, ...args: readonly string[]) {
  const child = spawn(program, args, { cwd: folder, env: { ...process.env, NADIR: address } });
  let out = "";
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk) => (out += chunk));
  const [status] = await once(child, "exit");
  return { status, out };
}

describe("the examples of the README run", () => {
  test.skipIf(!has("curl"))("curl", async () => {
    const { status, out } = await runIn(server.path, "sh", "-euc", example("sh"));
    expect([status, out]).toEqual([0, expect.stringContaining('"state":"done"')]);
    const found = JSON.parse(readFileSync(join(server.path, "found.geojson"), "utf8"));
    expect(found.features.length).toBeGreaterThan(5);
    expect(readFileSync(join(server.path, "found.csv"), "utf8")).toMatch(/^class|,class/);
  });

  test("TypeScript", async () => {
    writeFileSync(join(server.path, "client.mjs"), example("ts"));
    const { status, out } = await runIn(server.path, process.execPath, "client.mjs");
    expect([status, out]).toEqual([0, expect.stringMatching(/\d+ objects/)]);
  });

  test.skipIf(!has("python3"))("Python", async () => {
    const { status, out } = await runIn(server.path, "python3", "-c", example("py"));
    expect([status, out]).toEqual([
      0,
      expect.stringMatching(/^done \d+ objects\n\[\('boxes', \[1,/),
    ]);
  });
});

test("the README lists every code of a service, with its status and meaning", () => {
  const rows = [...readme.matchAll(/^\| `(ERR_\w+)` \| (\d+) \| (.+) \|$/gm)];
  expect(rows.map(([, code, http, meaning]) => [code, Number(http), meaning])).toEqual(
    Object.entries(SERVICE_ERRORS).map(([code, { http, meaning }]) => [code, http, meaning]),
  );
  for (const code of Object.keys(SERVICE_ERRORS)) expect(Object.hasOwn(ERRORS, code)).toBe(false);
});

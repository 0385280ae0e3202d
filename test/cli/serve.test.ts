import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { main } from "../../cli/main.ts";
import { listShipped } from "../../pipeline/node.ts";
import { run, scratch, testIo } from "./surroundings.ts";

describe("nadir serve", () => {
  test.each([
    [["--host", "0.0.0.0"], /needs --token-file, received --host 0.0.0.0/],
    [["--port", "70000"], /--port must be a number from 0 to 65535, received 70000/],
    [["--jobs", "many"], /--jobs must be a number from 0/],
    [["--models", "nowhere"], /--models must be a folder, received nowhere/],
    [["--token-file", "tokens.txt"], /a token must have at least 16 characters/],
    [["--modles", "x"], /unknown option '--modles'/],
  ])("%j is refused in one sentence", async (flags, sentence) => {
    using folder = scratch();
    mkdirSync(join(folder.path, "models"));
    writeFileSync(join(folder.path, "tokens.txt"), "secret\n");
    const { status, err } = await run(["serve", ...flags], { cwd: folder.path });
    expect([status, err]).toEqual([2, expect.stringMatching(sentence)]);
    expect(err.trim().split("\n")).toHaveLength(1);
  });

  test("says where it serves, keeps its folder to itself, and ends at Ctrl-C", async () => {
    using folder = scratch();
    const io = testIo({ cwd: folder.path });
    const ended = main(["serve", "--port", "0", "--quiet"], io);
    await expect
      .poll(io.err, { timeout: 20_000 }) // a busy machine takes its time to load a model
      .toMatch(/nadir serves at http:\/\/127\.0\.0\.1:\d+;/);
    const address = /serves at (\S+);/.exec(io.err())?.[1] ?? "";
    expect((await fetch(`${address}/healthz`)).status).toBe(200);
    const { models } = await (await fetch(`${address}/v1/models`)).json();
    const ids = (await listShipped()).map(({ name }) => name);
    expect(models.map(({ id }: { id: string }) => id)).toEqual([...ids, "matched-filter"].sort());
    expect((await fetch(`${address}/readyz`)).status).toBe(200);
    io.interrupt();
    expect(await ended).toBe(0);
    await expect(fetch(`${address}/healthz`)).rejects.toThrow(/fetch failed/);

    writeFileSync(join(folder.path, "nadir-data", "server.pid"), String(process.ppid)); // it runs
    const second = await run(["serve", "--port", "0"], { cwd: folder.path });
    expect([second.status, second.err]).toEqual([
      2,
      expect.stringMatching(/must be a folder of its own/),
    ]);
  });
});

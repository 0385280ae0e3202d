import { execFileSync } from "node:child_process";
import { mkdtemp, readFile, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openOutput } from "../../../pipeline/node.ts";
import { context, objects } from "./objects.ts";

let folder = "";
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "nadir-outputs-"));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

describe("openOutput", () => {
  test("shows the final name only once the file is whole", async () => {
    const path = join(folder, "whole", "scene.geojson");
    await using output = await openOutput("geojson", path, context);
    for (const object of objects(2000)) await output.write(object);
    expect(await readdir(join(folder, "whole"))).toEqual([".scene.geojson.partial"]);
    await output.finish();
    expect(await readdir(join(folder, "whole"))).toEqual(["scene.geojson"]);
    expect(JSON.parse(await readFile(path, "utf8")).features).toHaveLength(2000);
  });

  test("keeps the older file, and nothing else, when it is aborted", async () => {
    const path = join(folder, "older", "scene.csv");
    await using first = await openOutput("csv", path, context);
    await first.finish();
    const before = await readFile(path, "utf8");
    await using second = await openOutput("csv", path, context);
    for (const object of objects(10)) await second.write(object);
    await second.abort();
    expect(await readdir(join(folder, "older"))).toEqual(["scene.csv"]);
    expect(await readFile(path, "utf8")).toBe(before);
    await expect(second.finish()).rejects.toThrow(/must be open/);
  });

  test("leaves nothing when the process throws or exits in the middle", async () => {
    const script = join(folder, "crash.mts");
    await writeFile(
      script,
      `import { openOutput } from ${JSON.stringify(join(process.cwd(), "pipeline/node.ts"))};
       import { context, objects } from ${JSON.stringify(join(import.meta.dirname, "objects.ts"))};
       const output = await openOutput("geojson", process.argv[2]!, context);
       for (const object of objects(5000)) await output.write(object);
       if (process.argv[3] === "throw") throw new Error("boom");
       process.exit(7);`,
    );
    for (const how of ["throw", "exit"]) {
      const target = join(folder, `crash-${how}`, "scene.geojson");
      const run = (): unknown =>
        execFileSync(process.execPath, ["--import", "tsx", script, target, how], { stdio: "pipe" });
      expect(run).toThrow(how === "throw" ? /boom/ : /Command failed/);
      expect(await readdir(join(folder, `crash-${how}`))).toEqual([]);
    }
  });

  test.skipIf(process.platform !== "linux")("says that the disk is full", async () => {
    // /dev/full answers every write with ENOSPC; the partial file is made a link to it.
    const path = join(folder, "full.geojson");
    const { symlink } = await import("node:fs/promises");
    await symlink("/dev/full", join(folder, ".full.geojson.partial"));
    await using output = await openOutput("geojson", path, context);
    const writing = async (): Promise<void> => {
      for (const object of objects(2000)) await output.write(object);
      await output.finish();
    };
    await expect(writing()).rejects.toThrow(
      /full\.geojson: cannot be written, the disk is full \(ENOSPC\)/,
    );
    expect((await readdir(folder)).filter((name) => name.includes("full"))).toEqual([]);
  });

  test("says what is wrong with the folder", async () => {
    await writeFile(join(folder, "file"), "");
    await expect(openOutput("csv", join(folder, "file", "x.csv"), context)).rejects.toThrow(
      /cannot be written, .* \((ENOTDIR|EEXIST)\)/,
    );
  });
});

import { chmodSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { findInputs, globPattern } from "../../cli/inputs.ts";
import { scratch } from "./surroundings.ts";

function folderOf(...files: string[]): ReturnType<typeof scratch> {
  const folder = scratch();
  for (const file of files) {
    mkdirSync(join(folder.path, file, ".."), { recursive: true });
    writeFileSync(join(folder.path, file), "");
  }
  return folder;
}

const names = async (cwd: string, ...given: string[]): Promise<readonly string[]> =>
  (await findInputs({ cwd }, given)).paths.map((path) => path.slice(cwd.length + 1));

describe("findInputs", () => {
  test("a folder gives its scenes, deep and in order", async () => {
    using folder = folderOf("b.tif", "a/2.TIFF", "a/1.png", "a/readme.txt", ".hidden/x.tif");
    expect(await names(folder.path, ".")).toEqual(["a/1.png", "a/2.TIFF", "b.tif"]);
  });

  test("patterns give scenes in order, each once", async () => {
    using folder = folderOf("m/1.tif", "m/n/2.tif", "m/n/3.jpg", "m/n/3.geojson");
    expect(await names(folder.path, "m/**/*.tif", "m/1.tif")).toEqual(["m/1.tif", "m/n/2.tif"]);
    expect(await names(folder.path, "m/*.tif")).toEqual(["m/1.tif"]);
    expect(await names(folder.path, "m/n/[2-3].{tif,jpg}")).toEqual(["m/n/2.tif", "m/n/3.jpg"]);
    expect(await names(folder.path, "m/**")).toEqual(["m/1.tif", "m/n/2.tif", "m/n/3.jpg"]);
  });

  test("pictures that earlier runs put there are no scenes, unless they are named", async () => {
    using folder = folderOf("a.tif", "a.png", "b.png", "bad.run.json");
    const manifest = JSON.stringify({ outputs: ["elsewhere/a.geojson", "elsewhere/a.png"] });
    writeFileSync(join(folder.path, "a.run.json"), manifest);
    expect(await names(folder.path, ".")).toEqual(["a.tif", "b.png"]);
    expect(await names(folder.path, "*.png")).toEqual(["b.png"]);
    expect(await names(folder.path, "a.png")).toEqual(["a.png"]);
  });

  test("an address stays as it is, and a missing file stays in the list", async () => {
    using folder = folderOf();
    const { paths } = await findInputs({ cwd: folder.path }, ["https://host/a?b*.tif", "no.tif"]);
    expect(paths).toEqual(["https://host/a?b*.tif", join(folder.path, "no.tif")]);
  });

  test("a file whose name holds brackets is that file", async () => {
    using folder = folderOf("a[1].tif");
    expect(await names(folder.path, "a[1].tif")).toEqual(["a[1].tif"]);
  });

  test("a pattern or folder without scenes becomes a note", async () => {
    using folder = folderOf("empty/readme.txt");
    const { paths, notes } = await findInputs({ cwd: folder.path }, ["*.tif", "empty"]);
    expect(paths).toEqual([]);
    expect(notes).toEqual([
      "*.tif: no scene there (tif, tiff, gtiff, png, jpg, jpeg, webp)",
      "empty: no scene there (tif, tiff, gtiff, png, jpg, jpeg, webp)",
    ]);
  });

  test.skipIf(process.getuid?.() === 0)("an unreadable folder becomes a note", async () => {
    using folder = folderOf("closed/a.tif", "b.tif");
    chmodSync(join(folder.path, "closed"), 0);
    const { paths, notes } = await findInputs({ cwd: folder.path }, ["."]);
    chmodSync(join(folder.path, "closed"), 0o700);
    expect(paths).toHaveLength(1);
    expect(notes[0]).toMatch(/closed: the folder cannot be read \(EACCES\)/);
  });
});

describe("globPattern", () => {
  test.each([
    ["a/*.tif", "a", ["a/b.tif"], ["a/b/c.tif", "b/a/b.tif", "a/b.tiff"]],
    ["**/x?.tif", ".", ["x1.tif", "a/b/x1.tif"], ["x.tif", "x12.tif"]],
    ["/d/[!a]*.tif", "/d", ["/d/b.tif"], ["/d/a.tif"]],
    ["a.b/(1)+*.tif", "a.b", ["a.b/(1)+.tif"], ["aXb/(1)+.tif"]],
  ])("%s is searched from %s", (pattern, from, yes, no) => {
    const { root, matches } = globPattern(pattern);
    expect(root).toBe(from);
    for (const path of yes) expect(matches(path)).toBe(true);
    for (const path of no) expect(matches(path)).toBe(false);
  });
});

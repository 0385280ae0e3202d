import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readdir, readFile, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execPath } from "node:process";
import { setTimeout } from "node:timers/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import { writeGeoTiffFile } from "../../../datasets/node.ts";

const KILLS = 10;
const child = join(import.meta.dirname, "killable.ts");

let folder = "";
let scene = "";
const running = new Set<ChildProcess>();

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "nadir-kill-"));
  scene = join(folder, "scene.tif");
  const image = {
    width: 560,
    height: 560,
    sampleType: "uint8",
    bands: [{ role: "grey" }],
  } as const;
  await writeGeoTiffFile(scene, { ...image, tileSizePx: 64 }, ({ x, y, width, height }) => [
    Uint8Array.from({ length: width * height }, (_, i) => {
      const [column, row] = [x + (i % width), y + Math.floor(i / width)];
      const [u, v] = [column % 60, row % 60];
      const size = 8 + ((Math.floor(column / 60) * 7 + Math.floor(row / 60) * 5) % 30);
      return u >= 10 && u < 10 + size && v >= 12 && v < 8 + size ? 220 : 20 + (i % 5);
    }),
  ]);
});
afterAll(async () => {
  for (const one of running) one.kill("SIGKILL");
  await rm(folder, { recursive: true });
});

function start(outDir: string): ChildProcess {
  const started = spawn(execPath, ["--import", "tsx", child, scene, outDir], { stdio: "ignore" });
  running.add(started);
  started.once("exit", () => running.delete(started));
  return started;
}

const size = (path: string): Promise<number> =>
  stat(path).then(
    (s) => s.size,
    () => 0,
  );

async function results(outDir: string): Promise<Record<string, string>> {
  const names = (await readdir(outDir)).filter((name) => !name.endsWith(".run.json"));
  const files = names.map(
    async (name) => [name, (await readFile(join(outDir, name))).toString("base64")] as const,
  );
  return Object.fromEntries(await Promise.all(files));
}

test(
  "killed ten times in the middle of a scene and started again, the outputs are those of an undisturbed run, byte for byte",
  { timeout: 240_000 },
  async () => {
    const [calm, killed] = [join(folder, "calm"), join(folder, "killed")];
    const [code] = await once(start(calm), "exit");
    expect(code).toBe(0);

    const journal = join(killed, ".scene.journal");
    let kept = 0;
    for (let i = 0; i < KILLS; i++) {
      const process = start(killed);
      const exit = once(process, "exit");
      // Let it record something new, then kill it at no particular moment.
      while ((await size(journal)) <= kept && process.exitCode === null) await setTimeout(2);
      await setTimeout(Math.random() * 60);
      process.kill("SIGKILL");
      expect(await exit).toEqual([null, "SIGKILL"]);
      const names = await readdir(killed);
      expect(names.filter((name) => !name.startsWith("."))).toEqual([]); // nothing under a final name
      kept = await size(journal);
    }
    expect(kept).toBeGreaterThan(0);
    expect(await once(start(killed), "exit")).toEqual([0, null]);
    expect(await results(killed)).toEqual(await results(calm));
    const { counts } = JSON.parse(await readFile(join(killed, "scene.run.json"), "utf8"));
    expect(counts.tiles.resumed).toBeGreaterThan(0);
    expect(counts.tiles.resumed).toBeLessThan(counts.tiles.planned);
    expect(counts.objects).toBeGreaterThan(50);
  },
);

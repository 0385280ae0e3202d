import type { FileHandle } from "node:fs/promises";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { EXIT } from "../../pipeline/index.ts";
import { type Sample, sampleFolder } from "./sample.ts";
import { run } from "./surroundings.ts";

/** Outputs are written to names that end so; the disk is full for these once this is true. */
const disk = vi.hoisted(() => ({ isFull: false }));

vi.mock("node:fs/promises", async (original) => {
  const real = await original<typeof import("node:fs/promises")>();
  const open = async (...args: Parameters<typeof real.open>): Promise<FileHandle> => {
    const handle = await real.open(...args);
    if (disk.isFull && String(args[0]).endsWith(".partial")) {
      const full = Object.assign(new Error("ENOSPC: no space left on device, write"), {
        code: "ENOSPC",
      });
      handle.write = () => Promise.reject(full) as never;
      handle.writev = () => Promise.reject(full) as never;
    }
    return handle;
  };
  return { ...real, default: { ...real, open }, open };
});

let sample: Sample;
beforeAll(async () => {
  sample = await sampleFolder();
});
afterAll(() => sample[Symbol.dispose]());

test("a full disk is one sentence, leaves no output, and the next run finds its tiles again", async () => {
  const cwd = sample.path;
  const argv = ["detect", "scene.tif", "-m", "detector.onnx", "-o", "out"];
  disk.isFull = true;
  const { status, err } = await run(argv, { cwd });
  disk.isFull = false;
  expect(status).toBe(EXIT.someFailed);
  expect(err).toMatch(/^failed +.*scene\.geojson: .*the disk is full/m);
  expect(readdirSync(join(cwd, "out")).filter((name) => !name.endsWith(".journal"))).toEqual([]);

  const again = await run(argv, { cwd });
  expect(again.status).toBe(EXIT.done);
  expect(again.err).toMatch(/done before/);
  expect(readdirSync(join(cwd, "out")).sort()).toEqual(["scene.geojson", "scene.run.json"]);
});

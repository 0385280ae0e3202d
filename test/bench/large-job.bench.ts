/**
 * A scene of a gigabyte as a job, on a server that may hold 1.5 GB (a control group where this process may make one, and
 * what the kernel counted in any case), its progress followed, its result set against the command line's.
 */
import { spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, openAsBlob, readFileSync, rmdirSync, rmSync, statSync, writeFileSync } from "node:fs"; // prettier-ignore
import { tmpdir } from "node:os";
import { join } from "node:path";
import { bench, describe } from "vitest";
import { crsFromEpsg, writeGeoTiffFile } from "../../datasets/node.ts";
import { synthesise } from "../../datasets/index.ts";
import { buildMatchedFilter } from "../../models/index.ts";
import { nadir, serve, type Served } from "./served.ts";

/** Four bands of 16 bits: 8 bytes a pixel. */
const SIDE_PX = Number(process.env["NADIR_LARGE_PX"] ?? 11_264);
const CELL_PX = 512;
const LIMIT_BYTES = 1.5e9;
const GROUP = "/sys/fs/cgroup/memory/nadir-bench";

/** A scene made of one synthetic cell again and again, each a little brighter. */
async function makeScene(path: string): Promise<void> {
  const { scene } = synthesise({ seed: 11, width: CELL_PX, height: CELL_PX });
  const { bands } = await scene.read({ x: 0, y: 0, width: CELL_PX, height: CELL_PX });
  const image = {
    width: SIDE_PX,
    height: SIDE_PX,
    sampleType: "uint16",
    bands: [{ role: "red" }, { role: "green" }, { role: "blue" }, { role: "undefined" }],
    crs: crsFromEpsg(32_633),
    transform: [0.5, 0, 400_000, 0, -0.5, 5_050_000],
  } as const;
  await writeGeoTiffFile(
    path,
    { ...image, tileSizePx: CELL_PX, compression: "none" },
    ({ x, y, width, height }) =>
      [0, 1, 2, 0].map((band) => {
        const out = new Uint16Array(width * height);
        const from = bands[band] ?? new Uint8Array();
        const gain = 8 + (((x / CELL_PX) * 3 + (y / CELL_PX) * 5) % 4);
        for (let row = 0; row < height; row++) {
          for (let column = 0; column < width; column++) {
            out[row * width + column] = gain * (from[row * CELL_PX + column] ?? 0);
          }
        }
        return out;
      }),
  );
}

/** Puts a process under the limit. @returns false where groups of memory cannot be made here */
function confine(pid: number): boolean {
  try {
    mkdirSync(GROUP, { recursive: true });
    writeFileSync(join(GROUP, "memory.limit_in_bytes"), String(LIMIT_BYTES));
    writeFileSync(join(GROUP, "cgroup.procs"), String(pid));
    return true;
  } catch {
    return false;
  }
}

async function follow({ address, said }: Served, job: string): Promise<number> {
  const response = await fetch(`${address}/v1/jobs/${job}/events`);
  let [text, tiles] = ["", 0];
  for await (const chunk of response.body ?? []) text += new TextDecoder().decode(chunk);
  tiles = text.match(/event: tiles/g)?.length ?? 0;
  if (!text.includes('"state":"done"'))
    throw new Error(`the job must be done: ${text.slice(-200)}
${said()}`);
  return tiles;
}

const seconds = (since: number): string => ((performance.now() - since) / 1000).toFixed(0);

describe("a scene of a gigabyte", () => {
  bench(
    "as a job",
    async () => {
      const folder = mkdtempSync(join(tmpdir(), "nadir-large-"));
      mkdirSync(join(folder, "models"));
      const model = join(folder, "models", "m.onnx");
      writeFileSync(model, buildMatchedFilter({ sizePx: 640 }));
      const scene = join(folder, "large.tif");
      await makeScene(scene);
      const facts: Record<string, unknown> = { "scene MB": Math.round(statSync(scene).size / 1e6) };
      {
        const flags = ["--models", join(folder, "models"), "--data", join(folder, "data")];
        await using server = await serve(flags);
        facts["confined by the kernel"] = confine(server.child.pid ?? 0);
        const body = new FormData();
        body.set("overlap", "64");
        body.set("file", await openAsBlob(scene), "large.tif");
        let began = performance.now();
        const response = await fetch(`${server.address}/v1/jobs`, { method: "POST", body });
        const { id } = (await response.json()) as { id: string };
        facts["upload s"] = seconds(began);
        facts["MB after the upload"] = Math.round(server.memory().peak);
        began = performance.now();
        facts["events of tiles"] = await follow(server, id);
        facts["job s"] = seconds(began);
        facts["peak MB"] = Math.round(server.memory().peak);
        const result = await fetch(`${server.address}/v1/jobs/${id}/result`);
        writeFileSync(join(folder, "served.geojson"), Buffer.from(await result.arrayBuffer()));
      }
      const began = performance.now();
      const out = join(folder, "out");
      const [status] = (await once(nadir(["detect", scene, "-m", model, "-o", out, "--overlap", "64", "--progress", "none"]), "exit")) as [number]; // prettier-ignore
      facts["command line s"] = seconds(began);
      const [ours, theirs] = [join(folder, "served.geojson"), join(out, "large.geojson")];
      facts["same bytes"] = status === 0 && spawnSync("cmp", [ours, theirs]).status === 0;
      facts["objects"] = readFileSync(ours, "utf8").match(/"Feature",/g)?.length;
      console.table(facts);
      rmSync(folder, { recursive: true });
      if (facts["confined by the kernel"] === true) rmdirSync(GROUP);
    },
    { iterations: 1, time: 0, warmupIterations: 0, warmupTime: 0 },
  );
});

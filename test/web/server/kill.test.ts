import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { copyFileSync, existsSync, mkdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, expect, test } from "vitest";
import { sampleFolder } from "../../cli/sample.ts";
import { run } from "../../cli/surroundings.ts";
import type { JobView } from "./sample-server.ts";

const running = new Set<ChildProcess>();
afterAll(() => {
  for (const one of running) one.kill("SIGKILL");
});

/** Starts `nadir serve` and waits until it says where. */
async function serve(...flags: readonly string[]) {
  const program = join(import.meta.dirname, "../../../cli/nadir.ts");
  const argv = ["serve", "--port", "0", "--quiet", "--threads", "1", ...flags];
  const child = spawn(process.execPath, ["--import", "tsx", program, ...argv], {
    cwd: join(import.meta.dirname, "../../.."),
    env: { ...process.env, NADIR_MODEL: undefined },
  });
  running.add(child);
  child.once("exit", () => running.delete(child));
  let said = "";
  child.stderr.on("data", (chunk) => (said += chunk));
  while (!/serves at (\S+);/.test(said)) {
    if (child.exitCode !== null) throw new Error(`serve ended: ${said}`);
    await sleep(10);
  }
  return { child, address: /serves at (\S+);/.exec(said)?.[1] ?? "", said: () => said };
}

const journalSize = (folder: string): number => {
  try {
    return statSync(join(folder, "results", ".scene.journal")).size;
  } catch {
    return 0; // not begun yet
  }
};

test(
  "nothing that was accepted is lost when the server is killed: it goes on, and the result is the command line's, byte for byte",
  { timeout: 120_000 },
  async () => {
    using sample = await sampleFolder(320);
    const models = join(sample.path, "models");
    mkdirSync(models);
    copyFileSync(join(sample.path, "detector.onnx"), join(models, "spots.onnx"));
    const data = join(sample.path, "data");
    const flags = ["--models", models, "--data", data];
    let server = await serve(...flags);

    const ids: string[] = [];
    for (let i = 0; i < 3; i++) {
      const body = new FormData();
      body.set("overlap", "176");
      const scene = readFileSync(join(sample.path, "scene.tif"));
      body.set("file", new Blob([new Uint8Array(scene)]), "scene.tif");
      const response = await fetch(`${server.address}/v1/jobs`, { method: "POST", body });
      expect(response.status).toBe(202);
      ids.push(((await response.json()) as JobView).id);
    }
    const first = join(data, "jobs", ids[0] ?? "");
    for (let kills = 0; kills < 2; kills++) {
      const before = journalSize(first);
      while (journalSize(first) <= before && !existsSync(join(first, "results", "scene.run.json")))
        await sleep(2);
      server.child.kill("SIGKILL");
      await once(server.child, "exit");
      server = await serve(...flags);
    }
    const jobs: JobView[] = [];
    for (const id of ids) {
      let job: JobView;
      do {
        await sleep(20);
        job = (await (await fetch(`${server.address}/v1/jobs/${id}`)).json()) as JobView;
      } while (job.state === "queued" || job.state === "running");
      jobs.push(job);
    }
    expect(jobs.map(({ state, failure }) => [state, failure])).toEqual(Array(3).fill(["done", undefined])); // prettier-ignore
    const events = await (await fetch(`${server.address}/v1/jobs/${ids[0]}/events`)).text();
    expect(events.match(/"state":"running"/g)).toHaveLength(3); // once for each process
    expect(Number(/.*"resumed":(\d+)/s.exec(events)?.[1])).toBeGreaterThan(0);

    const argv = ["detect", "scene.tif", "-m", "detector.onnx", "-o", "out", "--overlap", "176"];
    expect((await run(argv, { cwd: sample.path })).status).toBe(0);
    const expected = readFileSync(join(sample.path, "out", "scene.geojson"));
    for (const id of ids) {
      const result = await fetch(`${server.address}/v1/jobs/${id}/result`);
      expect(Buffer.from(await result.arrayBuffer()).equals(expected)).toBe(true);
    }
    server.child.kill("SIGTERM");
    expect(await once(server.child, "exit")).toEqual([0, null]);
    expect(server.said()).toContain("finishing what is in hand");
  },
);

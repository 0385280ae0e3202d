/**
 * The server under load, on loopback: throughput at saturation as a ratio to bare inference of the same model in the same
 * run, latencies, memory over 2,000 requests, and what an overload does.
 */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { Agent, request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { bench, describe } from "vitest";
import { synthesise, type Window } from "../../datasets/index.ts";
import { openScene, writeGeoTiffFile } from "../../datasets/node.ts";
import {
  buildMatchedFilter,
  buildShipped,
  detector as networkOf,
  inferenceGraph,
  initialWeights,
  type ModelCard,
} from "../../models/index.ts";
import { createEngine, loadDetector } from "../../pipeline/index.ts";
import { NODE_ENGINES } from "../../pipeline/node.ts";
import { type Served, serve } from "./served.ts";

/** One tile a request: what the server adds is then largest. */
const TILE_PX = 640;
const SMALL_PX = 64;
const ROUNDS = 4;
const REQUESTS = 24;
const once = { iterations: 1, time: 0, warmupIterations: 0, warmupTime: 0 };

/** What is served: the built-in model, and a network as it is shipped, its weights as they begin. */
const MODELS = {
  "matched filter": buildMatchedFilter,
  "yolo-caa nano": ({ sizePx }: { readonly sizePx: number }) => {
    const network = networkOf({ family: "yolo-caa", size: "nano", classes: 5 });
    const size = { batch: 1, widthPx: sizePx, heightPx: sizePx };
    const card = {
      ...{
        name: "nano",
        summary: "",
        network: network.options,
        classes: ["a", "b", "c", "d", "e"],
        sha256: "",
      },
      ...{ tilePx: sizePx, overlapPx: 0, scoreAtLeast: 0.25, licence: "", data: [] },
      ...{ recipe: {}, metrics: {} },
    };
    return buildShipped(card, initialWeights(inferenceGraph(network, size), { seed: 4 }), size);
  },
} as const;

interface Kit {
  readonly folder: string;
  readonly model: Uint8Array;
  /** A form with a scene of one tile: what every request sends. */
  readonly form: Buffer;
}

const BOUNDARY = "----nadir-bench";

/** A folder with `models/m.onnx` for tiles of a size, and a scene of one tile. */
async function kit(sizePx: number, of: keyof typeof MODELS = "matched filter"): Promise<Kit> {
  const folder = mkdtempSync(join(tmpdir(), "nadir-bench-"));
  mkdirSync(join(folder, "models"));
  const model = MODELS[of]({ sizePx });
  writeFileSync(join(folder, "models", "m.onnx"), model);
  const path = join(folder, "scene.tif");
  const { scene } = synthesise({ seed: 7, width: sizePx, height: sizePx });
  const read = async (window: Window) => (await scene.read(window)).bands;
  await writeGeoTiffFile(path, scene, read);
  const part = (head: string): string => `--${BOUNDARY}\r\nContent-Disposition: form-data; ${head}`;
  const form = Buffer.concat([
    Buffer.from(`${part('name="overlap"')}\r\n\r\n0\r\n`),
    Buffer.from(`${part('name="file"; filename="scene.tif"')}\r\n\r\n`),
    readFileSync(path),
    Buffer.from(`\r\n--${BOUNDARY}--\r\n`),
  ]);
  return { folder, model, form };
}

const start = ({ folder }: Kit, ...argv: readonly string[]): Promise<Served> =>
  serve(["--models", join(folder, "models"), "--data", join(folder, "data"), ...argv]);

const connections = new Agent({ keepAlive: true });

/** Status and milliseconds of one request. The client shares the cores with the server: it does as little as it can. */
async function ask({ address }: Served, { form }: Kit): Promise<{ status: number; ms: number }> {
  const began = performance.now();
  const headers = {
    "content-type": `multipart/form-data; boundary=${BOUNDARY}`,
    "content-length": form.length,
  };
  const status = await new Promise<number>((resolve) => {
    const sent = request(`${address}/v1/detect`, { method: "POST", agent: connections, headers });
    sent.once("response", (response) => {
      response.resume().once("end", () => resolve(response.statusCode ?? 0));
      response.once("error", () => resolve(0));
    });
    sent.once("error", () => resolve(0)); // the connection broke: counted as failed
    sent.end(form);
  });
  return { status, ms: performance.now() - began };
}

/** So many requests, some at once, each as soon as one is answered. */
async function load(server: Served, made: Kit, count: number, atOnce: number) {
  const answers: { status: number; ms: number }[] = [];
  let left = count;
  const client = async (): Promise<void> => {
    while (left-- > 0) answers.push(await ask(server, made));
  };
  const [began, cpu] = [performance.now(), server.cpuMs()];
  await Promise.all(Array.from({ length: atOnce }, client));
  const perSecond = (1000 * count) / (performance.now() - began);
  return { answers, perSecond, cpuMs: (server.cpuMs() - cpu) / count };
}

/** The scene as the network takes it. */
async function pixelsOf({ folder }: Kit, { mean, std }: ModelCard["input"]): Promise<Float32Array> {
  await using scene = await openScene(join(folder, "scene.tif"));
  const { width, height } = scene;
  const { bands } = await scene.read({ x: 0, y: 0, width, height });
  return Float32Array.from(
    bands.flatMap((band, i) =>
      Array.from(band, (value) => (value - (mean[i] ?? 0)) / (std[i] ?? 1)),
    ),
  );
}

/** Runs of the bare detector a second, one after the other, and the processor's time for one. */
async function bare(detect: () => Promise<unknown>, runs: number) {
  const [began, cpu] = [performance.now(), process.cpuUsage()];
  for (let i = 0; i < runs; i++) await detect();
  const { user, system } = process.cpuUsage(cpu);
  const perSecond = (1000 * runs) / (performance.now() - began);
  return { perSecond, cpuMs: (user + system) / 1000 / runs };
}

const quantile = (values: readonly number[], q: number): number =>
  values.toSorted((a, b) => a - b)[Math.min(values.length - 1, Math.floor(q * values.length))] ?? Number.NaN; // prettier-ignore

describe("server", () => {
  for (const name of Object.keys(MODELS) as (keyof typeof MODELS)[])
    bench(
      `throughput against bare inference: ${name}`,
      async () => {
        const made = await kit(TILE_PX, name);
        const engine = await createEngine(undefined, NODE_ENGINES);
        await using detector = await loadDetector(made.model, engine, { threads: 1, batch: 1 });
        const tile = await pixelsOf(made, detector.card.input);
        const detect = () => detector.detect(tile, 1, { width: TILE_PX, height: TILE_PX });
        const rows: Record<string, unknown>[] = [];
        {
          await using server = await start(made, "--threads", "1", "--concurrency", "4");
          await load(server, made, 2 * REQUESTS, 6);
          await bare(detect, REQUESTS);
          for (let round = 0; round < ROUNDS; round++) {
            const before = await bare(detect, REQUESTS / 2);
            const { answers, perSecond, cpuMs } = await load(server, made, REQUESTS, 6);
            const after = await bare(detect, REQUESTS / 2);
            const rate = (before.perSecond + after.perSecond) / 2;
            const bareMs = (before.cpuMs + after.cpuMs) / 2;
            const times = answers.map(({ ms }) => ms);
            rows.push({
              ...{ "bare /s": rate.toFixed(1), "served /s": perSecond.toFixed(1) },
              ...{ ratio: (perSecond / rate).toFixed(2) },
              ...{ "bare CPU ms": bareMs.toFixed(1), "beside it": (cpuMs - bareMs).toFixed(1) },
              "p50 ms": Math.round(quantile(times, 0.5)),
              "p95 ms": Math.round(quantile(times, 0.95)),
              "p99 ms": Math.round(quantile(times, 0.99)),
            });
          }
        }
        console.table(rows);
        rmSync(made.folder, { recursive: true });
      },
      once,
    );

  bench(
    "memory over 2,000 requests",
    async () => {
      const made = await kit(SMALL_PX);
      const rows: Record<string, unknown>[] = [];
      {
        await using server = await start(made, "--threads", "1");
        for (let done = 0; done < 2000; done += 250) {
          const { answers, perSecond } = await load(server, made, 250, 4);
          const failed = answers.filter(({ status }) => status !== 200).length;
          const times = answers.map(({ ms }) => ms);
          const p = (q: number): string => quantile(times, q).toFixed(1);
          rows.push({
            ...{ requests: done + 250, failed, "resident MB": Math.round(server.memory().now) },
            ...{
              "/s": Math.round(perSecond),
              "p50 ms": p(0.5),
              "p95 ms": p(0.95),
              "p99 ms": p(0.99),
            },
          });
        }
      }
      console.table(rows);
      rmSync(made.folder, { recursive: true });
    },
    once,
  );

  bench(
    "overload",
    async () => {
      const made = await kit(SMALL_PX);
      const rows: Record<string, unknown>[] = [];
      {
        await using server = await start(
          made,
          "--threads",
          "1",
          "--concurrency",
          "2",
          "--queue",
          "8",
        );
        for (const atOnce of [4, 10, 100, 4]) {
          const { answers } = await load(server, made, Math.max(40, 2 * atOnce), atOnce);
          const of = (status: number) => answers.filter((answer) => answer.status === status);
          rows.push({
            ...{ "at once": atOnce, requests: answers.length, "200": of(200).length, "503": of(503).length, broken: of(0).length },
            "p95 ms of 200": quantile(of(200).map(({ ms }) => ms), 0.95).toFixed(1),
            "p95 ms of 503": quantile(of(503).map(({ ms }) => ms), 0.95).toFixed(1),
          }); // prettier-ignore
        }
      }
      console.table(rows);
      rmSync(made.folder, { recursive: true });
    },
    once,
  );
});

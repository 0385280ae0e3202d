/**
 * What a run costs the host: processor time of the page's thread a run, our engine against ONNX Runtime Web's WebGPU,
 * on one model in one Chromium; and what a visitor downloads for either. Ratios of one run on one machine.
 *
 * The thread's own processor time, so that waiting for a GPU (in software here) is not counted on either side.
 */
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { type Browser, chromium } from "playwright-core";
import { createServer } from "vite";
import { bench, describe } from "vitest";
import type { FamilyName } from "../../models/index.ts";
import { CHROMIUM_WEBGPU, MODULES } from "../browser/webgpu-page.ts";
import type { Page } from "../browser/webgpu-page.ts";
import { engineBundle, ROOT, untrained } from "./engine-bundle.ts";

const SIDE = 64;
const RUNS = 10;

const ENGINES = ["webgpu", "onnxruntime-web"] as const;

/** Loads a model in the page and warms it up; gives a function that runs it, under a name of the page's own. */
async function open([name, model, side]: readonly [string, readonly number[], number]) {
  const { pipeline } = (globalThis as unknown as Page).nadir;
  const engine = await pipeline.createEngine(name);
  const session = await engine.load(Uint8Array.from(model), { device: "webgpu" });
  const image = new Float32Array(3 * side * side).fill(0.5);
  const feeds = {
    image: { type: "float32", dims: [1, 3, side, side], data: image },
    gsd_m: { type: "float32", dims: [1, 1], data: new Float32Array(1) },
  } as const;
  const run = async (count: number) => {
    for (let i = 0; i < count; i++) await session.run(feeds);
  };
  await run(3);
  Object.assign(globalThis, { run });
}

const runIn = (count: number) =>
  (globalThis as unknown as { run: (count: number) => Promise<void> }).run(count);

/** Milliseconds a run: the page's thread, and from start to end. */
async function measure(browser: Browser, address: string, name: string, model: readonly number[]) {
  const page = await browser.newPage();
  await page.route(`${address}blank`, (route) =>
    route.fulfill({ contentType: "text/html", body: MODULES }),
  );
  await page.goto(`${address}blank`);
  await page.waitForFunction(() => "nadir" in globalThis);
  await page.evaluate(open, [name, model, SIDE] as const);
  const client = await page.context().newCDPSession(page);
  await client.send("Performance.enable", { timeDomain: "threadTicks" });
  const threadMs = async () => {
    const { metrics } = await client.send("Performance.getMetrics");
    return 1000 * (metrics.find((metric) => metric.name === "TaskDuration")?.value ?? 0);
  };
  const [before, start] = [await threadMs(), performance.now()];
  await page.evaluate(runIn, RUNS);
  const [after, end] = [await threadMs(), performance.now()];
  await page.close();
  return { host: (after - before) / RUNS, whole: (end - start) / RUNS };
}

async function inChromium(families: readonly FamilyName[]): Promise<void> {
  const server = await createServer({
    ...{ configFile: false, root: ROOT, logLevel: "error" },
    server: { port: 0, fs: { strict: false } },
    optimizeDeps: { exclude: ["onnxruntime-web"] },
  });
  await server.listen();
  const executablePath = process.env["CHROMIUM"] ?? "/usr/bin/chromium";
  const browser = await chromium.launch({ executablePath, args: [...CHROMIUM_WEBGPU] });
  const address = server.resolvedUrls?.local[0] ?? "";
  for (const family of families) {
    const model = [...untrained(family, SIDE)];
    const [ours, theirs] = [
      await measure(browser, address, ENGINES[0], model),
      await measure(browser, address, ENGINES[1], model),
    ];
    const line = (what: "host" | "whole") =>
      `${what} ${ours[what].toFixed(2)} / ${theirs[what].toFixed(2)} ms = ${(ours[what] / theirs[what]).toFixed(3)}`;
    console.log(`${family}, ours / ONNX Runtime Web: ${line("host")}, ${line("whole")}`);
  }
  await browser.close();
  await server.close();
}

/** Bytes of the engine alone, as a page would load it. */
async function downloads(): Promise<void> {
  const code = await engineBundle();
  const wasm = readFileSync(
    fileURLToPath(import.meta.resolve("onnxruntime-web/ort-wasm-simd-threaded.asyncify.wasm")),
  );
  const [ours, theirs] = [gzipSync(code).length, gzipSync(wasm).length];
  console.log(
    `download  ours ${(ours / 1024).toFixed(1)} KB gzipped (${(code.length / 1024).toFixed(0)} KB), ONNX Runtime Web's WASM ${(theirs / 1024).toFixed(0)} KB gzipped, ratio ${(ours / theirs).toFixed(4)}`,
  );
}

describe("webgpu", () => {
  bench(
    "host cost of a run, and downloads",
    async () => {
      await downloads();
      await inChromium(["vit", "yolo-caa"]);
    },
    { iterations: 1, time: 0, warmupIterations: 0, warmupTime: 0 },
  );
});

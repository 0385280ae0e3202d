/** The WebGPU engine in Chromium against ONNX Runtime in Node, on the same network and picture. */
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { type Browser, chromium } from "playwright-core";
import { createServer, type ViteDevServer } from "vite";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { detector, inferenceGraph, initialWeights } from "../../models/index.ts";
import { expectClose } from "../close.ts";
import { numbers } from "../numbers.ts";
import { runNative } from "../onnxruntime.ts";
import { CHROMIUM_WEBGPU, MODULES } from "./webgpu-page.ts";
import type { Page } from "./webgpu-page.ts";

const executablePath = process.env["CHROMIUM"] ?? "/usr/bin/chromium";
const missing = !existsSync(executablePath);
if (missing) console.warn(`skipped: no Chromium at ${executablePath} (set CHROMIUM)`);

const SIDE = 64;
const OPTIONS = { family: "vit", size: "pico", classes: 3 } as const;

describe.skipIf(missing)("the WebGPU engine in Chromium", () => {
  let server: ViteDevServer;
  let browser: Browser;

  beforeAll(async () => {
    server = await createServer({
      configFile: false,
      root: fileURLToPath(new URL("../..", import.meta.url)),
      logLevel: "error",
      server: { port: 0, fs: { strict: false } },
      optimizeDeps: { exclude: ["onnxruntime-web"] },
    });
    await server.listen();
    browser = await chromium.launch({ executablePath, args: [...CHROMIUM_WEBGPU] });
  }, 60_000);

  afterAll(async () => {
    await browser?.close();
    await server?.close();
  });

  test("a detector gives what ONNX Runtime gives", async ({ skip }) => {
    const page = await browser.newPage();
    const address = server.resolvedUrls?.local[0] ?? "";
    await page.route(`${address}blank`, (route) =>
      route.fulfill({ contentType: "text/html", body: MODULES }),
    );
    await page.goto(`${address}blank`);
    await page.waitForFunction(() => "nadir" in globalThis);
    const image = numbers(3 * SIDE * SIDE, 1, true);
    const found = await page.evaluate(
      async ({ options, side, pixels }) => {
        const { models, pipeline } = (globalThis as unknown as Page).nadir;
        if ((await pipeline.webgpu.devices()).length === 0) return undefined;
        const size = { batch: 1, widthPx: side, heightPx: side };
        const graph = models.inferenceGraph(models.detector(options), size);
        const weights = models.initialWeights(graph);
        const session = await pipeline.webgpu.load({ graph, weights });
        const outputs = await session.run({
          image: { type: "float32", dims: [1, 3, side, side], data: Float32Array.from(pixels) },
          gsd_m: { type: "float32", dims: [1, 1], data: Float32Array.of(0.5) },
        });
        return Object.entries(outputs).map(([name, { data }]) => [name, Array.from(data, Number)]);
      },
      { options: OPTIONS, side: SIDE, pixels: [...image] },
    );
    if (found === undefined) return skip("skipped: this Chromium has no WebGPU adapter");
    const graph = inferenceGraph(detector(OPTIONS), { batch: 1, widthPx: SIDE, heightPx: SIDE });
    const wanted = await runNative(graph, initialWeights(graph), { image, gsd_m: [0.5] });
    expect(found.map(([name]) => name)).toEqual(Object.keys(wanted));
    for (const [name, data] of found as [string, number[]][]) {
      expectClose(data, wanted[name]!, 1e-4, name);
    }
  }, 180_000);
});

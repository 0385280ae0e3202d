import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { type Browser, chromium } from "playwright-core";
import { createServer, type ViteDevServer } from "vite";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { CELLS, headFile, rowsWith, turned } from "../models/decode/heads.ts";

const executablePath = process.env["CHROMIUM"] ?? "/usr/bin/chromium";
const missing = !existsSync(executablePath);
if (missing) console.warn(`skipped: no Chromium at ${executablePath} (set CHROMIUM)`);

const MODEL = headFile({
  image: [1, 3, 64, 64],
  outputs: { output0: turned(rowsWith(CELLS, 7, { 3: [32, 16, 20, 10, 0.1, 0.2, 0.9] })) },
});

const PAGE = `<!doctype html><script type="module">
  globalThis.nadir = await import("/pipeline/index.ts");
</script>`;
interface Page {
  readonly nadir: typeof import("../../pipeline/index.ts");
}

describe.skipIf(missing)("onnxruntime-web in Chromium", () => {
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
    browser = await chromium.launch({
      executablePath,
      args: ["--no-sandbox", "--enable-unsafe-webgpu", "--use-webgpu-adapter=swiftshader"],
    });
  }, 60_000);

  afterAll(async () => {
    await browser?.close();
    await server?.close();
  });

  test.for(["wasm", "webgpu"])(
    "a detector is recognised and finds its object on %s",
    async (device, { skip }) => {
      const page = await browser.newPage();
      const address = server.resolvedUrls?.local[0] ?? "";
      await page.route(`${address}blank`, (route) =>
        route.fulfill({ contentType: "text/html", body: PAGE }),
      );
      await page.goto(`${address}blank`);
      await page.waitForFunction(() => "nadir" in globalThis);
      const found = await page.evaluate(
        async ({ model, on }) => {
          const { createEngine, loadDetector } = (globalThis as unknown as Page).nadir;
          const engine = await createEngine("onnxruntime-web");
          if (!(await engine.devices()).includes(on)) return undefined;
          const detector = await loadDetector(Uint8Array.from(model), engine, { device: on });
          const { perTile } = await detector.detect(new Float32Array(3 * 64 * 64), 1);
          const boxes = perTile[0]?.boxes;
          return {
            head: detector.decision.name,
            xyxy: boxes?.kind === "axis-aligned" ? [...boxes.xyxy] : [],
          };
        },
        { model: [...MODEL], on: device },
      );
      if (found === undefined) skip(`skipped: this Chromium has no ${device}`);
      expect(found).toEqual({
        head: "yolov8",
        xyxy: [22, 11, 42, 21],
      });
    },
  );
});

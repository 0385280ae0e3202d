/** The WebGPU engine in Chromium against ONNX Runtime in Node, on the same networks and pictures. */
import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { type Browser, chromium, type Page as Tab } from "playwright-core";
import { createServer, type ViteDevServer } from "vite";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import * as datasets from "../../datasets/index.ts";
import * as models from "../../models/index.ts";
import type { FamilyName, ShippedCard } from "../../models/index.ts";
import * as pipeline from "../../pipeline/index.ts";
import type { Engine, FoundObject } from "../../pipeline/index.ts";
import { listShipped, NODE_ENGINES } from "../../pipeline/node.ts";
import { expectClose } from "../close.ts";
import { numbers } from "../numbers.ts";
import { runNative } from "../onnxruntime.ts";
import { CHROMIUM_WEBGPU, MODULES } from "./webgpu-page.ts";
import type { Page } from "./webgpu-page.ts";

const executablePath = process.env["CHROMIUM"] ?? "/usr/bin/chromium";
const missing = !existsSync(executablePath);
if (missing) console.warn(`skipped: no Chromium at ${executablePath} (set CHROMIUM)`);

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
/** Side of the pictures of networks with random weights, and of shipped ones. */
const [SIDE, SHIPPED_SIDE] = [64, 160];
const shipped = await listShipped();
const NO_ADAPTER = "skipped: this Chromium has no WebGPU adapter";

interface Asked {
  readonly rooms: Page["nadir"];
  readonly engine: Engine;
  readonly card: ShippedCard;
  /** Weights of the card as their file has them. */
  readonly bytes: Uint8Array;
  readonly side: number;
}

/** Runs in Node and, as text, in the page: all it uses is handed to it. */
async function find({ rooms, engine, card, bytes, side }: Asked): Promise<FoundObject[]> {
  const size = { batch: 1, widthPx: side, heightPx: side };
  const file = rooms.models.buildShipped(card, rooms.models.readWeights(bytes), size);
  const model = await rooms.pipeline.loadDetector(file, engine);
  const place = { seed: 5, sizePx: side, gsdM: 0.3, place: "airport" } as const;
  const scene = rooms.datasets.memoryScene(rooms.datasets.synthesiseTile(place).pixels);
  const { settings } = rooms.pipeline.resolveSettings({
    option: { scoreAtLeast: 0.05, scales: [] },
    model: rooms.pipeline.settingsOfModel(model.card),
  });
  const found: FoundObject[] = [];
  for await (const object of rooms.pipeline.detect(scene, model, settings)) found.push(object);
  await model[Symbol.asyncDispose]();
  return found.map((object) => ({ ...object, corners: Array.from(object.corners) as never }));
}

describe.skipIf(missing)("the WebGPU engine in Chromium", () => {
  let server: ViteDevServer;
  let browser: Browser;
  let tab: Tab;

  beforeAll(async () => {
    server = await createServer({
      configFile: false,
      root: ROOT,
      logLevel: "error",
      server: { port: 0, fs: { strict: false } },
      optimizeDeps: { exclude: ["onnxruntime-web"] },
    });
    await server.listen();
    browser = await chromium.launch({ executablePath, args: [...CHROMIUM_WEBGPU] });
    tab = await browser.newPage();
    const address = server.resolvedUrls?.local[0] ?? "";
    await tab.route(`${address}blank`, (route) =>
      route.fulfill({ contentType: "text/html", body: MODULES }),
    );
    const open = async () => {
      await tab.goto(`${address}blank`);
      await tab.waitForFunction(() => "nadir" in globalThis, undefined, { timeout: 60_000 });
    };
    // On a clean checkout Vite prepares packages while they are first asked for, and its first answers may be outdated.
    await open().catch(open);
  }, 180_000);

  afterAll(async () => {
    await browser?.close();
    await server?.close();
  });

  const hasAdapter = () =>
    tab.evaluate(async () => {
      const { webgpu } = (globalThis as unknown as Page).nadir.pipeline;
      return (await webgpu.devices()).length > 0;
    });

  test.for<FamilyName>(["yolo-caa", "vit", "swin"])(
    "%s gives what ONNX Runtime gives",
    { timeout: 180_000 },
    async (family, { skip }) => {
      if (!(await hasAdapter())) return skip(NO_ADAPTER);
      const options = { family, size: "pico", classes: 3 } as const;
      const image = numbers(3 * SIDE * SIDE, 1, true);
      const found = await tab.evaluate(
        async ({ options, side, pixels }) => {
          const { models, pipeline } = (globalThis as unknown as Page).nadir;
          const size = { batch: 1, widthPx: side, heightPx: side };
          const graph = models.inferenceGraph(models.detector(options), size);
          const weights = models.initialWeights(graph);
          const session = await pipeline.webgpu.load({ graph, weights });
          const outputs = await session.run({
            image: { type: "float32", dims: [1, 3, side, side], data: Float32Array.from(pixels) },
            gsd_m: { type: "float32", dims: [1, 1], data: Float32Array.of(0.5) },
          });
          return Object.entries(outputs).map(([name, { data }]) => [
            name,
            Array.from(data, Number),
          ]);
        },
        { options, side: SIDE, pixels: [...image] },
      );
      const size = { batch: 1, widthPx: SIDE, heightPx: SIDE };
      const graph = models.inferenceGraph(models.detector(options), size);
      const weights = models.initialWeights(graph);
      const wanted = await runNative(graph, weights, { image, gsd_m: [0.5] });
      expect(found.map(([name]) => name)).toEqual(Object.keys(wanted));
      for (const [name, data] of found as [string, number[]][]) {
        expectClose(data, wanted[name]!, 1e-4, name);
      }
    },
  );

  test.for(shipped.map((card) => [card.name, card] as const))(
    "shipped %s finds what it finds in Node",
    { timeout: 240_000 },
    async ([name, card], { skip }) => {
      if (!(await hasAdapter())) return skip(NO_ADAPTER);
      const file = `models/weights/${name}.safetensors`;
      const wanted = await find({
        rooms: { datasets, models, pipeline },
        engine: await pipeline.createEngine("onnxruntime-node", NODE_ENGINES),
        card,
        bytes: readFileSync(`${ROOT}/${file}`),
        side: SHIPPED_SIDE,
      });
      const rooms = await tab.evaluateHandle(() => (globalThis as unknown as Page).nadir);
      const engine = await rooms.evaluateHandle(({ pipeline }) => pipeline.webgpu);
      const bytes = await tab.evaluateHandle(
        async (address) => new Uint8Array(await (await fetch(address)).arrayBuffer()),
        `/${file}`,
      );
      const asked = { rooms, engine, card, bytes, side: SHIPPED_SIDE };
      const found = (await tab.evaluate(find as never, asked)) as FoundObject[];
      expect(wanted.length).toBeGreaterThan(0);
      expect(found.map((object) => object.class)).toEqual(wanted.map((object) => object.class));
      for (const [i, object] of wanted.entries()) {
        expect(Math.abs(object.score - found[i]!.score)).toBeLessThan(1e-3);
        expectClose(found[i]!.corners, object.corners, 1e-3);
      }
    },
  );
});

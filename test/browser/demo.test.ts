import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import type { Download, Page, Worker } from "playwright-core";
import sharp from "sharp";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { crsFromText, openSceneFromBlob } from "../../datasets/index.ts";
import {
  buildMatchedFilter,
  buildShipped,
  detector,
  inferenceGraph,
  initialWeights,
} from "../../models/index.ts";
import {
  createEngine,
  detect,
  type FoundObject,
  loadDetector,
  readResult,
  resolveSettings,
  settingsOfModel,
} from "../../pipeline/index.ts";
import { buildShippedModel, listShipped, NODE_ENGINES } from "../../pipeline/node.ts";
import { type Demo, drop, listenToStatus, missing, sampleTiff, startDemo } from "./demo-page.ts";

const AXE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const DONE = "section[aria-label=Export]";

describe.skipIf(missing)("the browser demo", () => {
  let demo: Demo;
  let page: Page;
  let sample: Awaited<ReturnType<typeof sampleTiff>>;
  const complaints: string[] = [];

  beforeAll(async () => {
    [demo, sample] = await Promise.all([startDemo(), sampleTiff(1184, 1728)]);
  }, 120_000);
  afterAll(() => demo?.[Symbol.asyncDispose]());

  beforeEach(async () => {
    page = await demo.browser.newPage({ viewport: { width: 1024, height: 700 } });
    page.on("pageerror", ({ message }) => complaints.push(message));
    await page.goto(demo.address);
    await page.waitForSelector(".welcome");
  });
  afterEach(async () => {
    await page.close();
    expect(complaints.splice(0)).toEqual([]);
  });

  const shown = async (): Promise<number> =>
    Number.parseInt((await page.textContent("section[aria-label=Objects] h2")) ?? "", 10);

  /** A map drawn without a GPU takes most of a test's time; where it is not the point, the plain viewer does. */
  const withoutWebGl = async (): Promise<void> => {
    await page.addInitScript(() => {
      const { prototype } = HTMLCanvasElement;
      const original = Object.getOwnPropertyDescriptor(prototype, "getContext")?.value as (
        kind: string,
      ) => unknown;
      Object.assign(prototype, {
        getContext(this: HTMLCanvasElement, kind: string) {
          return kind.startsWith("webgl") ? null : original.call(this, kind);
        },
      });
    });
    await page.reload();
    await page.waitForSelector(".welcome");
    await chooseBuiltIn();
  };

  /** It finds what is in the sample exactly, and in a fraction of a trained detector's time. */
  const chooseBuiltIn = async (): Promise<void> => {
    await page.selectOption("label.choice select", "built-in");
    await page.waitForSelector(".badge.chosen");
  };

  test(
    "a scene dropped on a fresh page is looked at by the default detector, as in Node",
    { timeout: 120_000 },
    async () => {
      const fetched: string[] = [];
      page.on("request", (request) => void fetched.push(request.url()));
      const small = await sampleTiff(700, 500);
      await drop(page, "small.tif", small.bytes);
      await page.waitForSelector(DONE, { timeout: 90_000 });
      const standard = (await listShipped()).find(({ isDefault }) => isDefault);
      expect(fetched.filter((url) => url.endsWith(".safetensors"))).toEqual([
        demo.weightsOf(standard!.name),
      ]);
      expect(await page.inputValue("label.choice select")).toBe(standard!.name);
      const inNode = await detectInNode(
        small.bytes,
        await buildShippedModel(standard!.name, { batch: 1 }),
      );
      expect(inNode.length).toBeGreaterThan(10);
      const text = await exported(page, "GeoJSON");
      const { objects } = readResult(text, "page", { scene: small.scene, crsFrom: crsFromText });
      expectSame(objects, inNode);

      await page.selectOption("label.choice select", "yolo-caa-pico");
      await expect
        .poll(() => page.textContent("section[aria-label=Model] .facts"), { timeout: 20_000 })
        .toMatch(/^yolo-caa-pico/);
    },
  );

  test("a dropped GeoTIFF shows objects tile by tile, and exports what Node finds", async () => {
    await chooseBuiltIn();
    const status = await listenToStatus(page);
    await drop(page, "harbour.tif", sample.bytes);
    await page.waitForSelector(DONE);
    const said = await status();
    const early = said.filter((line) => /^[1-4] of 6 tiles/.test(line));
    expect(early.some((line) => / [1-9]\d* object/.test(line))).toBe(true);

    const inNode = await detectInNode(sample.bytes, buildMatchedFilter());
    expect(await shown()).toBe(inNode.length);
    const text = await exported(page, "GeoJSON");
    const { objects } = readResult(text, "page", { scene: sample.scene, crsFrom: crsFromText });
    expectSame(objects, inNode);

    // The slider and the legend filter at once, and the export follows them.
    await page.fill("section[aria-label=Objects] input[type=range]", "0.9");
    const confident = inNode.filter(({ score }) => score >= Math.fround(0.9));
    expect(await shown()).toBe(confident.length);
    expect(confident.length).toBeLessThan(inNode.length);
    await page.uncheck(".legend li:first-child input");
    const rest = confident.filter(({ class: name }) => name !== "ship");
    expect(await shown()).toBe(rest.length);
    const rows = (await exported(page, "CSV")).trim().split("\r\n");
    expect(rows.length - 1).toBe(rest.length);
  });

  test("a click on the map says what the object is", async () => {
    await chooseBuiltIn();
    await drop(page, "harbour.tif", sample.bytes);
    await page.waitForSelector(DONE);
    await page.waitForSelector(".maplibregl-canvas");
    const measures = "section[aria-label='Selected object'] dl";
    await page.click("button[aria-label='Next object']");
    const walked = await page.textContent(measures);
    expect(walked).toMatch(/Score0\.\d\dLength\d.* mWidth\d.* mBearing\d+°Place45\./);
    const middle = await middleOf(page);
    // Away from it first, then on it: the walk has brought it into the middle.
    await expect
      .poll(
        async () => {
          await page.mouse.click(middle.x + 90, middle.y + 60);
          await page.mouse.click(middle.x, middle.y);
          return page.textContent(measures, { timeout: 500 }).catch(() => undefined);
        },
        { timeout: 15_000 },
      )
      .toBe(walked);
  });

  test("a photo lies in the plain viewer and is measured in pixels", async () => {
    await withoutWebGl();
    const { bands } = await sample.scene.read({ x: 0, y: 0, width: 640, height: 480 });
    const rgb = Uint8Array.from({ length: 3 * 640 * 480 }, (_, i) => bands[i % 3]![(i / 3) | 0]!);
    const png = await sharp(rgb, { raw: { width: 640, height: 480, channels: 3 } })
      .png()
      .toBuffer();
    await drop(page, "photo.png", png);
    await page.waitForSelector(DONE);
    await page.focus("canvas.plain-viewer");
    await page.click("button[aria-label='Next object']");
    expect(await page.textContent("section[aria-label='Selected object'] dl")).toMatch(
      /Length\d+ pxWidth\d+ px/,
    );
    const middle = await middleOf(page);
    await page.mouse.click(middle.x + 2, middle.y + 2);
    expect(await page.textContent("section[aria-label='Selected object'] h2")).toBe("ship");
    const picture = await download(page, "PNG");
    const { width, height, format } = await sharp(await picture.path()).metadata();
    expect({ width, height, format }).toEqual({ width: 640, height: 480, format: "png" });
  });

  test("an ONNX file of one's own takes the built-in model's place", async () => {
    await withoutWebGl();
    await drop(page, "own.onnx", buildMatchedFilter({ sizePx: 480 }));
    await page.waitForSelector(".badge.chosen");
    expect(await page.textContent(".badge.chosen")).toMatch(/^WebAssembly [\d.,]+ m?s\/tile$/);
    const status = await listenToStatus(page);
    await drop(page, "harbour.tif", sample.bytes);
    await page.waitForSelector(DONE);
    expect((await status()).some((line) => line.startsWith("1 of 15 tiles"))).toBe(true);
  });

  test("WebGPU is measured when asked for, and set against WebAssembly", async ({ skip }) => {
    const fetched: string[] = [];
    page.on("request", (request) => void fetched.push(request.url()));
    await drop(page, "small.onnx", smallNetwork());
    await page.waitForSelector(".badge.chosen");
    const compare = page.getByText("Compare with WebGPU");
    if (!(await compare.isVisible())) skip("skipped: this Chromium has no WebGPU adapter");
    await compare.click();
    const badges = page.locator(".badge");
    await expect.poll(() => badges.count(), { timeout: 50_000 }).toBe(2);
    const said = (await badges.nth(1).textContent()) ?? "";
    expect(said).toMatch(/^WebGPU [\d.,]+ m?s\/tile/);
    const [, difference = "0"] = /differ by (\S+) at most/.exec(said) ?? [];
    expect(Number(difference)).toBeLessThan(1e-3);
    expect(await page.locator(".badge.chosen").count()).toBe(1);
    expect(fetched.filter((url) => url.endsWith(".wasm"))).toHaveLength(1);
  });

  test(
    "on a GPU the first objects cost no ONNX Runtime, and a lost device is left for WebAssembly",
    {
      timeout: 120_000,
    },
    async ({ skip }) => {
      // Software that calls itself a GPU, and whose device can be taken away.
      const pretend = `
      for (const [name, value] of [["isFallbackAdapter", false], ["architecture", "test"]])
        Object.defineProperty(GPUAdapterInfo.prototype, name, { get: () => value });
      const request = GPUAdapter.prototype.requestDevice;
      GPUAdapter.prototype.requestDevice = async function (...args) {
        return (globalThis.opened = await request.apply(this, args));
      };`;
      await page.route(/\/assets\/worker-.*\.js$/, async (route) => {
        const response = await route.fetch();
        await route.fulfill({ response, body: pretend + (await response.text()) });
      });
      const fetched: string[] = [];
      page.on("request", (request) => void fetched.push(request.url()));
      await page.reload();
      const hasAdapter = await page.evaluate(async () =>
        Boolean(await (navigator.gpu as GPU | undefined)?.requestAdapter()),
      );
      if (!hasAdapter) skip("skipped: this Chromium has no WebGPU adapter");
      await drop(page, "small.onnx", smallNetwork());
      await page.waitForSelector(".badge.chosen");
      expect(await page.textContent(".badge.chosen")).toMatch(/^WebGPU [\d.,]+ m?s\/tile$/);
      const small = await sampleTiff(256, 192);
      await drop(page, "small.tif", small.bytes);
      await page.waitForSelector(DONE, { timeout: 60_000 });
      expect(await shown()).toBeGreaterThan(0);
      await page.waitForSelector(".maplibregl-canvas");
      expect(fetched.filter((url) => url.endsWith(".wasm"))).toEqual([]);
      const standard = (await listShipped()).find(({ isDefault }) => isDefault)!;
      const weights = demo.bytesOf([demo.weightsOf(standard.name)]);
      expect(weights).toBeGreaterThan(1e6);
      // Page, worker, engine, the map of a georeferenced scene, and the detector.
      expect(demo.bytesOf(fetched)).toBeGreaterThan(4e5);
      expect(demo.bytesOf(fetched) + weights).toBeLessThan(3e6);

      await page
        .workers()
        .find((worker) => worker.url().includes("/assets/worker-"))!
        .evaluate(() => (globalThis as unknown as { opened: GPUDevice }).opened.destroy());
      await page.click("text=Detect again");
      await expect
        .poll(() => page.textContent(".badge.chosen"), { timeout: 20_000 })
        .toMatch(/^WebAssembly/);
      expect(await page.textContent("section[aria-label=Run]")).toMatch(/going on without it/);
      await expect
        .poll(() => page.textContent("[role=status]"), { timeout: 30_000 })
        .toMatch(/^\d+ objects? in/);
      // Not how many: untrained scores nearly tie, and which of two neighbours wins is chance.
      expect(await shown()).toBeGreaterThan(0);
    },
  );

  test("a model that the WebGPU engine does not run is left to ONNX Runtime, with the reason", async ({
    skip,
  }) => {
    await drop(page, "filters.onnx", buildMatchedFilter({ sizePx: 128 }));
    await page.waitForSelector(".badge.chosen");
    const compare = page.getByText("Compare with WebGPU");
    if (!(await compare.isVisible())) skip("skipped: this Chromium has no WebGPU adapter");
    await compare.click();
    await expect
      .poll(() => page.locator(".badge:not(.chosen)").textContent(), { timeout: 30_000 })
      .toMatch(/^WebGPU cannot be used: .*TopK/);
    expect(await page.isVisible("text=Compare with ONNX Runtime's WebGPU")).toBe(true);
  });

  test("the attention lab shows how far each operator sees", async () => {
    await withoutWebGl();
    await drop(page, "harbour.tif", sample.bytes);
    await page.waitForSelector(DONE);
    await page.click("text=Compare operators");
    await page.waitForSelector(".lab");
    // By closed form: all; a window of 8; all; the 7-pool and strips of 11 reach 8; two mixings of 7 reach 6.
    expect(await seenBy(page)).toEqual([256, 64, 256, 256, 169]);
    // In the first patch, the same reaches cut off at the tile's edge.
    const heat = page.locator(".operators canvas").first();
    await heat.click({ position: { x: 3, y: 3 } });
    expect(await seenBy(page)).toEqual([256, 64, 256, 81, 49]);
    await heat.press("ArrowRight");
    expect(await seenBy(page)).toEqual([256, 64, 256, 90, 56]);
    expect(await seriousViolations(page)).toEqual([]);
    await heat.press("Escape");
    expect(await page.isVisible(".lab")).toBe(false);
  });

  test("a cancelled run keeps what its tiles have shown, and another one can follow", async () => {
    await withoutWebGl();
    // As soon as a tile is done: a hand that goes through the test's process may come after the last one.
    await page.evaluate(() => {
      new MutationObserver((_, observer) => {
        if (!/^[1-5] of/.test(document.querySelector("[role=status]")?.textContent ?? "")) return;
        observer.disconnect();
        document.querySelector<HTMLButtonElement>("section[aria-label=Run] button")?.click();
      }).observe(document.body, { subtree: true, childList: true, characterData: true });
    });
    await drop(page, "harbour.tif", sample.bytes);
    await page.waitForSelector(DONE);
    expect(await page.textContent("[role=status]")).toMatch(/^Cancelled: \d+ objects? in/);
    const kept = await shown();
    expect(kept).toBeGreaterThan(0);
    await page.click("text=Detect again");
    await page.waitForFunction(() =>
      /^\d+ objects in/.test(document.querySelector("[role=status]")?.textContent ?? ""),
    );
    expect(await shown()).toBeGreaterThan(kept);
  });

  test.for([
    ["holiday.txt", "Not a picture at all", /holiday\.txt: /],
    ["cut-off.tif", "II*\0", /cut-off\.tif: /],
    ["broken.onnx", "no model", /model/i],
  ] as const)("%s is refused with a sentence", async ([name, content, sentence]) => {
    await withoutWebGl();
    await drop(page, name, new TextEncoder().encode(content));
    await page.waitForSelector(".problem");
    expect(await page.textContent(".problem p")).toMatch(sentence);
    // The page still works.
    await drop(page, "harbour.tif", sample.bytes);
    await page.waitForSelector(".legend");
    expect(await page.isVisible(".problem")).toBe(false);
  });

  test("a worker that dies is replaced, and the page says so", async () => {
    await withoutWebGl();
    const isOurs = (worker: Worker): boolean => worker.url().includes("worker-");
    await expect.poll(() => page.workers().filter(isOurs).length, { timeout: 10_000 }).toBe(1);
    await page
      .workers()
      .find(isOurs)!
      .evaluate(() => {
        setTimeout(() => {
          throw new RangeError("Array buffer allocation failed");
        });
      });
    await page.waitForSelector(".problem");
    expect(await page.textContent(".problem p")).toMatch(
      /The worker stopped .*allocation failed.*open the scene again/,
    );
    await drop(page, "harbour.tif", sample.bytes);
    await page.waitForSelector(DONE);
  });

  test("a browser without WebAssembly SIMD is told so", async () => {
    await page.addInitScript(() => {
      WebAssembly.validate = () => false;
    });
    await page.reload();
    expect(await page.textContent(".problem p")).toMatch(/no WebAssembly SIMD/);
  });

  test.for([
    ["dark", 1280],
    ["light", 390],
  ] as const)("axe finds nothing serious in %s at %i px", async ([colorScheme, width]) => {
    await chooseBuiltIn();
    await page.emulateMedia({ colorScheme });
    await page.setViewportSize({ width, height: 800 });
    expect(await seriousViolations(page)).toEqual([]);
    await drop(page, "harbour.tif", sample.bytes);
    await page.waitForSelector(DONE);
    await page.click("button[aria-label='Next object']");
    for (const summary of await page.$$("summary")) await summary.click();
    expect(await seriousViolations(page)).toEqual([]);
    const overflow = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
    expect(overflow).toBeLessThanOrEqual(0);
  });
});

/** A network of the zoo, untrained, as a file. */
function smallNetwork(): Uint8Array {
  const [network, classes, sidePx] = [
    { family: "vit", size: "pico", classes: 2 } as const,
    ["plane", "ship"],
    64,
  ];
  const size = { batch: 1, widthPx: sidePx, heightPx: sidePx };
  const weights = initialWeights(inferenceGraph(detector(network), size), { seed: 4 });
  const about = {
    name: "small",
    summary: "for tests",
    licence: "Apache-2.0",
    sha256: "0".repeat(64),
  };
  const habits = { tilePx: sidePx, overlapPx: 8, scoreAtLeast: 0.001 };
  const history = { data: [], recipe: {}, metrics: {} };
  return buildShipped({ network, classes, ...about, ...habits, ...history }, weights, size);
}

/** Without looks at other scales, which the page leaves out unless it is asked for them. */
async function detectInNode(tiff: Uint8Array, model: Uint8Array): Promise<readonly FoundObject[]> {
  await using scene = await openSceneFromBlob(new Blob([tiff.slice()]), "harbour.tif");
  const engine = await createEngine(undefined, NODE_ENGINES);
  await using detector = await loadDetector(model, engine);
  const { settings } = resolveSettings({
    option: { scales: [] },
    model: settingsOfModel(detector.card),
  });
  const objects: FoundObject[] = [];
  for await (const object of detect(scene, detector, settings)) objects.push(object);
  return objects;
}

/**
 * Same objects in the same order: corners within a hundredth of a pixel, from whichever of them a file begins its ring;
 * scores within 1e-4 (sums in another order).
 */
function expectSame(
  objects: readonly Pick<FoundObject, "corners" | "score" | "classIndex">[],
  expected: readonly FoundObject[],
): void {
  expect(objects.map(({ classIndex }) => classIndex)).toEqual(
    expected.map(({ classIndex }) => classIndex),
  );
  objects.forEach(({ corners, score }, i) => {
    expect(Math.abs(score - expected[i]!.score)).toBeLessThan(1e-4);
    const theirs = expected[i]!.corners;
    for (let k = 0; k < 8; k += 2) {
      const apart = [0, 2, 4, 6].map((j) =>
        Math.hypot(corners[k]! - theirs[j]!, corners[k + 1]! - theirs[j + 1]!),
      );
      expect(Math.min(...apart)).toBeLessThan(0.01);
    }
  });
}

async function download(page: Page, title: string): Promise<Download> {
  const [file] = await Promise.all([
    page.waitForEvent("download"),
    page.click(`${DONE} button:text-is("${title}")`),
  ]);
  return file;
}

async function exported(page: Page, title: string): Promise<string> {
  return readFileSync(await (await download(page, title)).path(), "utf8");
}

/** Patches that the chosen one takes notice of, by operator. */
async function seenBy(page: Page): Promise<readonly number[]> {
  const texts = await page.locator(".operators dl div:first-child dd").allTextContents();
  return texts.map((text) => Number.parseInt(text, 10));
}

async function middleOf(page: Page): Promise<{ readonly x: number; readonly y: number }> {
  const box = await page.locator(".viewer").boundingBox();
  return { x: box!.x + box!.width / 2, y: box!.y + box!.height / 2 };
}

/** Rules that axe finds broken with serious or critical impact, and where. */
async function seriousViolations(page: Page): Promise<readonly string[]> {
  await page.evaluate(AXE);
  return page.evaluate(async () => {
    const { axe } = globalThis as unknown as { axe: typeof import("axe-core") };
    const { violations } = await axe.run();
    return violations
      .filter(({ impact }) => impact === "serious" || impact === "critical")
      .flatMap(({ id, nodes }) => nodes.map(({ html }) => `${id}: ${html.slice(0, 120)}`));
  });
}

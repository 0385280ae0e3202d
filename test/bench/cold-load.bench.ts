/**
 * From a blank page to the first result, in a browser that has been started for it: our engine against ONNX Runtime Web's
 * WebGPU, on one model file. Both come as one bundle from a server on this machine, so that what a network adds is left to
 * the bytes, which are printed beside.
 */
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { chromium } from "playwright-core";
import { bench, describe } from "vitest";
import type { FamilyName } from "../../models/index.ts";
import { CHROMIUM_WEBGPU } from "../browser/webgpu-page.ts";
import { engineBundle, untrained } from "./engine-bundle.ts";

const SIDE = 64;
const ROUNDS = 3;

const fileAt = (specifier: string): Buffer =>
  readFileSync(fileURLToPath(import.meta.resolve(specifier)));

const page = (open: string): string => `<!doctype html><script type="module">
  const start = performance.now();
  const model = new Uint8Array(await (await fetch("/model.onnx")).arrayBuffer());
  const image = new Float32Array(3 * ${SIDE} * ${SIDE}).fill(0.5);
  const gsd = new Float32Array(1);
  ${open}
  globalThis.ms = performance.now() - start;
</script>`;

const OURS = page(`
  const { webgpu } = await import("/ours.js");
  const session = await webgpu.load(model);
  await session.run({
    image: { type: "float32", dims: [1, 3, ${SIDE}, ${SIDE}], data: image },
    gsd_m: { type: "float32", dims: [1, 1], data: gsd },
  });`);

const THEIRS = page(`
  const { env, InferenceSession, Tensor } = await import("/ort.mjs");
  env.wasm.wasmPaths = { wasm: "/ort.wasm" };
  env.wasm.numThreads = 1;
  const session = await InferenceSession.create(model, { executionProviders: ["webgpu"] });
  const outputs = await session.run({
    image: new Tensor("float32", image, [1, 3, ${SIDE}, ${SIDE}]),
    gsd_m: new Tensor("float32", gsd, [1, 1]),
  });
  for (const output of Object.values(outputs)) await output.getData();`);

async function firstResult(address: string): Promise<number> {
  const executablePath = process.env["CHROMIUM"] ?? "/usr/bin/chromium";
  const browser = await chromium.launch({ executablePath, args: [...CHROMIUM_WEBGPU] });
  try {
    const tab = await browser.newPage();
    tab.on("pageerror", (error) => console.warn(error.message));
    await tab.goto(address);
    await tab.waitForFunction(() => "ms" in globalThis, undefined, { timeout: 120_000 });
    return await tab.evaluate(() => (globalThis as unknown as { ms: number }).ms);
  } finally {
    await browser.close();
  }
}

const median = (all: readonly number[]): number =>
  all.toSorted((a, b) => a - b)[all.length >> 1] ?? Number.NaN;

async function coldLoads(families: readonly FamilyName[]): Promise<void> {
  const bundle = await engineBundle();
  const [code, wasm] = [
    fileAt("onnxruntime-web/webgpu"),
    fileAt("onnxruntime-web/ort-wasm-simd-threaded.asyncify.wasm"),
  ];
  const files = new Map<string, readonly [type: string, body: string | Uint8Array]>([
    ["/ours", ["text/html", OURS]],
    ["/theirs", ["text/html", THEIRS]],
    ["/ours.js", ["text/javascript", bundle]],
    ["/ort.mjs", ["text/javascript", code]],
    ["/ort.wasm", ["application/wasm", wasm]],
  ]);
  const server = createServer((request, response) => {
    const [type, body] = files.get(request.url ?? "") ?? [];
    if (type === undefined) return void response.writeHead(404).end();
    response.writeHead(200, { "content-type": type }).end(body);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const kilobytes = (...all: readonly (string | Uint8Array)[]) =>
    (all.reduce((sum, one) => sum + gzipSync(one).length, 0) / 1024).toFixed(0);
  console.log(`engine, gzipped: ours ${kilobytes(bundle)} KB, theirs ${kilobytes(code, wasm)} KB`);
  for (const family of families) {
    files.set("/model.onnx", ["application/octet-stream", untrained(family, SIDE)]);
    const [ours, theirs]: [number[], number[]] = [[], []];
    for (let round = 0; round < ROUNDS; round++) {
      ours.push(await firstResult(`${address}/ours`));
      theirs.push(await firstResult(`${address}/theirs`));
    }
    const [a, b] = [median(ours), median(theirs)];
    console.log(
      `${family}: first result after ${a.toFixed(0)} ms / ${b.toFixed(0)} ms = ${(a / b).toFixed(2)}`,
    );
  }
  server.close();
}

describe("cold load", () => {
  bench("first result, ours / ONNX Runtime Web", () => coldLoads(["vit", "yolo-caa", "swin"]), {
    iterations: 1,
    time: 0,
    warmupIterations: 0,
    warmupTime: 0,
  });
});

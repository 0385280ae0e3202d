/** The built demo in Chromium: for tests, which say aloud where there is none. */
import { existsSync, mkdtempSync, readdirSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { type Browser, chromium, type Page } from "playwright-core";
import { build, preview } from "vite";
import {
  crsFromEpsg,
  memorySink,
  synthesise,
  type Synthetic,
  writeGeoTiff,
} from "../../datasets/index.ts";

const executablePath = process.env["CHROMIUM"] ?? "/usr/bin/chromium";
export const missing: boolean = !existsSync(executablePath);
if (missing) console.warn(`skipped: no Chromium at ${executablePath} (set CHROMIUM)`);

export interface Demo extends AsyncDisposable {
  readonly address: string;
  readonly browser: Browser;
  /** Bytes of these addresses of the page, each once, as `nadir serve` sends them; what is not the page's counts nothing. */
  readonly bytesOf: (urls: readonly string[]) => number;
  /** Where the weights of a shipped model lie. */
  readonly weightsOf: (model: string) => string;
}

/** Builds the page into a temporary folder and serves it. */
export async function startDemo(): Promise<Demo> {
  const configFile = fileURLToPath(new URL("../../web/demo/vite.config.ts", import.meta.url));
  const outDir = mkdtempSync(join(tmpdir(), "nadir-demo-"));
  await build({ configFile, logLevel: "error", build: { outDir, reportCompressedSize: false } });
  const server = await preview({
    configFile,
    logLevel: "error",
    build: { outDir },
    preview: { port: 0, host: "127.0.0.1" },
  });
  const browser = await chromium.launch({
    executablePath,
    args: [
      "--no-sandbox",
      "--use-angle=swiftshader",
      "--enable-unsafe-swiftshader",
      "--enable-unsafe-webgpu",
      "--use-webgpu-adapter=swiftshader",
    ],
  });
  const address = server.resolvedUrls?.local[0] ?? "";
  return {
    address,
    browser,
    bytesOf: (urls) =>
      [...new Set(urls)]
        .filter((url) => url.startsWith(address))
        .map((url) => new URL(url).pathname)
        .map((path) => sentBytes(join(outDir, path === "/" ? "index.html" : path)))
        .reduce((a, b) => a + b, 0),
    weightsOf(model) {
      const files = readdirSync(join(outDir, "assets"));
      // A dash and a hash of eight signs, in which there may be dashes.
      const file = files.find((name) => name.replace(/-.{8}\.safetensors$/, "") === model);
      if (file === undefined) throw new Error(`the build must hold the weights of ${model}`);
      return `${address}assets/${file}`;
    },
    [Symbol.asyncDispose]: async () => {
      await browser.close();
      await server.close();
      rmSync(outDir, { recursive: true, force: true });
    },
  };
}

/** Compressed where the build has left a compressed file, as a server sends it to a browser that takes all. */
function sentBytes(path: string): number {
  const sent = [`${path}.br`, `${path}.gz`].find((one) => existsSync(one)) ?? path;
  return statSync(sent).size;
}

/** A seeded scene with known objects as a GeoTIFF, in UTM 33 and half-metre pixels. */
export async function sampleTiff(
  width: number,
  height: number,
): Promise<Synthetic & { readonly bytes: Uint8Array }> {
  const transform = [0.5, 0, 400_000, 0, -0.5, 5_050_000] as const;
  const sample = synthesise({ seed: 20, width, height, crs: crsFromEpsg(32_633), transform });
  const sink = memorySink();
  const { scene } = sample;
  await writeGeoTiff(sink, { ...scene }, async (window) => (await scene.read(window)).bands);
  return { ...sample, bytes: sink.bytes() };
}

/** Drops a file on the page, as a hand would. */
export async function drop(page: Page, name: string, bytes: Uint8Array): Promise<void> {
  const base64 = Buffer.from(bytes).toString("base64");
  await page.evaluate(
    async ({ as, content }) => {
      const blob = await (await fetch(`data:application/octet-stream;base64,${content}`)).blob();
      const dataTransfer = new DataTransfer();
      dataTransfer.items.add(new File([blob], as));
      document
        .querySelector("main")
        ?.dispatchEvent(new DragEvent("drop", { dataTransfer, bubbles: true, cancelable: true }));
    },
    { as: name, content: base64 },
  );
}

/** Everything that the page's status line says from now on. */
export async function listenToStatus(page: Page): Promise<() => Promise<readonly string[]>> {
  await page.evaluate(() => {
    const said: string[] = [];
    Object.assign(globalThis, { said });
    new MutationObserver(() => {
      const text = document.querySelector("[role=status]")?.textContent ?? "";
      const shown = document.querySelector("section[aria-label=Objects] h2")?.textContent ?? "";
      const counts = [...document.querySelectorAll(".legend .count")].map((e) => e.textContent);
      said.push(`${text} | ${shown} | ${counts.join(" ")}`);
    }).observe(document.body, { subtree: true, childList: true, characterData: true });
  });
  return () => page.evaluate(() => (globalThis as unknown as { said: string[] }).said);
}

/**
 * `npx tsx test/browser/large-scene.ts [side] [model]`: the demo on a 50-megapixel GeoTIFF, as a person would use it, with
 * the built-in filters or a model of the list. Prints what was downloaded before the first object, how long it took, how
 * much memory the page had, and how many of the objects that are in the scene were found. Not part of `npm test`: it
 * takes minutes on a small machine.
 */
import { readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { compare } from "../../cli/demo.ts";
import { sampleTiff, startDemo } from "./demo-page.ts";

const [side, model] = [Number(process.argv[2] ?? 7168), process.argv[3] ?? "built-in"];
const path = join(tmpdir(), `nadir-${side}.tif`);
const sample = await sampleTiff(side, side);
writeFileSync(path, sample.bytes);
console.log(`scene      ${side} × ${side} px, ${(sample.bytes.length / 1e6).toFixed(0)} MB`);

const demo = await startDemo();
const page = await demo.browser.newPage({ viewport: { width: 1024, height: 700 } });
const fetched: string[] = [];
page.on("request", (request) => void fetched.push(request.url()));
await page.goto(demo.address);
await page.selectOption("label.choice select", model);
const startMs = performance.now();
const seconds = (): string => ((performance.now() - startMs) / 1000).toFixed(1);
let peakMb = 0;
const sampling = setInterval(() => (peakMb = Math.max(peakMb, renderersMb())), 500);

await page.setInputFiles(".welcome input[type=file]", path);
const noLimit = { timeout: 0 };
await page.waitForFunction(
  () => /[1-9]/.test(document.querySelector("section[aria-label=Objects] h2")?.textContent ?? ""),
  undefined,
  noLimit,
);
console.log(
  `first      object after ${seconds()} s, ${(demo.bytesOf(fetched) / 1e6).toFixed(1)} MB downloaded`,
);
await page.waitForSelector("section[aria-label=Export]", noLimit);
console.log(`done       after ${seconds()} s: ${await page.textContent("[role=status]")}`);
const [file] = await Promise.all([
  page.waitForEvent("download", noLimit),
  page.click('button:text-is("GeoJSON")'),
]);
clearInterval(sampling);
console.log(`memory     ${peakMb.toFixed(0)} MB in the largest of the browser's processes`);

const { found, known, extra } = compare(readFileSync(await file.path(), "utf8"), sample);
console.log(
  `compared   ${found} of ${known} known objects were found, ${extra} reports are of none`,
);
await demo[Symbol.asyncDispose]();
rmSync(path);

/** Resident memory of the largest renderer of a headless Chromium, in megabytes. Linux only; elsewhere 0. */
function renderersMb(): number {
  try {
    return Math.max(
      0,
      ...readdirSync("/proc")
        .filter((name) => /^\d+$/.test(name))
        .map((pid) => {
          try {
            const command = readFileSync(`/proc/${pid}/cmdline`, "utf8");
            if (!command.includes("--type=renderer")) return 0;
            const kb = /VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1];
            return Number(kb ?? 0) / 1000;
          } catch {
            return 0; // it has ended
          }
        }),
    );
  } catch {
    return 0;
  }
}

/**
 * `npm run golden -- --dir DIR`: every golden case of a folder in ONNX Runtime, its worst error, and a summary.
 * Exits with 1 if a case fails.
 */
import { existsSync } from "node:fs";
import { basename } from "node:path";
import { parseArgs } from "node:util";
import { casesIn, runCase } from "./run.ts";

const { values } = parseArgs({ options: { dir: { type: "string" } } });
const folder = values.dir ?? process.env["NADIR_GOLDEN"] ?? "../shared/golden";

if (!existsSync(folder) || casesIn(folder).length === 0) {
  console.error(`golden: --dir must be a folder of .safetensors cases, received ${folder}`);
  process.exit(1);
}

const without: string[] = [];
let [passed, failed] = [0, 0];
for (const path of casesIn(folder)) {
  const verdict = await runCase(path);
  if (verdict === undefined) {
    without.push(basename(path, ".safetensors"));
    continue;
  }
  const { name, worst, at, compared, fault } = verdict;
  const isGood = fault === undefined && worst <= 1;
  if (isGood) passed++;
  else failed++;
  const error = Number.isNaN(worst)
    ? ""
    : `${worst.toFixed(3)} × tolerance at ${at}, ${compared} tensors`;
  console.log(
    `${isGood ? "ok  " : "FAIL"} ${name.padEnd(40)} ${error}${fault ? `  ${fault}` : ""}`,
  );
}
console.log(`\n${passed} passed, ${failed} failed, ${without.length} without a row`);
if (without.length > 0) console.log(`no row: ${without.join(", ")}`);
if (failed > 0) process.exitCode = 1;

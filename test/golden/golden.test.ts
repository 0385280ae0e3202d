/** The golden cases: outputs (and gradients) of the official codes, in ONNX Runtime. */
import { existsSync } from "node:fs";
import { basename } from "node:path";
import { describe, expect, test } from "vitest";
import { casesIn, runCase } from "./run.ts";

const folder = process.env["NADIR_GOLDEN"] ?? "../shared/golden";
const paths = existsSync(folder) ? casesIn(folder) : [];
if (paths.length === 0) {
  console.log(`golden cases skipped: none in ${folder} (set NADIR_GOLDEN to their folder)`);
}

describe.skipIf(paths.length === 0)("golden cases", () => {
  test.for(paths.map((path) => [basename(path, ".safetensors"), path] as const))(
    "%s",
    async ([name, path], { skip }) => {
      const verdict = await runCase(path);
      if (verdict === undefined) return skip(`no row answers for ${name}`);
      expect(verdict.fault).toBeUndefined();
      expect(verdict.compared).toBeGreaterThan(0);
      expect(verdict.worst).toBeLessThanOrEqual(1);
    },
  );
});

/**
 * `npm test`: everything that must hold, cheapest first. The last line is `N passed, N failed`, with
 * `, N skipped` where tests were skipped; each check of the code counts as one.
 *
 * `npm test -- test/cli` runs these tests only.
 */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { binOf, runNode, setUp } from "../cli/setup.mjs";

setUp();
const filters = process.argv.slice(2);
const tally = { passed: 0, failed: 0, skipped: 0 };

if (filters.length === 0) {
  check("types", binOf("@typescript/native", "tsc"), ["--noEmit"]);
  check("lint", binOf("oxlint"), ["--quiet", "."]);
  check("imports", binOf("dependency-cruiser", "depcruise"), [
    ".",
    "--config",
    ".dependency-cruiser.cjs",
  ]);
  check("dead code", binOf("knip"), ["--no-progress"]);
  check("format", binOf("oxfmt"), ["--check", "."]);
}
runTests();

const skipped = tally.skipped > 0 ? `, ${tally.skipped} skipped` : "";
process.exitCode = tally.failed > 0 ? 1 : 0;
process.stdout.write(`${tally.passed} passed, ${tally.failed} failed${skipped}\n`);

function check(name, script, args) {
  const startedMs = performance.now();
  const passed = runNode(script, args, { stdio: ["ignore", "inherit", "inherit"] }) === 0;
  tally[passed ? "passed" : "failed"] += 1;
  const seconds = ((performance.now() - startedMs) / 1000).toFixed(1);
  process.stdout.write(`${passed ? "✓" : "✗"} ${name} (${seconds} s)\n`);
}

function runTests() {
  const folder = mkdtempSync(join(tmpdir(), "nadir-tests-"));
  const report = join(folder, "report.json");
  const reporters = ["--reporter=default", "--reporter=json", `--outputFile.json=${report}`];
  const status = runNode(binOf("vitest"), ["run", ...reporters, ...filters], {
    stdio: ["ignore", "inherit", "inherit"],
  });
  try {
    const { numPassedTests, numFailedTests, numPendingTests, numTodoTests, testResults } =
      JSON.parse(readFileSync(report, "utf8"));
    const unloadable = testResults.filter(
      ({ status: file, assertionResults }) =>
        file === "failed" && assertionResults.every((one) => one.status !== "failed"),
    ).length;
    tally.passed += numPassedTests;
    tally.failed += numFailedTests + unloadable;
    tally.skipped += numPendingTests + numTodoTests;
    if (status !== 0 && numFailedTests + unloadable === 0) tally.failed += 1; // an error outside of any test
  } catch {
    tally.failed += 1; // the runner itself fell over; its own lines say why
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

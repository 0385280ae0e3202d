import { expect, test } from "vitest";
import { memoryScene } from "../../datasets/index.ts";
import { estimateRun } from "../../pipeline/plan.ts";
import { resolveSettings } from "../../pipeline/settings/resolve.ts";
import { brightSpots } from "./bright-spots.ts";

const settings = resolveSettings({ option: { tilePx: 64, overlapPx: 0 } }).settings;

test("a plan counts tiles and the empty ones among them, and tries only a few", async () => {
  const valid = new Uint8Array(640 * 640).fill(1, 640 * 320);
  const band = Uint8Array.from({ length: 640 * 640 }, (_, i) => i % 7);
  const scene = memoryScene({ width: 640, height: 640, bands: [band], valid });
  const detector = brightSpots({ sizePx: 64, delayMs: () => 5 });
  const estimate = await estimateRun(scene, detector, settings);
  expect(estimate).toMatchObject({ tiles: 100, skipped: 50 });
  expect(estimate.megapixels).toBeCloseTo((50 * 64 * 64) / 1e6, 6);
  expect(estimate.msPerTile).toBeGreaterThan(4);
  expect(estimate.seconds).toBeCloseTo((50 * (estimate.msPerTile ?? 0)) / 1000, 6);
  expect(detector.calls()).toBe(4);
});

test("of a scene without data nothing is tried and nothing estimated", async () => {
  const scene = memoryScene({
    width: 128,
    height: 64,
    bands: [new Uint8Array(128 * 64)],
    nodata: 0,
  });
  const detector = brightSpots({ sizePx: 64 });
  const estimate = await estimateRun(scene, detector, settings);
  expect(estimate).toMatchObject({
    tiles: 2,
    skipped: 2,
    megapixels: 0,
    msPerTile: undefined,
    seconds: undefined,
  });
  expect(detector.calls()).toBe(0);
});

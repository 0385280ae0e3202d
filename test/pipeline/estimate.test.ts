import { expect, test } from "vitest";
import { memoryScene } from "../../datasets/index.ts";
import { estimate } from "../../pipeline/estimate.ts";
import { planScene } from "../../pipeline/scene-plan.ts";
import { resolveSettings } from "../../pipeline/settings/resolve.ts";
import { brightSpots } from "./bright-spots.ts";

const settings = resolveSettings({ option: { tilePx: 64, overlapPx: 0 } }).settings;

test("tiles are counted, and the empty ones among them, and only a few are tried", async () => {
  const valid = new Uint8Array(640 * 640).fill(1, 640 * 320);
  const band = Uint8Array.from({ length: 640 * 640 }, (_, i) => i % 7);
  const scene = memoryScene({ width: 640, height: 640, bands: [band], valid });
  const detector = brightSpots({ sizePx: 64, delayMs: () => 5 });
  const plan = await planScene(scene, detector.card, settings);
  const { tiles, withoutData, perTileMs, totalMs } = await estimate(scene, detector, plan);
  expect({ tiles, withoutData }).toEqual({ tiles: 100, withoutData: 50 });
  expect(perTileMs).toBeGreaterThan(4);
  expect(totalMs).toBeCloseTo(50 * (perTileMs ?? 0), 6);
  expect(detector.calls()).toBeLessThan(6);
});

test("of a scene without data nothing is tried and nothing estimated", async () => {
  const zeros = new Uint8Array(128 * 64);
  const scene = memoryScene({ width: 128, height: 64, bands: [zeros], nodata: 0 });
  const detector = brightSpots({ sizePx: 64 });
  const plan = await planScene(scene, detector.card, settings);
  expect(await estimate(scene, detector, plan)).toMatchObject({
    tiles: 2,
    withoutData: 2,
    perTileMs: undefined,
  });
  expect(detector.calls()).toBe(0);
});

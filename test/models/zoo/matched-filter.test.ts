import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { countFound, memoryScene, type Scene, synthesise } from "../../../datasets/index.ts";
import { buildMatchedFilter } from "../../../models/index.ts";
import {
  createEngine,
  detect,
  type Detector,
  type FoundObject,
  loadDetector,
  resolveSettings,
  settingsOfModel,
} from "../../../pipeline/index.ts";
import { NODE_ENGINES } from "../../../pipeline/node.ts";

const load = async (sizePx: number): Promise<Detector> =>
  loadDetector(buildMatchedFilter({ sizePx }), await createEngine(undefined, NODE_ENGINES));

async function find(scene: Scene, detector: Detector): Promise<FoundObject[]> {
  const { settings } = resolveSettings({ model: settingsOfModel(detector.card) });
  const found: FoundObject[] = [];
  for await (const object of detect(scene, detector, settings)) found.push(object);
  return found;
}

const reported = (objects: readonly FoundObject[]) => ({
  boxes: {
    kind: "oriented",
    frame: "scene",
    corners: Float64Array.from(objects.flatMap(({ corners }) => [...corners])),
  } as const,
  classes: objects.map(({ classIndex }) => classIndex),
});

describe("buildMatchedFilter", () => {
  let detector: Detector;
  beforeAll(async () => {
    detector = await load(512);
  });
  afterAll(() => detector[Symbol.asyncDispose]());

  test("is a model like any other: head, classes, resolution and scores are read from the file", () => {
    expect(detector.decision.name).toBe("nadir");
    expect(detector.card).toMatchObject({
      classes: ["ship", "vehicle", "storage-tank"],
      gsdM: { from: 0.5, to: 0.5 },
      oriented: true,
    });
    expect(detector.notices).toEqual([]);
  });

  test("finds at least 95 % of the objects of a scene it has not been tuned on, boxed to an IoU of 0.5", async () => {
    const { scene, labels } = synthesise({ seed: 2026, width: 1400, height: 1400 });
    const { found, known, extra } = countFound(labels, reported(await find(scene, detector)));
    expect(known).toBeGreaterThan(80);
    expect(found / known).toBeGreaterThanOrEqual(0.95);
    expect(extra / known).toBeLessThanOrEqual(0.05);
  });

  test("finds nothing where there is nothing but noise", async () => {
    let state = 1;
    const noise = Uint8Array.from({ length: 512 * 512 }, () => {
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
      return 100 + (state >>> 28);
    });
    const scene = memoryScene({ width: 512, height: 512, bands: [noise, noise, noise] });
    expect(await find(scene, detector)).toEqual([]);
  });

  test(
    "cut into tiles of 512, 640 or 1024 pixels a scene has the same objects, each once",
    { timeout: 180_000 },
    async () => {
      const { scene, labels } = synthesise({ seed: 5, width: 1300, height: 1100 });
      const counts = [countFound(labels, reported(await find(scene, detector)))];
      for (const sizePx of [640, 1024]) {
        await using other = await load(sizePx);
        counts.push(countFound(labels, reported(await find(scene, other))));
      }
      const known = labels.objects.length;
      expect(counts).toEqual(Array(3).fill({ found: known, known, extra: 0 }));
    },
  );

  test("sizes that do not fit its strides are refused", () => {
    expect(() => buildMatchedFilter({ sizePx: 500 })).toThrow(/multiple of 32 .* received 500/);
  });
});

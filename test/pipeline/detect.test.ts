import { setTimeout } from "node:timers/promises";
import { fc, test as property } from "@fast-check/vitest";
import { describe, expect, test } from "vitest";
import {
  type Crs,
  memoryScene,
  type MemorySceneOptions,
  type Scene,
} from "../../datasets/index.ts";
import { detect, type FlowOptions } from "../../pipeline/detect.ts";
import type { FoundObject } from "../../pipeline/objects.ts";
import type { RunReport } from "../../pipeline/report.ts";
import { resolveSettings, type SettingsInput } from "../../pipeline/settings/resolve.ts";
import { brightSpots } from "./bright-spots.ts";

type Box = readonly [x1: number, y1: number, x2: number, y2: number];

/** One patch at most in each 60 px cell, at most 40 px long. */
function patchwork(width: number, height: number, seed = 1): Box[] {
  let state = seed;
  const random = (below: number): number => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
  const boxes: Box[] = [];
  for (let y = 0; y + 60 <= height; y += 60) {
    for (let x = 0; x + 60 <= width; x += 60) {
      const [w, h] = [6 + random(35), 6 + random(35)];
      const [x1, y1] = [x + 5 + random(51 - w), y + 5 + random(51 - h)];
      if (random(4) > 0) boxes.push([x1, y1, x1 + w, y1 + h]);
    }
  }
  return boxes;
}

function paint(width: number, height: number, boxes: readonly Box[]): Uint8Array {
  // Not all of one value, or tiles without a patch would be left out as blank.
  const band = Uint8Array.from({ length: width * height }, (_, i) => 20 + (i % 7));
  for (const [x1, y1, x2, y2] of boxes) {
    for (let y = y1; y < y2; y++) band.fill(220, y * width + x1, y * width + x2);
  }
  return band;
}

function sceneOf(
  width: number,
  height: number,
  boxes: readonly Box[],
  more: Partial<MemorySceneOptions> = {},
): Scene {
  return memoryScene({ width, height, bands: [paint(width, height, boxes)], ...more });
}

const settingsOf = (option: SettingsInput) => resolveSettings({ option }).settings;

async function run(
  scene: Scene,
  detector: ReturnType<typeof brightSpots>,
  option: SettingsInput,
  options: FlowOptions = {},
): Promise<{ readonly objects: FoundObject[]; readonly report: RunReport }> {
  const objects: FoundObject[] = [];
  const flow = detect(scene, detector, settingsOf(option), options);
  let next = await flow.next();
  for (; next.done !== true; next = await flow.next()) objects.push(next.value);
  return { objects, report: next.value };
}

const boxOf = ({ corners }: FoundObject): string =>
  [corners[0], corners[1], corners[4], corners[5]].join(" ");
const sorted = (boxes: Iterable<string>): string[] => [...boxes].toSorted();

const degrees: Crs = {
  epsg: 4326,
  name: "WGS 84",
  kind: "geographic",
  metresPerUnit: undefined,
  definition: "EPSG:4326",
  toLonLat: (x, y) => [x, y],
  fromLonLat: (x, y) => [x, y],
};

describe("detect", () => {
  property.prop(
    [
      fc.record({
        width: fc.integer({ min: 130, max: 700 }),
        height: fc.integer({ min: 130, max: 700 }),
        sizePx: fc.integer({ min: 96, max: 400 }),
        more: fc.integer({ min: 0, max: 40 }),
        seed: fc.integer({ min: 1, max: 1e6 }),
        batch: fc.integer({ min: 1, max: 5 }),
      }),
    ],
    { numRuns: 40 },
  )(
    "however the scene is cut, every object is found once and exactly",
    async ({ width, height, sizePx, more, seed, batch }) => {
      const boxes = patchwork(width, height, seed);
      const settings = { tilePx: sizePx, overlapPx: 46 + Math.min(more, sizePx - 60), batch };
      const { objects } = await run(
        sceneOf(width, height, boxes),
        brightSpots({ sizePx }),
        settings,
      );
      expect(sorted(objects.map(boxOf))).toEqual(sorted(boxes.map((box) => box.join(" "))));
    },
  );

  test("two runs give the same objects in the same order, whatever the timing", async () => {
    const boxes = patchwork(600, 500);
    const settings = { tilePx: 128, overlapPx: 50, batch: 2 };
    const slow = (seed: number) => {
      let n = seed;
      const delayMs = (): number => (n = (n * 7 + 3) % 11);
      const scene = sceneOf(600, 500, boxes);
      const read: Scene["read"] = async (...args) => {
        await setTimeout(delayMs());
        return scene.read(...args);
      };
      return run({ ...scene, read }, brightSpots({ sizePx: 128, delayMs }), settings);
    };
    const [a, b] = [await slow(1), await slow(6)];
    expect(JSON.stringify(a.objects)).toBe(JSON.stringify(b.objects));
    expect(a.objects).toHaveLength(boxes.length);
  });

  test("a scene smaller than a tile is one tile", async () => {
    const { objects, report } = await run(
      sceneOf(50, 40, [[10, 12, 20, 30]]),
      brightSpots({ sizePx: 256 }),
      { tilePx: 256 },
    );
    expect(objects.map(boxOf)).toEqual(["10 12 20 30"]);
    expect(report.tiles).toMatchObject({ planned: 1, detected: 1 });
  });

  test("a scene of one pixel is no trouble", async () => {
    const { objects } = await run(sceneOf(1, 1, []), brightSpots({ sizePx: 64 }), { tilePx: 64 });
    expect(objects).toEqual([]);
  });

  test("an empty scene is not looked at, and the report says why nothing was found", async () => {
    const detector = brightSpots({ sizePx: 64 });
    const scene = sceneOf(200, 100, [], { valid: new Uint8Array(20_000) });
    const { objects, report } = await run(scene, detector, { tilePx: 64 });
    expect(objects).toEqual([]);
    expect(detector.calls()).toBe(0);
    expect(report.tiles.nodata).toBe(report.tiles.planned);
    expect(report.diagnosis[0]).toMatch(/no tile holds anything to look at \(8 of 8 are nodata/);
  });

  test("NaN and infinities are nodata: no NaN reaches the model, and objects beside them are found", async () => {
    const band = Float32Array.from(paint(200, 100, [[20, 20, 40, 40]]));
    band.fill(Number.NaN, 200 * 50);
    band.fill(Infinity, 0, 500);
    band[25 * 200 + 150] = -Infinity;
    const detector = brightSpots({ sizePx: 64 });
    let sawNaN = false;
    const watched = {
      ...detector,
      detect: (inputs: Float32Array, count: number) => {
        sawNaN ||= inputs.some((v) => !Number.isFinite(v));
        return detector.detect(inputs, count);
      },
    };
    const scene = memoryScene({ width: 200, height: 100, bands: [band] });
    const { objects } = await run(scene, watched, { tilePx: 64, overlapPx: 24, stretch: "0,255" });
    expect(objects.map(boxOf)).toEqual(["20 20 40 40"]);
    expect(sawNaN).toBe(false);
  });

  test("a box whose middle is nodata is dropped and counted", async () => {
    const valid = new Uint8Array(100 * 100).fill(1);
    for (let y = 28; y < 32; y++) valid.fill(0, y * 100 + 28, y * 100 + 32);
    // The hole is filled with the pad value, 0, so the patch round it is a ring with a hollow middle.
    const scene = sceneOf(
      100,
      100,
      [
        [20, 20, 40, 40],
        [60, 60, 70, 70],
      ],
      { valid },
    );
    const { objects, report } = await run(scene, brightSpots({ sizePx: 128 }), { tilePx: 128 });
    expect(objects.map(boxOf)).toEqual(["60 60 70 70"]);
    expect(report.dropped.onNodata).toBe(1);
  });

  test("tiles of one value, such as a white collar, are not looked at", async () => {
    const band = paint(256, 64, [[10, 10, 20, 20]]);
    for (let y = 0; y < 64; y++) band.fill(255, y * 256 + 128, (y + 1) * 256);
    const detector = brightSpots({ sizePx: 64 });
    const scene = memoryScene({ width: 256, height: 64, bands: [band] });
    const { report } = await run(scene, detector, { tilePx: 64, overlapPx: 0 });
    expect(report.tiles).toMatchObject({ planned: 4, blank: 2, detected: 2 });
    expect(detector.calls()).toBe(2);
  });

  test("an area of interest: tiles outside are not read, objects outside are dropped", async () => {
    const boxes = patchwork(600, 600);
    const scene = sceneOf(600, 600, boxes, {
      transform: [1e-5, 0, 10, 0, -1e-5, 50],
      crs: degrees,
    });
    const [west, south, east, north] = [10.001, 49.997, 10.003, 49.999];
    const ring = [
      [west, south],
      [east, south],
      [east, north],
      [west, north],
      [west, south],
    ];
    const { objects, report } = await run(scene, brightSpots({ sizePx: 128 }), {
      tilePx: 128,
      overlapPx: 50,
      aoi: { type: "Polygon", coordinates: [ring] },
    });
    const inside = boxes.filter(([x1, y1, x2, y2]) => {
      const [x, y] = [(x1 + x2) / 2, (y1 + y2) / 2];
      return x > 100 && x < 300 && y > 100 && y < 300;
    });
    expect(sorted(objects.map(boxOf))).toEqual(sorted(inside.map((box) => box.join(" "))));
    expect(report.tiles.outside).toBeGreaterThan(20);
    expect(report.dropped.outsideArea).toBeGreaterThan(0);
  });

  test("a scene of twice the model's resolution is halved, and boxes come back in its own pixels", async () => {
    const boxes = patchwork(600, 600).map(([x1, y1, x2, y2]): Box => [
      x1 & ~1,
      y1 & ~1,
      x2 & ~1,
      y2 & ~1,
    ]);
    const half = { tilePx: 96, overlapPx: 40, sceneGsdM: 0.25 };
    const { objects, report } = await run(
      sceneOf(600, 600, boxes),
      brightSpots({ sizePx: 96, gsdM: 0.5 }),
      half,
    );
    expect(report.resampling).toBe("gsd: raster 0.25 m, model 0.50 m → resampling ×0.50");
    expect(sorted(objects.map(boxOf))).toEqual(sorted(boxes.map((box) => box.join(" "))));
  });

  test("a tile larger than the input zooms the scene: the same objects, within a pixel of the input", async () => {
    const boxes = patchwork(600, 600);
    const { objects, report } = await run(sceneOf(600, 600, boxes), brightSpots({ sizePx: 128 }), {
      tilePx: 256,
      overlapPx: 60,
    });
    expect(objects).toHaveLength(boxes.length);
    expect(report.tiles.planned).toBe(9);
  });

  test("an object larger than a tile is found by the pass over the whole scene", async () => {
    const scene = sceneOf(512, 512, [[40, 40, 440, 440]]);
    const settings = { tilePx: 128, overlapPx: 32, fullPass: true };
    const { objects } = await run(scene, brightSpots({ sizePx: 128 }), settings);
    expect(objects.map(boxOf)).toContain("40 40 440 440");
  });

  test("looks at other scales add what the tiles cannot see, once, and only the sizes they see whole", async () => {
    const boxes: Box[] = [...patchwork(480, 300), [510, 120, 570, 180]];
    const scene = sceneOf(600, 300, boxes);
    // Sure of patches of 30² to 64² px alone: what is smaller is seen enlarged.
    const score = (areaPx: number): number => (areaPx >= 900 && areaPx <= 4096 ? 0.9 : 0.1);
    const seen = async (scales: readonly number[]) => {
      const settings = { tilePx: 128, overlapPx: 64, scales };
      return (await run(scene, brightSpots({ sizePx: 128, score }), settings)).objects.map(boxOf);
    };
    const area = ([x1, y1, x2, y2]: Box): number => (x2 - x1) * (y2 - y1);
    const alone = boxes.filter((box) => area(box) >= 900);
    expect((await seen([])).toSorted()).toEqual(alone.map((box) => box.join(" ")).toSorted());
    const all = await seen([2.5]);
    const [longest, atLeast] = [64 / 2.5, 900 / 2.5 ** 2];
    const enlarged = boxes.filter(
      ([x1, y1, x2, y2]) =>
        Math.max(x2 - x1, y2 - y1) < longest - 1 && area([x1, y1, x2, y2]) > 1.15 * atLeast,
    );
    expect(enlarged.length).toBeGreaterThan(3);
    for (const box of [...alone, ...enlarged]) {
      const near = all.filter((text) =>
        text.split(" ").every((v, i) => Math.abs(Number(v) - box[i]!) <= 1),
      );
      expect(near, box.join(" ")).toHaveLength(1);
    }
    expect(all.length).toBeLessThanOrEqual(boxes.length);
  });

  test("classes that were not asked for are left out, and the diagnosis says so", async () => {
    const scene = sceneOf(200, 200, patchwork(200, 200));
    const detector = brightSpots({ sizePx: 128, classes: ["spot", "ship"] });
    const { objects, report } = await run(scene, detector, {
      tilePx: 128,
      overlapPx: 50,
      classesOnly: ["ship"],
    });
    expect(objects).toEqual([]);
    expect(report.diagnosis.join("; ")).toMatch(/detections are of other classes than ship/);
    await expect(run(scene, detector, { tilePx: 128, classesOnly: ["shp"] })).rejects.toThrow(
      'a class must be one of the model\'s (spot, ship), received "shp"; did you mean ship?',
    );
  });

  test("where scores are low the diagnosis names the highest", async () => {
    const scene = sceneOf(200, 200, patchwork(200, 200));
    const detector = brightSpots({ sizePx: 128, score: () => 0.125 });
    const { report } = await run(scene, detector, { tilePx: 128, overlapPx: 50 });
    expect(report.diagnosis[0]).toBe(
      "nothing was found: the highest score anywhere is 0.125, and scoreAtLeast is 0.25",
    );
  });

  test("a least score for one class holds for that class", async () => {
    const scene = sceneOf(200, 200, patchwork(200, 200));
    const detector = brightSpots({ sizePx: 128, classes: ["spot", "ship"] });
    const strict = { tilePx: 128, overlapPx: 50, scoreAtLeast: { "*": 0.1, spot: 0.95 } };
    expect((await run(scene, detector, strict)).objects).toEqual([]);
  });

  test("an abort ends the run with the signal's reason and reads no further", async () => {
    const scene = sceneOf(1000, 1000, patchwork(1000, 1000));
    const stop = new AbortController();
    let reads = 0;
    const read: Scene["read"] = (...args) => {
      if (++reads === 10) stop.abort(new Error("enough"));
      return scene.read(...args);
    };
    const detector = brightSpots({ sizePx: 64 });
    await expect(
      run({ ...scene, read }, detector, { tilePx: 64, overlapPx: 16 }, { signal: stop.signal }),
    ).rejects.toThrow("enough");
    expect(reads).toBeLessThan(20);
  });

  test("progress rises to all tiles and ends with all objects", async () => {
    const seen: number[] = [];
    const boxes = patchwork(300, 300);
    const { report } = await run(
      sceneOf(300, 300, boxes),
      brightSpots({ sizePx: 128 }),
      { tilePx: 128, overlapPx: 50 },
      {
        onProgress: ({ done }) => seen.push(done),
      },
    );
    expect(seen).toEqual(seen.toSorted((a, b) => a - b));
    expect(seen.at(-1)).toBe(report.tiles.planned);
    expect(report.objects).toBe(boxes.length);
  });
});

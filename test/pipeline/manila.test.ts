import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { openScene } from "../../datasets/node.ts";
import {
  createEngine,
  detect,
  type FoundObject,
  loadDetector,
  resolveSettings,
  settingsOfModel,
} from "../../pipeline/index.ts";
import { NODE_ENGINES } from "../../pipeline/node.ts";

const data = process.env["NADIR_DATA"] ?? "../shared/data";
const scenePath = join(data, "scenes/manila_5b90f92da0d7280005fab355_4310.tif");
const modelPath = join(data, "onnx/yolox_nano.onnx");
const missing = [scenePath, modelPath].filter((path) => !existsSync(path));
if (missing.length > 0)
  console.log(`skipped: detection on the Manila scene needs ${missing.join(", ")}`);

/** Middles of vehicles that a person pointed out on the picture of the scene, in pixels. */
const VEHICLES: readonly (readonly [x: number, y: number])[] = [
  [1893, 549],
  [1716, 673],
  [1571, 837],
  [1499, 754],
  [1341, 708],
];
/** GDAL's geotransform of the scene, to metres of EPSG:3395. */
const [X0, DX, , Y0, , DY] = [
  13467532.0, 0.10009765625, 0.0, 1632019.875, 0.0, -0.0999755859375,
] as const;

test.skipIf(missing.length > 0)(
  "YOLOX-nano finds vehicles of the Manila scene where they are",
  { timeout: 120_000 },
  async () => {
    await using scene = await openScene(scenePath);
    const engine = await createEngine("onnxruntime-node", NODE_ENGINES);
    await using detector = await loadDetector(await readFile(modelPath), engine);
    const { settings } = resolveSettings({
      option: {
        scoreAtLeast: 0.3,
        overlapPx: 128,
        classesOnly: ["car", "truck", "bus"],
        classAgnostic: true,
      },
      model: settingsOfModel(detector.card),
    });
    const found: FoundObject[] = [];
    for await (const object of detect(scene, detector, settings)) found.push(object);

    expect(found.length).toBeGreaterThanOrEqual(4);
    for (const { corners, map, ground } of found) {
      const [x, y] = [(corners[0]! + corners[4]!) / 2, (corners[1]! + corners[5]!) / 2];
      const nearest = Math.min(...VEHICLES.map(([u, v]) => Math.hypot(x - u, y - v)));
      expect(nearest).toBeLessThan(12);
      for (let k = 0; k < 8; k += 2) {
        expect(Math.abs((map![k]! - X0) / DX - corners[k]!)).toBeLessThan(1e-6);
        expect(Math.abs((map![k + 1]! - Y0) / DY - corners[k + 1]!)).toBeLessThan(1e-6);
      }
      // A car is 4 to 5 m long, and its upright box a little larger than it.
      expect(ground?.lengthM).toBeGreaterThan(3);
      expect(ground?.lengthM).toBeLessThan(8);
    }
  },
);

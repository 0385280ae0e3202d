import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { createEngine, type Detector, loadDetector } from "../../pipeline/index.ts";
import { NODE_ENGINES } from "../../pipeline/node.ts";

const folder = join(process.env["NADIR_DATA"] ?? "../shared/data", "onnx");
const missing = !existsSync(folder);
if (missing) console.warn(`skipped: no published detectors in ${folder} (set NADIR_DATA)`);

async function load(file: string, engine = "onnxruntime-node"): Promise<Detector> {
  return loadDetector(readFileSync(join(folder, file)), await createEngine(engine, NODE_ENGINES));
}

describe.skipIf(missing)("published detectors", () => {
  test.each([
    ["yolox_nano.onnx", "yolox", 416],
    ["picodet_xs_320.onnx", "picodet", 320],
    ["fastestdet.onnx", "fastestdet", 352],
    ["deimv2_atto_int8.onnx", "rt-detr", 320],
  ])("%s is recognised as %s", async (file, head, width) => {
    await using detector = await load(file);
    expect(detector.decision.name).toBe(head);
    expect(detector.card.input).toMatchObject({ width, height: width, channels: 3, batch: 1 });
    expect(detector.card.classes).toHaveLength(80);
  });
});

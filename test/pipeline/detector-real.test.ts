import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { openScene } from "../../datasets/node.ts";
import { createEngine, type Detector, loadDetector } from "../../pipeline/index.ts";
import { NODE_ENGINES } from "../../pipeline/node.ts";

const data = process.env["NADIR_DATA"] ?? "../shared/data";
const missing = !existsSync(join(data, "onnx"));
if (missing) console.warn(`skipped: no published detectors in ${data}/onnx (set NADIR_DATA)`);

/** Score, class, x1, y1, x2, y2. Made by another decoder: test/fixtures/detectors. */
type Row = [number, number, number, number, number, number];
const ORACLE = JSON.parse(
  readFileSync(new URL("../fixtures/detectors/published-detections.json", import.meta.url), "utf8"),
) as Readonly<Record<string, readonly Row[]>>;

async function load(name: string, engine: string): Promise<Detector> {
  const file = readFileSync(join(data, "onnx", `${name}.onnx`));
  return loadDetector(file, await createEngine(engine, NODE_ENGINES));
}

/** The oracle's picture: every pixel 3 times each way, cut at (60, 360), padded with 114. */
async function picture({ card: { input } }: Detector): Promise<Float32Array> {
  await using scene = await openScene(join(data, "scenes/edge/hro_colorado.tif"));
  const { width: w, height: h } = scene;
  const { bands } = await scene.read({ x: 0, y: 0, width: w, height: h });
  const [width, height] = [input.width!, input.height!];
  const order = input.order === "rgb" ? [0, 1, 2] : [2, 1, 0];
  const out = new Float32Array(3 * height * width);
  for (const [channel, band] of order.entries()) {
    for (let y = 0; y < height; y++) {
      for (let x = 0; x < width; x++) {
        const [column, row] = [Math.floor((60 + x) / 3), Math.floor((360 + y) / 3)];
        const value = column < w && row < h ? bands[band]![row * w + column]! : 114;
        const at = (channel * height + y) * width + x;
        out[at] = (value - input.mean[channel]!) / input.std[channel]!;
      }
    }
  }
  return out;
}

async function find(detector: Detector): Promise<Row[]> {
  const inputs = await picture(detector);
  const { perTile } = await detector.detect(inputs, 1, { scoreAtLeast: 0.2 });
  const { count, boxes, scores, classes } = perTile[0]!;
  const values = boxes.kind === "axis-aligned" ? boxes.xyxy : boxes.corners;
  return Array.from(
    { length: count },
    (_, i): Row => [scores[i]!, classes[i]!, ...values.slice(4 * i, 4 * i + 4)] as Row,
  ).sort((a, b) => b[0] - a[0]);
}

describe.skipIf(missing)("published detectors", () => {
  test.each([
    ["yolox_nano", "yolox", 416, "onnxruntime-node"],
    ["picodet_xs_320", "picodet", 320, "onnxruntime-node"],
    ["fastestdet", "fastestdet", 352, "onnxruntime-node"],
    ["deimv2_atto_int8", "rt-detr", 320, "onnxruntime-node"],
    ["yolox_nano", "yolox", 416, "onnxruntime-web"],
    ["picodet_xs_320", "picodet", 320, "onnxruntime-web"],
    ["fastestdet", "fastestdet", 352, "onnxruntime-web"],
  ])(
    "%s is recognised as %s and finds what another decoder finds (%i px, %s)",
    async (name, head, width, engine) => {
      await using detector = await load(name, engine);
      expect(detector.decision.name).toBe(head);
      expect(detector.card.input).toMatchObject({ width, height: width, channels: 3, batch: 1 });
      expect(detector.card.classes).toHaveLength(80);
      const found = await find(detector);
      const expected = ORACLE[name]!;
      expect(found.map(([, klass]) => klass)).toEqual(expected.map(([, klass]) => klass));
      for (const [i, row] of found.entries()) {
        expect(row[0]).toBeCloseTo(expected[i]![0], 2);
        // Kernels of other instruction sets round otherwise: a tenth of a pixel.
        for (let k = 2; k < 6; k++) expect(Math.abs(row[k]! - expected[i]![k]!)).toBeLessThan(0.1);
      }
    },
  );

  test("all four see the same object", async () => {
    // A car in the middle of the upper half, in pixels of the picture that all four share.
    for (const name of Object.keys(ORACLE)) {
      await using detector = await load(name, "onnxruntime-node");
      const near = (await find(detector)).filter(
        ([, , x1, y1, x2, y2]) => Math.hypot((x1 + x2) / 2 - 271, (y1 + y2) / 2 - 118) < 6,
      );
      expect([name, near.length > 0]).toEqual([name, true]);
    }
  });
});

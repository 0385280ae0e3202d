import { afterAll, describe, expect, test } from "vitest";
import type { Detections } from "../../../datasets/index.ts";
import {
  createEngine,
  type Detector,
  type DetectorOptions,
  loadDetector,
} from "../../../pipeline/index.ts";
import { NODE_ENGINES } from "../../../pipeline/node.ts";
import { CELLS, headFile, type HeadFile, rowsWith, turned } from "./heads.ts";

const open: Detector[] = [];
afterAll(async () => {
  for (const detector of open) await detector[Symbol.asyncDispose]();
});

async function load(
  file: HeadFile,
  options: DetectorOptions = {},
  engine = "onnxruntime-node",
): Promise<Detector> {
  const detector = await loadDetector(
    headFile(file),
    await createEngine(engine, NODE_ENGINES),
    options,
  );
  open.push(detector);
  return detector;
}

const PICTURE = new Float32Array(3 * 64 * 64);

/** Rows of `[class, score, …coordinates]`, rounded to thousandths. */
async function find(detector: Detector, scoreAtLeast = 0.25): Promise<number[][]> {
  const { perTile } = await detector.detect(PICTURE, 1, { scoreAtLeast });
  return toRows(perTile[0]!);
}

function toRows({ count, boxes, scores, classes }: Detections<"tile">): number[][] {
  const values = boxes.kind === "oriented" ? boxes.corners : boxes.xyxy;
  const width = boxes.kind === "oriented" ? 8 : 4;
  const round = (x: number): number => Math.round(x * 1000) / 1000 + 0;
  return Array.from({ length: count }, (_, i) => [
    classes[i]!,
    round(scores[i]!),
    ...Array.from(values.slice(i * width, (i + 1) * width), round),
  ]);
}

const NAMES = { names: "{0: 'car', 1: 'ship', 2: 'plane'}" };

/** Corners of a box of 20 × 10 at (32, 16), turned by 30° clockwise on the screen. */
const TURNED = (() => {
  const [c, s] = [Math.cos(Math.PI / 6), Math.sin(Math.PI / 6)];
  const at = (u: number, v: number): number[] => [32 + u * c - v * s, 16 + u * s + v * c];
  return [...at(-10, -5), ...at(10, -5), ...at(10, 5), ...at(-10, 5)].map(
    (x) => Math.round(x * 1000) / 1000,
  );
})();

describe("YOLOv5", () => {
  const rows = rowsWith(3 * CELLS, 8, {
    5: [32, 16, 20, 10, 0.8, 0.1, 0.9, 0.2],
    6: [32, 16, 20, 10, 0.2, 0.1, 0.9, 0.2],
  });

  test("objectness times class, three rows a cell", async () => {
    const detector = await load({ outputs: { output0: rows } });
    expect(detector.decision.name).toBe("yolov5");
    expect(detector.card.classes).toEqual(["class 0", "class 1", "class 2"]);
    expect(detector.card.input).toMatchObject({ order: "rgb", std: [255, 255, 255] });
    expect(await find(detector)).toEqual([[1, 0.72, 22, 11, 42, 21]]);
    expect(await find(detector, 0.1)).toHaveLength(2);
  });

  test("masks are ignored aloud", async () => {
    const segment = rowsWith(3 * CELLS, 8 + 32, { 5: [32, 16, 20, 10, 0.8, 0.1, 0.9, 0.2, 5, -5] });
    const prototypes = { dims: [1, 32, 16, 16], values: new Float32Array(32 * 256) };
    const detector = await load({ outputs: { output0: segment, output1: prototypes } });
    expect(detector.decision.name).toBe("yolov5");
    expect(detector.card.classes).toHaveLength(3);
    expect(detector.notices.join()).toMatch(/Masks are ignored/);
    expect(await find(detector)).toEqual([[1, 0.72, 22, 11, 42, 21]]);
  });
});

describe("YOLOv8", () => {
  const rows = rowsWith(CELLS, 7, {
    3: [32, 16, 20, 10, 0.1, 0.2, 0.9],
    80: [10, 10, 4, 4, 0.3, 0.2, 0.1],
  });
  const expected = [
    [2, 0.9, 22, 11, 42, 21],
    [0, 0.3, 8, 8, 12, 12],
  ];

  test.each(["onnxruntime-node", "onnxruntime-web"])("in columns, on %s", async (engine) => {
    const detector = await load(
      { outputs: { output0: turned(rows) }, metadata: NAMES },
      {},
      engine,
    );
    expect(detector.decision.name).toBe("yolov8");
    expect(detector.card.classes).toEqual(["car", "ship", "plane"]);
    expect(detector.card.provenance["classes"]).toBe("metadata");
    expect(await find(detector)).toEqual(expected);
  });

  test("in rows, where the names leave no doubt", async () => {
    const detector = await load({ outputs: { output0: rows }, metadata: NAMES });
    expect(detector.decision.name).toBe("yolov8");
    expect(await find(detector)).toEqual(expected);
  });

  test("boxes in fractions of the input are scaled", async () => {
    const fractions = rowsWith(CELLS, 7, { 3: [0.5, 0.25, 0.3125, 0.15625, 0.1, 0.2, 0.9] });
    const detector = await load({ outputs: { output0: turned(fractions) } });
    expect(detector.decision.reasons.join()).toMatch(/fractions of the input/);
    expect(await find(detector)).toEqual([[2, 0.9, 22, 11, 42, 21]]);
  });

  test("the highest score is told also below the threshold", async () => {
    const detector = await load({ outputs: { output0: turned(rows) } });
    const { perTile, bestScores } = await detector.detect(PICTURE, 1, { scoreAtLeast: 0.95 });
    expect(perTile[0]?.count).toBe(0);
    expect(bestScores[0]).toBeCloseTo(0.9, 6);
  });

  test("key points are ignored aloud", async () => {
    const pose = rowsWith(CELLS, 5 + 51, { 3: [32, 16, 20, 10, 0.9, 7, 7, 0.5] });
    const metadata = { names: "{0: 'person'}", task: "pose" };
    const detector = await load({ outputs: { output0: turned(pose) }, metadata });
    expect(detector.notices.join()).toMatch(/Key points are ignored: 51/);
    expect(await find(detector)).toEqual([[0, 0.9, 22, 11, 42, 21]]);
  });
});

describe("YOLOv8-OBB", () => {
  const rows = rowsWith(CELLS, 8, {
    3: [32, 16, 20, 10, 0.1, 0.2, 0.9, Math.PI / 6],
    9: [9, 9, 2, 2, 0, 0, 0, -0.3],
  });

  test("the angle is known by its values", async () => {
    const detector = await load({ outputs: { output0: turned(rows) } });
    expect(detector.decision.name).toBe("yolov8-obb");
    expect(detector.decision.reasons.join()).toMatch(/leaves 0…1, so it is an angle/);
    expect(detector.card).toMatchObject({ oriented: true, classes: { length: 3 } });
    expect(await find(detector)).toEqual([[2, 0.9, ...TURNED]]);
  });

  test("the angle is known by the task", async () => {
    const small = rowsWith(CELLS, 8, { 3: [32, 16, 20, 10, 0.1, 0.2, 0.9, Math.PI / 6] });
    const metadata = { ...NAMES, task: "obb" };
    const detector = await load({ outputs: { output0: turned(small) }, metadata });
    expect(detector.decision.name).toBe("yolov8-obb");
    expect(await find(detector)).toEqual([[2, 0.9, ...TURNED]]);
  });

  test("whoever names the head is obeyed", async () => {
    const small = rowsWith(CELLS, 8, { 3: [32, 16, 20, 10, 0.1, 0.2, 0.9, Math.PI / 6] });
    const detector = await load({ outputs: { output0: turned(small) } }, { head: "yolov8-obb" });
    expect(await find(detector)).toEqual([[2, 0.9, ...TURNED]]);
  });
});

describe("YOLOv10 and YOLO26", () => {
  test("rows are boxes already", async () => {
    const rows = rowsWith(300, 6, { 0: [22, 11, 42, 21, 0.9, 2], 1: [8, 8, 12, 12, 0.3, 0] });
    const detector = await load({ outputs: { output0: rows }, metadata: NAMES });
    expect(detector.decision.name).toBe("yolo-end-to-end");
    expect(await find(detector)).toEqual([
      [2, 0.9, 22, 11, 42, 21],
      [0, 0.3, 8, 8, 12, 12],
    ]);
  });

  test("rows that were left over are no detections", async () => {
    const rows = rowsWith(300, 6, { 0: [22, 11, 42, 21, 0.9, 2] });
    const detector = await load({ outputs: { output0: rows }, metadata: NAMES });
    expect(await find(detector, 0)).toHaveLength(1);
  });

  test("key points are ignored aloud", async () => {
    const rows = rowsWith(300, 57, { 0: [22, 11, 42, 21, 0.9, 0, 7, 7, 0.5] });
    const metadata = { names: "{0: 'person'}", task: "pose" };
    const detector = await load({ outputs: { output0: rows }, metadata });
    expect(detector.decision.name).toBe("yolo-end-to-end");
    expect(detector.notices.join()).toMatch(/Key points are ignored: 51/);
    expect(await find(detector)).toEqual([[0, 0.9, 22, 11, 42, 21]]);
  });

  test("oriented rows", async () => {
    const rows = rowsWith(300, 7, { 0: [32, 16, 20, 10, 0.9, 2, Math.PI / 6] });
    const detector = await load({ outputs: { output0: rows }, metadata: NAMES });
    expect(detector.decision.name).toBe("yolo-end-to-end-obb");
    expect(await find(detector)).toEqual([[2, 0.9, ...TURNED]]);
  });

  test("masks are ignored aloud", async () => {
    const rows = rowsWith(300, 38, { 0: [22, 11, 42, 21, 0.9, 2, -3, 3] });
    const prototypes = { dims: [1, 32, 16, 16], values: new Float32Array(32 * 256) };
    const detector = await load({ outputs: { output0: rows, output1: prototypes } });
    expect(detector.decision.name).toBe("yolo-end-to-end");
    expect(detector.notices.join()).toMatch(/Masks are ignored/);
    expect(await find(detector)).toEqual([[2, 0.9, 22, 11, 42, 21]]);
  });
});

describe("YOLOX", () => {
  // Cell 9 is column 1, row 1 of stride 8; cell 83 is column 1, row 1 of stride 32.
  const raw = rowsWith(CELLS, 8, {
    9: [0.5, -0.25, Math.log(2.5), Math.log(1.25), 0.8, 0.1, 0.9, 0.2],
    83: [0.25, 0.25, -0.5, -0.5, 0.5, 0.9, 0.1, 0.2],
  });
  const half = (32 * Math.exp(-0.5)) / 2;

  test.each(["onnxruntime-node", "onnxruntime-web"])("raw grid, on %s", async (engine) => {
    const detector = await load({ outputs: { output: raw } }, {}, engine);
    expect(detector.decision.name).toBe("yolox");
    expect(detector.card.input).toMatchObject({ order: "bgr", std: [1, 1, 1], fit: "pad" });
    expect(await find(detector)).toEqual([
      [1, 0.72, 2, 1, 22, 11],
      [0, 0.45, ...[40 - half, 40 - half, 40 + half, 40 + half].map((x) => +x.toFixed(3))],
    ]);
  });

  test("decoded by the exporter", async () => {
    const decoded = rowsWith(CELLS, 8, { 9: [32, 16, 20, 10, 0.8, 0.1, 0.9, 0.2] }, 0);
    const detector = await load({ outputs: { output: decoded } });
    expect(detector.decision.name).toBe("yolox-decoded");
    expect(await find(detector)).toEqual([[1, 0.72, 22, 11, 42, 21]]);
  });

  test("objectness of 1 everywhere is YOLOv6, which reads other pixels", async () => {
    const values = new Float32Array(CELLS * 8);
    for (let row = 0; row < CELLS; row++) values.set([32, 16, 20, 10, 1, 0, 0, 0], row * 8);
    values[9 * 8 + 6] = 0.7;
    const detector = await load({ outputs: { outputs: { dims: [1, CELLS, 8], values } } });
    expect(detector.decision.name).toBe("yolov6");
    expect(detector.card.input.order).toBe("rgb");
    expect(await find(detector)).toEqual([[1, 0.7, 22, 11, 42, 21]]);
  });
});

describe("FastestDet", () => {
  test("one map of stride 16", async () => {
    const values = new Float32Array(8 * 16);
    const cell = 6; // column 2, row 1
    [0.5, Math.atanh(0.5), Math.atanh(-0.5), 0, Math.log(1 / 3), 0.1, 0.7, 0.2].forEach((v, c) => {
      values[c * 16 + cell] = v;
    });
    const detector = await load({ outputs: { "758": { dims: [1, 8, 4, 4], values } } });
    expect(detector.decision.name).toBe("fastestdet");
    const score = +(0.5 ** 0.6 * 0.7 ** 0.4).toFixed(3);
    expect(await find(detector)).toEqual([[1, score, 40 - 16, 8 - 8, 40 + 16, 8 + 8]]);
  });
});

/** Logits of a side that lies between bins 2 and 3 in equal parts: 2.5 strides. */
const SIDE = [-50, -50, 0, 0, -50, -50, -50, -50];
const SIDES = [...SIDE, ...SIDE, ...SIDE, ...SIDE];

describe("heads with distributions", () => {
  test("PicoDet: a pair of maps for each stride", async () => {
    const outputs = Object.fromEntries([
      ...[64, 16, 4, 1].map((cells, i) => [
        `class.${i}`,
        rowsWith(cells, 3, i === 1 ? { 5: [0.1, 0.2, 0.9] } : {}),
      ]),
      ...[64, 16, 4, 1].map((cells, i) => [
        `box.${i}`,
        rowsWith(cells, 32, i === 1 ? { 5: SIDES } : {}),
      ]),
    ]) as HeadFile["outputs"];
    const detector = await load({ outputs });
    expect(detector.decision.name).toBe("picodet");
    // Cell 5 of stride 16 has its centre at (24, 24).
    expect(await find(detector)).toEqual([[2, 0.9, -16, -16, 64, 64]]);
  });

  test("NanoDet-Plus: classes, then sides, from the corner of a cell", async () => {
    const rows = rowsWith(CELLS + 1, 35, { 9: [0.1, 0.2, 0.9, ...SIDES] });
    const detector = await load({ outputs: { output: rows } });
    expect(detector.decision.name).toBe("nanodet");
    expect(detector.card.input).toMatchObject({ order: "bgr", mean: [103.53, 116.28, 123.675] });
    expect(await find(detector)).toEqual([[2, 0.9, 8 - 20, 8 - 20, 8 + 20, 8 + 20]]);
  });

  test("NanoDet: from the centre of a cell", async () => {
    const rows = rowsWith(CELLS, 35, { 9: [0.1, 0.2, 0.9, ...SIDES] });
    const detector = await load({ outputs: { output: rows } });
    expect(await find(detector)).toEqual([[2, 0.9, 12 - 20, 12 - 20, 12 + 20, 12 + 20]]);
  });
});

describe("transformers", () => {
  const logit = (p: number): number => Math.log(p / (1 - p));
  const fractions = rowsWith(10, 4, { 4: [0.5, 0.25, 0.3125, 0.15625] });
  const box = [22, 11, 42, 21];

  test("RF-DETR: logits with a sigmoid", async () => {
    // The fourth column is the background.
    const labels = rowsWith(10, 4, { 4: [logit(0.1), logit(0.9), -9, 9] }, -9);
    const detector = await load({
      imageName: "input",
      outputs: { dets: fractions, labels },
      metadata: NAMES,
    });
    expect(detector.decision.name).toBe("rf-detr");
    expect(detector.card.input.mean).toEqual([123.675, 116.28, 103.53]);
    expect(await find(detector)).toEqual([[1, 0.9, ...box]]);
  });

  test("DETR: the last logit is no object", async () => {
    const values = new Float32Array(10 * 4);
    for (let row = 0; row < 10; row++) values.set([0, 0, 0, 9], row * 4);
    values.set([0, Math.log(8), 0, Math.log(0.5)], 4 * 4);
    const logits = { dims: [1, 10, 4], values };
    const detector = await load(
      {
        imageName: "pixel_values",
        image: ["batch", 3, "height", "width"],
        beside: { pixel_mask: { dims: ["batch", 64, 64], type: "int64" } },
        outputs: { logits, pred_boxes: fractions },
      },
      { batch: 1, sizePx: 64 },
    );
    expect(detector.decision.name).toBe("detr-softmax");
    expect(detector.card.classes).toHaveLength(3);
    expect(await find(detector)).toEqual([[1, +(8 / 10.5).toFixed(3), ...box]]);
  });

  test("RT-DETR of Hugging Face: every logit is a class", async () => {
    const logits = rowsWith(10, 3, { 4: [logit(0.1), logit(0.9), -9] }, -9);
    const detector = await load({
      imageName: "pixel_values",
      outputs: { logits, pred_boxes: fractions },
      metadata: NAMES,
    });
    expect(detector.decision.name).toBe("detr-sigmoid");
    expect(await find(detector)).toEqual([[1, 0.9, ...box]]);
  });

  test("RT-DETR of Ultralytics: fractions and scores in one output", async () => {
    const rows = rowsWith(300, 7, { 4: [0.5, 0.25, 0.3125, 0.15625, 0.1, 0.9, 0.2] });
    const detector = await load({ outputs: { output0: rows }, metadata: NAMES });
    expect(detector.decision.name).toBe("rt-detr-ultralytics");
    expect(await find(detector)).toEqual([[1, 0.9, ...box]]);
  });

  test("RT-DETR of its authors is told the size of the picture", async () => {
    const detector = await load({
      beside: { orig_target_sizes: { dims: [1, 2], type: "int64" } },
      outputs: {
        labels: { dims: [1, 2], values: [1, 0], type: "int64" },
        boxes: { dims: [1, 2, 4], values: [...box, 8, 8, 12, 12] },
        scores: { dims: [1, 2], values: [0.9, 0.1] },
      },
    });
    expect(detector.decision.name).toBe("rt-detr");
    expect(await find(detector)).toEqual([[1, 0.9, ...box]]);
  });
});

describe("boxes, scores and labels", () => {
  test("torchvision takes one picture without a batch axis", async () => {
    const detector = await load({
      image: [3, 64, 64],
      outputs: {
        boxes: { dims: [2, 4], values: [22, 11, 42, 21, 8, 8, 12, 12] },
        labels: { dims: [2], values: [3, 1], type: "int64" },
        scores: { dims: [2], values: [0.9, 0.1] },
      },
    });
    expect(detector.decision.name).toBe("boxes-scores-labels");
    expect(detector.card.classes[3]).toBe("car");
    expect(await find(detector)).toEqual([[3, 0.9, 22, 11, 42, 21]]);
  });

  test("rows that suppression left empty are labelled −1", async () => {
    const detector = await load({
      outputs: {
        num_dets: { dims: [1, 1], values: [1], type: "int64" },
        det_boxes: { dims: [1, 2, 4], values: [22, 11, 42, 21, 8, 8, 12, 12] },
        det_scores: { dims: [1, 2], values: [0.9, 0.9] },
        det_classes: { dims: [1, 2], values: [2, -1], type: "int64" },
      },
    });
    expect(detector.notices.join()).toMatch(/num_dets is ignored/);
    expect(await find(detector)).toEqual([[2, 0.9, 22, 11, 42, 21]]);
  });

  test("mmdeploy writes the score into the fifth column", async () => {
    const detector = await load({
      outputs: {
        dets: { dims: [1, 2, 5], values: [22, 11, 42, 21, 0.9, 8, 8, 12, 12, 0.1] },
        labels: { dims: [1, 2], values: [2, 0], type: "int64" },
      },
    });
    expect(detector.decision.name).toBe("mmdeploy");
    expect(await find(detector)).toEqual([[2, 0.9, 22, 11, 42, 21]]);
  });
});

describe("our own networks", () => {
  const scores = rowsWith(2, 3, { 1: [0.1, 0.2, 0.9] });

  test.each([
    ["corners", [22, 11, 42, 21], [22, 11, 42, 21]],
    ["a centre, a size and an angle", [32, 16, 20, 10, Math.PI / 6], TURNED],
    ["four corners", TURNED, TURNED],
  ])("boxes as %s", async (_, given, expected) => {
    const boxes = rowsWith(2, given.length, { 1: given });
    const detector = await load({ outputs: { boxes, scores } });
    expect(detector.decision.name).toBe("nadir");
    expect(await find(detector)).toEqual([[2, 0.9, ...expected]]);
  });

  test("as many oriented boxes as there are rows, without those that have no area", async () => {
    const rows = 300;
    const corners = { dims: [1, rows, 8], values: new Float32Array(8 * rows) };
    for (let row = 0; row < rows; row++) {
      const x = row / 10;
      const box = row < 200 ? [x, 1, x + 5, 3, x + 4, 6, x - 1, 4] : [7, 7, 9, 9, 9, 9, 7, 7];
      corners.values.set(box, 8 * row);
    }
    const scores = { dims: [1, rows, 2], values: new Float32Array(2 * rows).fill(0.5) };
    const detector = await load({ outputs: { boxes: corners, scores } });
    expect(detector.card.oriented).toBe(true);
    const found = await find(detector);
    expect(found).toHaveLength(200);
    expect(found[199]).toEqual([0, 0.5, 19.9, 1, 24.9, 3, 23.9, 6, 18.9, 4]);
  });
});

describe("what is no detector", () => {
  test("unknown outputs are listed with the heads to choose from", async () => {
    const logits = { dims: [1, 1000], values: new Float32Array(1000) };
    await expect(load({ outputs: { logits } })).rejects.toThrow(
      /received logits \(1, 1000\); name it with --head: nadir, .*yolov8/,
    );
  });

  test("a head that does not fit says what it needs", async () => {
    const logits = { dims: [1, 1000], values: new Float32Array(1000) };
    await expect(load({ outputs: { logits } }, { head: "yolov8" })).rejects.toThrow(
      /head yolov8 needs \(B, 4 \+ classes, N\).*received logits \(1, 1000\)/,
    );
  });

  test("an unknown head is answered with the known ones", async () => {
    const logits = { dims: [1, 1000], values: new Float32Array(1000) };
    await expect(load({ outputs: { logits } }, { head: "yolov99" })).rejects.toThrow(
      /head must be one of nadir, .* received yolov99/,
    );
  });
});

import { describe, expect, test } from "vitest";
import { CARD_KEY, type ModelCard, ModelError, writeModel } from "../../models/index.ts";
import {
  createEngine,
  type Detector,
  type DetectorOptions,
  loadDetector,
} from "../../pipeline/index.ts";
import { NODE_ENGINES } from "../../pipeline/node.ts";
import {
  CELLS,
  headFile,
  modelOf,
  port,
  rowsWith,
  turned,
  weight,
} from "../models/decode/heads.ts";

const engine = await createEngine("onnxruntime-node", NODE_ENGINES);
const load = (bytes: Uint8Array, options: DetectorOptions = {}): Promise<Detector> =>
  loadDetector(bytes, engine, options);

type Image = readonly (number | string)[];

/**
 * One box a tile; its class is the brightest channel and its score that channel's mean, so the answer shows what the
 * network was fed. With `mixing` the mean is taken over all tiles.
 */
function brightest(
  image: Image,
  {
    last = false,
    type = "float32" as "float32" | "uint8",
    mixing = false,
    metadata = {} as Readonly<Record<string, string>>,
  } = {},
): Uint8Array {
  const channels = (last ? image[3] : image[1]) as number;
  const axes = last ? [1, 2] : [2, 3];
  const mean = { name: "axes", type: 7, ints: mixing ? [0, ...axes] : axes };
  return writeModel(
    modelOf(
      { image, imageType: type, metadata },
      {
        initializer: [
          weight("shape", { dims: [3], values: [-1, 1, channels], type: "int64" }),
          weight("box", { dims: [1, 1, 4], values: [1, 2, 3, 4] }),
          weight("zero", { dims: [1], values: [0] }),
          weight("lastOnly", { dims: [1], values: [2], type: "int64" }),
          weight("zeros", { dims: [1, channels, 4], values: new Float32Array(channels * 4) }),
        ],
        node: [
          {
            opType: "Cast",
            input: ["images"],
            output: ["x"],
            attribute: [{ name: "to", type: 2, i: 1 }],
          },
          {
            opType: "ReduceMean",
            input: ["x"],
            output: ["mean"],
            attribute: [mean, { name: "keepdims", type: 2, i: 1 }],
          },
          { opType: "Reshape", input: ["mean", "shape"], output: ["scores"] },
          { opType: "MatMul", input: ["scores", "zeros"], output: ["nothing"] },
          { opType: "Add", input: ["nothing", "box"], output: ["boxes"] },
        ],
        output: [
          port("boxes", "float32", [image[0]!, 1, 4]),
          port("scores", "float32", [image[0]!, 1, channels]),
        ],
      },
    ),
  );
}

/** Tiles whose channels have the given means. */
function tiles(means: readonly (readonly number[])[], pixels: number): Float32Array {
  return Float32Array.from(
    means.flatMap((tile) => tile.flatMap((m) => Array<number>(pixels).fill(m))),
  );
}

const round = (values: Iterable<number>): number[] =>
  Array.from(values, (v) => Math.round(v * 1000) / 1000);

const MEANS = [
  [0.1, 0.2, 0.9],
  [0.8, 0.2, 0.1],
  [0.1, 0.7, 0.3],
];

async function classesAndScores(detector: Detector, side = 32): Promise<unknown> {
  const { perTile, bestScores } = await detector.detect(tiles(MEANS, side * side), 3);
  expect(round(bestScores)).toEqual([0.9, 0.8, 0.7]);
  return perTile.map(({ classes, scores, boxes }) => [
    ...classes,
    ...round(scores),
    ...(boxes.kind === "axis-aligned" ? boxes.xyxy : []),
  ]);
}
const EXPECTED = [
  [2, 0.9, 1, 2, 3, 4],
  [0, 0.8, 1, 2, 3, 4],
  [1, 0.7, 1, 2, 3, 4],
];

describe("batches", () => {
  test("an open batch that treats tiles alike is used", async () => {
    await using detector = await load(brightest(["batch", 3, 32, 32]));
    expect(detector.card.input.batch).toBeUndefined();
    expect(await classesAndScores(detector)).toEqual(EXPECTED);
  });

  test("an open batch that mixes tiles is refused aloud", async () => {
    await using detector = await load(brightest(["batch", 3, 32, 32], { mixing: true }));
    expect(detector.card.input.batch).toBe(1);
    expect(detector.notices.join()).toMatch(/one at a time: two in one run give another boxes/);
    expect(await classesAndScores(detector)).toEqual(EXPECTED);
  });

  test.each([1, 2, 4])("a batch fixed at %i is filled up", async (batch) => {
    await using detector = await load(brightest([batch, 3, 32, 32]));
    expect(detector.card.input.batch).toBe(batch);
    expect(await classesAndScores(detector)).toEqual(EXPECTED);
  });
});

describe("inputs", () => {
  test("channels last", async () => {
    await using detector = await load(brightest(["batch", 32, 32, 3], { last: true }));
    expect(detector.card.input).toMatchObject({ layout: "B Y X C", width: 32, channels: 3 });
    expect(await classesAndScores(detector)).toEqual(EXPECTED);
  });

  test("bytes, rounded and held within 0…255", async () => {
    await using detector = await load(brightest([1, 3, 32, 32], { type: "uint8" }));
    expect(detector.card.input).toMatchObject({ type: "uint8", mean: [0, 0, 0], std: [1, 1, 1] });
    const input = tiles([[-9, 0.6, 0.2]], 1024);
    expect((await detector.detect(input, 1)).bestScores).toEqual(Float32Array.of(1));
  });

  test("eight bands, each normalised like the family's average", async () => {
    await using detector = await load(brightest([1, 8, 32, 32]));
    expect(detector.card.input.channels).toBe(8);
    expect(detector.card.input.std).toEqual(Array(8).fill(255));
  });

  test("an open size stays open, and is given with the tiles", async () => {
    await using detector = await load(brightest([1, 3, "height", "width"]));
    expect(detector.card.input).toMatchObject({ width: undefined, height: undefined });
    const input = tiles([[0.1, 0.5, 0.2]], 96 * 64);
    const { bestScores } = await detector.detect(input, 1, { width: 96, height: 64 });
    expect(bestScores[0]).toBeCloseTo(0.5, 5);
    await expect(detector.detect(input, 1)).rejects.toThrow("[1 3 640 640] values");
  });

  test("an open size can be fixed; it is a multiple of 32", async () => {
    await using detector = await load(brightest([1, 3, "height", "width"]), { sizePx: 100 });
    expect(detector.card.input).toMatchObject({ width: 128, height: 128 });
    expect(detector.card.provenance["size"]).toBe("option");
  });

  test("tiles of another size are a ShapeError", async () => {
    await using detector = await load(brightest([1, 3, 32, 32]));
    await expect(detector.detect(new Float32Array(7), 1)).rejects.toMatchObject({
      code: "ERR_SHAPE",
    });
  });

  test("an abort ends a detection between runs", async () => {
    await using detector = await load(brightest([1, 3, 32, 32]));
    const signal = AbortSignal.abort(new Error("enough"));
    await expect(detector.detect(tiles(MEANS, 1024), 3, { signal })).rejects.toThrow("enough");
  });
});

const V8 = { output0: turned(rowsWith(CELLS, 7, { 3: [32, 16, 20, 10, 0.1, 0.2, 0.9] })) };

describe("the card", () => {
  test("reads what Ultralytics writes", async () => {
    const metadata = {
      description: "Ultralytics YOLO11n model trained on ships.yaml",
      license: "AGPL-3.0",
      task: "detect",
      imgsz: "[64, 64]",
      names: "{0: 'ship', 1: \"fisher's boat\", 2: 'a, b: c'}",
    };
    await using detector = await load(headFile({ outputs: V8, metadata }));
    const { card } = detector;
    expect(card.classes).toEqual(["ship", "fisher's boat", "a, b: c"]);
    expect(card).toMatchObject({
      name: metadata.description,
      licence: "AGPL-3.0",
      gsdM: undefined,
    });
    expect(card.provenance).toMatchObject({ classes: "metadata", mean: "family default" });
    expect(card.sha256).toMatch(/^[\da-f]{64}$/);
  });

  test("reads what Deepness and GeoDeep write", async () => {
    const metadata = {
      model_type: JSON.stringify("Detector"),
      class_names: JSON.stringify({ 0: "car", 1: "bus", 2: "van" }),
      det_type: JSON.stringify("YOLO_Ultralytics"),
      resolution: "10",
      tiles_size: "64",
      tiles_overlap: "25",
      det_conf: "0.4",
      standardization_mean: "[0.5, 0.25, 0.0]",
      standardization_std: "[0.2, 0.2, 0.4]",
    };
    await using detector = await load(headFile({ outputs: V8, metadata }));
    expect(detector.card).toMatchObject({
      classes: ["car", "bus", "van"],
      gsdM: { from: 0.1, to: 0.1 },
      overlapPx: 16,
      scoreAtLeast: 0.4,
      input: { mean: [127.5, 63.75, 0], std: [51, 51, 102] },
    });
  });

  test("reads Nadir's own card", async () => {
    const written: ModelCard = {
      name: "boats",
      sha256: "",
      classes: ["r", "g", "b"],
      input: {
        name: "images",
        width: 32,
        height: 32,
        batch: 1,
        channels: 3,
        layout: "B C Y X",
        order: "bgr",
        mean: [1, 2, 3],
        std: [4, 5, 6],
        fit: "pad",
        padValue: 7,
        type: "float32",
      },
      gsdM: { from: 0.5, to: 2 },
      scoreAtLeast: 0.3,
      overlapPx: 64,
      oriented: false,
      provenance: {},
    };
    const metadata = { [CARD_KEY]: JSON.stringify(written) };
    await using detector = await load(brightest([1, 3, 32, 32], { metadata }));
    const { sha256, provenance, ...card } = detector.card;
    expect(card).toEqual({ ...card, ...written, sha256: undefined, provenance: undefined });
    expect(sha256).not.toBe("");
    expect(provenance).toMatchObject({ classes: "metadata", gsdM: "metadata", order: "metadata" });
  });

  test("the caller knows best", async () => {
    const metadata = { names: "{0: 'a', 1: 'b', 2: 'c'}" };
    await using detector = await load(headFile({ outputs: V8, metadata }), {
      classes: ["x", "y", "z"],
      gsdM: 0.3,
      mean: [10],
      order: "bgr",
    });
    expect(detector.card).toMatchObject({
      classes: ["x", "y", "z"],
      gsdM: { from: 0.3, to: 0.3 },
      input: { mean: [10, 10, 10], order: "bgr" },
      provenance: { classes: "option", gsdM: "option", mean: "option", std: "family default" },
    });
  });

  test("names that are too few are refused", async () => {
    await expect(load(headFile({ outputs: V8 }), { classes: ["x"] })).rejects.toThrow(
      "classes must name the 3 classes of the outputs, received 1 names (option)",
    );
  });
});

describe("what cannot be loaded gets one sentence", () => {
  const external = writeModel(
    modelOf(
      {},
      {
        initializer: [
          {
            name: "w",
            dims: [1],
            dataType: 1,
            dataLocation: 1,
            externalData: [{ key: "location", value: "weights.bin" }],
          },
        ],
        node: [{ opType: "Identity", input: ["w"], output: ["y"] }],
        output: [port("y", "float32", [1])],
      },
    ),
  );
  const custom = writeModel(
    modelOf(
      {},
      {
        node: [{ opType: "NMSRotated", domain: "mmdeploy", input: ["images"], output: ["y"] }],
        output: [port("y", "float32", [1])],
      },
    ),
  );

  test.each([
    ["garbage", Uint8Array.from({ length: 500 }, (_, i) => (i * 71) % 256), /ONNX file/],
    ["nothing", new Uint8Array(0), /ONNX file/],
    ["text", new TextEncoder().encode("this is no model at all"), /ONNX file/],
    ["half a file", headFile({ outputs: V8 }).subarray(0, 200), /ONNX file|must load/],
    ["weights elsewhere", external, /weights must be inside .*received .* weights\.bin/],
    [
      "an operator of mmdeploy",
      custom,
      /operators must be standard ONNX, received mmdeploy::NMSRotated/,
    ],
    [
      "a table as input",
      headFile({ outputs: V8, image: [1, 80] }),
      /one input that is an image .*\[1 80\]/,
    ],
    ["a video as input", headFile({ outputs: V8, image: [1, 3, 8, 64, 64] }), /image/],
    [
      "an unknown input beside the image",
      headFile({ outputs: V8, beside: { prompt: { dims: [1, 77], type: "int64" } } }),
      /inputs beside the image must be ones that are known .* received prompt/,
    ],
  ])("%s", async (_, bytes, sentence) => {
    const error: unknown = await load(bytes).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(ModelError);
    expect((error as Error).message).toMatch(sentence);
    expect((error as Error).message).not.toMatch(/\n/);
  });
});

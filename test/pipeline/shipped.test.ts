import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { buildShipped, detector, inferenceGraph, initialWeights } from "../../models/index.ts";
import { loadDetector } from "../../pipeline/index.ts";
import { onnxruntimeNode } from "../../pipeline/engines/onnxruntime-node.ts";
import { listShipped, openShipped } from "../../pipeline/shipped-node.ts";
import { writeShipped } from "../../pipeline/training/ship-node.ts";
import { runNative } from "../onnxruntime.ts";

const SIDE = 64;
const network = detector({ family: "yolo-caa", size: "pico", classes: 2 });
const graph = inferenceGraph(network, { batch: 1, widthPx: SIDE, heightPx: SIDE });
const weights = initialWeights(graph, { seed: 4 });
let folder = "";

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "nadir-shipped-"));
  await writeShipped(folder, network, weights, {
    name: "tiny",
    summary: "for tests",
    classes: ["plane", "ship"],
    tilePx: SIDE,
    overlapPx: 8,
    scoreAtLeast: 0.001,
    licence: "Apache-2.0",
    data: [],
    recipe: {},
    metrics: {},
  });
});
afterAll(() => rm(folder, { recursive: true, force: true }));

describe("a shipped model", () => {
  test("is listed by its card, and loads as a detector of our own head", async () => {
    expect((await listShipped(folder)).map(({ name }) => name)).toEqual(["tiny"]);
    const { card, weights: stored } = await openShipped("tiny", folder);
    const bytes = buildShipped(card, stored, { batch: 2, widthPx: 96, heightPx: SIDE });
    await using loaded = await loadDetector(bytes, onnxruntimeNode);
    expect(loaded.decision.name).toBe("nadir");
    expect(loaded.card.classes).toEqual(["plane", "ship"]);
    expect(loaded.card.input).toMatchObject({
      width: 96,
      height: SIDE,
      batch: 2,
      std: [255, 255, 255],
    });
    const image = new Float32Array(3 * 96 * SIDE).fill(0.4);
    const { perTile } = await loaded.detect(image, 1, { scoreAtLeast: 0.001, gsdM: 0.3 });
    expect(perTile[0]?.count).toBeGreaterThan(0);
  });

  test("gives after simplification, in half precision, what its network gives", async () => {
    const { card, weights: stored } = await openShipped("tiny", folder);
    await using loaded = await loadDetector(
      buildShipped(card, stored, { batch: 1, widthPx: SIDE, heightPx: SIDE }),
      onnxruntimeNode,
    );
    const image = Float32Array.from(
      { length: 3 * SIDE * SIDE },
      (_, i) => (Math.sin(i * 0.37) + 1) / 2,
    );
    const { scores = new Float32Array() } = await runNative(graph, weights, { image, gsd_m: [0] });
    const { bestScores } = await loaded.detect(image, 1, { scoreAtLeast: 0 });
    // Half precision keeps 11 bits of every weight.
    expect(bestScores[0]).toBeCloseTo(Math.max(...scores), 3);
  });

  test("is refused where weights and card do not belong together", async () => {
    const path = join(folder, "tiny.safetensors");
    const bytes = await readFile(path);
    await writeFile(path, Buffer.concat([bytes, Buffer.of(0)]));
    await expect(openShipped("tiny", folder)).rejects.toThrow("the weights of tiny must hash to");
    await writeFile(path, bytes);
    await expect(openShipped("huge", folder)).rejects.toThrow(
      "a model must be one of tiny, received huge",
    );
  });
});

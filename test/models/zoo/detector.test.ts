import { describe, expect, test } from "vitest";
import { buildGraph, initialWeights } from "../../../models/index.ts";
import { decodeUpright } from "../../../models/heads/box-decoding.ts";
import type { FamilyName } from "../../../models/zoo/detector.ts";
import { detector, FAMILIES } from "../../../models/zoo/detector.ts";
import { MIXERS } from "../../../models/zoo/mixers.ts";
import type { MixerName } from "../../../models/zoo/mixers.ts";
import { runNative } from "../../onnxruntime.ts";

const SIDE = 96;
const POINTS = (SIDE / 8) ** 2 + (SIDE / 16) ** 2 + (SIDE / 32) ** 2;
const noise = Float32Array.from(
  { length: 3 * SIDE * SIDE },
  (_, i) => (Math.sin(i * 12.9898) + 1) / 2,
);

function build(family: FamilyName, mixer: MixerName) {
  const network = detector({ family, size: "pico", mixer, classes: 4 });
  return buildGraph(family, (g) => {
    const image = g.input("image", "B C Y X", [1, 3, SIDE, SIDE]);
    const raw = network.build(g, image, g.input("gsd_m", "B I", [1, 1]));
    return { boxes: decodeUpright(g, raw, network.head), scores: g.unary("sigmoid", raw.logits) };
  });
}

const families = Object.keys(FAMILIES) as FamilyName[];
const mixers = Object.keys(MIXERS) as MixerName[];

describe.each(families)("%s", (family) => {
  test.each(mixers)(
    "with %s gives a box with its corners in order for every anchor point",
    async (mixer) => {
      const graph = build(family, mixer);
      const out = await runNative(graph, initialWeights(graph), { image: noise, gsd_m: [0] });
      expect(out["scores"]?.length).toBe(POINTS * 4);
      expect(out["scores"]?.every((p) => p > 0 && p < 1)).toBe(true);
      const boxes = out["boxes"] ?? new Float32Array();
      expect(boxes.length).toBe(POINTS * 4);
      for (let i = 0; i < boxes.length; i += 4) {
        expect(boxes[i + 2]).toBeGreaterThan(boxes[i] ?? Infinity);
        expect(boxes[i + 3]).toBeGreaterThan(boxes[i + 1] ?? Infinity);
      }
    },
  );

  test("starts blind to the ground resolution, and an unknown one stays without effect", async () => {
    const graph = build(family, FAMILIES[family].mixer);
    const start = initialWeights(graph);
    const scores = async (weights: typeof start, gsdM: number) =>
      (await runNative(graph, weights, { image: noise, gsd_m: [gsdM] }))["scores"];
    expect(await scores(start, 0.3)).toEqual(await scores(start, 0));

    const trained = new Map(start);
    const name = "condition.proj.weight";
    trained.set(
      name,
      (start.get(name) ?? new Float32Array()).map((_, i) => Math.cos(i)),
    );
    expect(await scores(trained, 0.3)).not.toEqual(await scores(trained, 0));
    expect(await scores(trained, 0)).toEqual(await scores(start, 0));
  });
});

test("a wider image has more anchor points out of the same weights", async () => {
  const network = detector({ family: "yolo-caa", size: "pico", classes: 2 });
  const at = (side: number) =>
    buildGraph("wide", (g) => {
      const raw = network.build(g, g.input("image", "B C Y X", [1, 3, side, side]));
      return { logits: raw.logits };
    });
  const weights = initialWeights(at(64));
  const image = new Float32Array(3 * 128 * 128);
  const { logits } = await runNative(at(128), weights, { image });
  expect(logits?.length).toBe(2 * (16 ** 2 + 8 ** 2 + 4 ** 2));
});

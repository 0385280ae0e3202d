/**
 * A network that cannot learn a handful of images by heart cannot learn: loss, assignment, gradients, optimizer, running
 * statistics, export, decoding, tiling, merging and scoring must all agree for this to end well.
 */
import { expect, test } from "vitest";
import type {
  LabelledDataset,
  LabelledImage,
  Scene,
  SyntheticClass,
} from "../../../datasets/index.ts";
import { cornersLabel, evaluate, synthesise } from "../../../datasets/index.ts";
import type { DetectorOptions, ShippedCard, Weights } from "../../../models/index.ts";
import { adamW, buildShipped, detector } from "../../../models/index.ts";
import { onnxruntimeNode } from "../../../pipeline/engines/onnxruntime-node.ts";
import {
  detectSet,
  loadDetector,
  resolveSettings,
  settingsOfModel,
} from "../../../pipeline/index.ts";
import { cutTile } from "../../../pipeline/training/cut.ts";
import { toLabels } from "../../../pipeline/training/labels.ts";
import { randomOf, shuffled } from "../../../pipeline/training/random.ts";
import { packBatch } from "../../../pipeline/training/sample.ts";
import type { TrainingTile } from "../../../pipeline/training/sample.ts";
import { learningRate } from "../../../pipeline/training/schedule.ts";
import { prepareStep } from "../../../pipeline/training/step.ts";

const SIDE = 96;
const BATCH = 8;
/** All objects were found from 200 on for each of three seeds and both heads. */
const STEPS = 240;
const grounds = ["sea", "field", "apron"] as const;
/** Two to four large objects an image, at one metre a pixel. */
const CLASSES: readonly SyntheticClass[] = [
  {
    name: "ship",
    lengthM: [26, 36],
    widthM: [8, 12],
    shape: "hull",
    brightness: [[180, 235]],
    grounds,
    density: 0.35,
  },
  {
    name: "shed",
    lengthM: [18, 28],
    widthM: [14, 18],
    shape: "rectangle",
    brightness: [[10, 30]],
    grounds,
    density: 0.45,
  },
  {
    name: "tank",
    lengthM: [16, 26],
    widthM: [16, 26],
    shape: "ellipse",
    brightness: [[215, 250]],
    grounds,
    density: 0.7,
  },
];
const NAMES = CLASSES.map(({ name }) => name);

interface Place {
  readonly scene: Scene;
  readonly image: LabelledImage;
}

/** Seeded images; `oriented` ones are labelled with the corners of their objects. */
function places(count: number, oriented: boolean): readonly Place[] {
  return Array.from({ length: count }, (_, i) => {
    const [width, height] = [SIDE, SIDE];
    const { scene, labels } = synthesise({
      seed: 200 + i,
      width,
      height,
      gsdM: 1,
      classes: CLASSES,
    });
    const objects = labels.objects.map(({ classIndex }, k) => {
      const label = cornersLabel(classIndex, [...labels.boxes.corners.slice(8 * k, 8 * k + 8)]);
      return oriented ? label : { ...label, corners: undefined };
    });
    const rest = { id: undefined, gsdM: 1, labelledClasses: undefined };
    return { scene, image: { file: `${i}`, width, height, objects, ...rest } };
  });
}

/** The images as they are: no turn, no mirror, no change of scale or colour. */
async function plainTile({ scene, image }: Place, oriented: boolean): Promise<TrainingTile> {
  const pixels = await scene.read({ x: 0, y: 0, width: SIDE, height: SIDE });
  const classes = image.objects.map(({ classIndex }) => classIndex);
  const labels = toLabels(image.objects, classes, oriented);
  const labelled = Uint8Array.of(1, 1, 1);
  const whole = { x: 0, y: 0, scale: 1, sizePx: SIDE };
  return cutTile({ source: image.file, pixels, labels, labelled, gsdM: 1 }, whole);
}

/** Trains on whole passes through the tiles; gives the weights to be used, and the losses. */
async function learn(options: DetectorOptions, tiles: readonly TrainingTile[]) {
  const how = { batchSize: BATCH, tilePx: SIDE, rows: 16, threads: 1 };
  const optimizer = adamW({ weightDecay: 0.05 });
  await using step = prepareStep(onnxruntimeNode, detector(options), { ...how, optimizer });
  const [state, random] = [new Map(step.start(2)), randomOf(2)];
  const [losses, order]: [number[], number[]] = [[], []];
  for (let i = 0; i < STEPS; i++) {
    if (order.length < BATCH) order.push(...shuffled(tiles.length, random));
    const taken = order.splice(0, BATCH).flatMap((k) => tiles[k] ?? []);
    const rate = learningRate(i, { peak: 0.006, warmupSteps: 20, steps: STEPS });
    losses.push((await step.run(state, packBatch(taken, NAMES.length), rate)).total);
  }
  return { weights: step.weights(state), losses };
}

/** Scores a trained network as `nadir eval` does. */
async function score(options: DetectorOptions, weights: Weights, known: readonly Place[]) {
  const card: ShippedCard = {
    name: "by-heart",
    summary: "",
    classes: NAMES,
    network: options,
    tilePx: SIDE,
    overlapPx: 16,
    scoreAtLeast: 0.25,
    licence: "",
    data: [],
    recipe: {},
    metrics: {},
    sha256: "",
  };
  const bytes = buildShipped(card, weights, { batch: 1, widthPx: SIDE, heightPx: SIDE });
  await using found = await loadDetector(bytes, onnxruntimeNode, { threads: 1 });
  const { settings } = resolveSettings({
    option: { scoreAtLeast: 0.01 },
    model: settingsOfModel(found.card),
  });
  const truth: LabelledDataset = { classes: NAMES, images: known.map(({ image }) => image) };
  const open = async (file: string): Promise<Scene> => known[Number(file)]!.scene;
  const { scenes } = await detectSet(truth, found, settings, { open });
  return evaluate(scenes.truth, scenes.found);
}

test.each([
  ["axis-aligned", "coco"],
  ["oriented", "dota"],
] as const)(
  "yolo-caa-pico learns sixteen images with %s boxes by heart: AP50 reaches 0.99",
  async (head, protocol) => {
    const known = places(16, head === "oriented");
    const tiles = await Promise.all(known.map((place) => plainTile(place, head === "oriented")));
    const options: DetectorOptions = { family: "yolo-caa", size: "pico", head, classes: 3 };
    const { weights, losses } = await learn(options, tiles);
    const evaluation = await score(options, weights, known);
    expect(evaluation).toMatchObject({ protocol, images: 16 });
    expect(evaluation.ap50).toBeGreaterThanOrEqual(0.99);
    expect(losses.at(-1)).toBeLessThan(0.25 * (losses[0] ?? 0));
  },
  600_000, // 40 s of one idle core each
);

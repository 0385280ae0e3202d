import { existsSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import sharp from "sharp";
import { afterAll, beforeAll, expect, test } from "vitest";
import { detector, LOSS, STEP } from "../../../models/index.ts";
import type { Engine } from "../../../pipeline/engines/engine.ts";
import { onnxruntimeNode } from "../../../pipeline/engines/onnxruntime-node.ts";
import { readCheckpoint } from "../../../pipeline/training/checkpoint-node.ts";
import type { BadImage } from "../../../pipeline/training/loader-node.ts";
import type { TrainingRecord } from "../../../pipeline/training/loader.ts";
import { differences, recipeOf } from "../../../pipeline/training/recipe-node.ts";
import { train } from "../../../pipeline/training/train-node.ts";
import type { TrainOptions } from "../../../pipeline/training/train-node.ts";

const SIDE = 64;
const network = detector({ family: "yolo-caa", size: "pico", classes: 1 });
let folder = "";
let records: TrainingRecord[] = [];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "nadir-train-"));
  records = await Promise.all(
    [0, 1, 2, 3].map(async (i) => {
      const [x, y, size] = [6 + 9 * i, 30 - 6 * i, 18];
      const svg = `<svg width="${SIDE}" height="${SIDE}"><rect width="100%" height="100%" fill="#335"/><rect x="${x}" y="${y}" width="${size}" height="${size}" fill="#eee"/></svg>`;
      const path = join(folder, `${i}.png`);
      await sharp(Buffer.from(svg)).png().toFile(path);
      return {
        path,
        labels: { xyxy: Float64Array.of(x, y, x + size, y + size), classes: Uint16Array.of(0) },
        labelled: Uint8Array.of(1),
        gsdM: undefined,
      };
    }),
  );
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const options = (name: string, more: Partial<TrainOptions> = {}): TrainOptions => ({
  engine: onnxruntimeNode,
  tilePx: SIDE,
  batchSize: 2,
  epochs: 2,
  seed: 3,
  rate: 0.002,
  checkpointPath: join(folder, `${name}.safetensors`),
  ...more,
});

async function losses(all: readonly TrainingRecord[], run: TrainOptions): Promise<number[]> {
  const out: number[] = [];
  for await (const event of train(network, all, run))
    if (event.kind === "step") out.push(event.loss.total);
  return out;
}

test("a run that was stopped and resumed is the run that was not, to the bit", async () => {
  const whole = await losses(records, options("whole"));
  for await (const event of train(network, records, options("halves")))
    if (event.kind === "epoch") break;
  const from = await readCheckpoint(join(folder, "halves.safetensors"));
  expect(from.epoch).toBe(1);
  const rest = await losses(records, options("halves", { from }));
  expect(rest).toEqual(whole.slice(2));
  const [a, b] = [
    await readCheckpoint(join(folder, "whole.safetensors")),
    await readCheckpoint(join(folder, "halves.safetensors")),
  ];
  expect(b.state).toEqual(a.state);
}, 600_000); // three compilations and eight steps: 20 s of an idle core

test("a checkpoint of other settings or data is refused, and what differs is said", async () => {
  const run = options("others", { classes: ["hut"] });
  const kept = { epoch: 1, step: 2, state: new Map<string, Float32Array>() };
  const from = { ...kept, recipe: recipeOf(network, records, run) };
  const sentence = (all: readonly TrainingRecord[], more: Partial<TrainOptions>) =>
    losses(all, { ...run, from, ...more }).catch(({ message }: Error) => message);
  expect(await sentence(records, { rate: 0.01, classes: ["shed"] })).toBe(
    'train: a run must be resumed with the settings and data it was started with, received rate 0.01 instead of 0.002, classes ["shed"] instead of ["hut"]',
  );
  const moved = records.map((one) => ({ ...one, labels: { ...one.labels } }));
  moved[1]!.labels.xyxy = moved[1]!.labels.xyxy.map((side) => side + 1);
  expect(await sentence(moved, {})).toMatch(/received other images or labels$/);
  expect(await sentence(records.slice(1), {})).toMatch(/received other images or labels$/);
});

test("a checkpoint that says nothing of data, or of another folder with the same, is accepted", () => {
  const run = options("older", { classes: ["hut"] });
  const now = recipeOf(network, records, run);
  const { data: _, classes: __, ...older } = JSON.parse(now) as Record<string, unknown>;
  expect(differences(JSON.stringify(older), now)).toEqual([]);
  const elsewhere = records.map((one) => ({ ...one, path: `/mnt/${basename(one.path)}` }));
  expect(differences(now, recipeOf(network, elsewhere, run))).toEqual([]);
});

test.each([
  ["loss", LOSS.total],
  ["length of the gradient", STEP.norm],
])(
  "a %s that is no number ends the run before its checkpoint",
  async (name, output) => {
    const broken: Engine = {
      ...onnxruntimeNode,
      load: async (...how) => {
        const session = await onnxruntimeNode.load(...how);
        const data = Float32Array.of(Number.POSITIVE_INFINITY);
        return {
          inputs: session.inputs,
          outputs: session.outputs,
          run: async (...feeds) => {
            const out = await session.run(...feeds);
            return { ...out, [output]: { type: "float32", dims: [1], data } };
          },
          [Symbol.asyncDispose]: () => session[Symbol.asyncDispose](),
        };
      },
    };
    const run = options("infinite", { engine: broken });
    await expect(losses(records, run)).rejects.toThrow(
      `train: the ${name} must be finite, received Infinity at step 0 of epoch 1`,
    );
    expect(existsSync(run.checkpointPath)).toBe(false);
  },
  300_000,
);

test("an oriented network is refused upright labels", async () => {
  const turned = detector({ family: "yolo-caa", size: "pico", head: "oriented", classes: 1 });
  const run = train(turned, records, options("turned")).next();
  await expect(run).rejects.toThrow(
    "train: an oriented network must be given oriented labels, received upright ones",
  );
});

test("a bad image is skipped, reported once after its epoch, and counted at the end", async () => {
  const broken = { ...(records[0] as TrainingRecord), path: join(folder, "missing.png") };
  const bad: string[] = [];
  for await (const event of train(network, [broken, ...records.slice(1)], options("bad"))) {
    if (event.kind === "epoch") bad.push(`epoch ${event.epoch}`);
    if (event.kind === "bad image") bad.push(event.image.path);
    if (event.kind === "bad images") bad.push(`${event.images} image, ${event.draws > 1}`);
  }
  expect(bad).toEqual([broken.path, "epoch 1", "epoch 2", "1 image, true"]);
});

test("an image of another size than its labels say is skipped, and both sizes are named", async () => {
  const labelledSize = { width: SIDE, height: SIDE / 2 };
  const other = { ...(records[0] as TrainingRecord), labelledSize };
  const sized = records
    .slice(1)
    .map((one) => ({ ...one, labelledSize: { width: SIDE, height: SIDE } }));
  const bad: BadImage[] = [];
  for await (const event of train(network, [other, ...sized], options("sizes", { epochs: 1 })))
    if (event.kind === "bad image") bad.push(event.image);
  expect(bad.map(({ path, reason }) => [path, reason])).toEqual([
    [other.path, `${other.path}: must be 64 × 32 px, as its labels say, received 64 × 64`],
  ]);
}, 300_000);

test("a set that fills no batch is refused in a sentence", async () => {
  await expect(losses(records.slice(0, 1), options("few"))).rejects.toThrow(
    "must fill a batch of 2, received 1 images",
  );
});

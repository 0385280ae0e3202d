import { Worker } from "node:worker_threads";
import { expect, test } from "vitest";
import { describe } from "../../../pipeline/index.ts";
import { TileWorkers, type WorkerSetup } from "../../../pipeline/training/loader-node.ts";

const OPTIONS = { seed: 1, sizePx: 32 };
const setup: WorkerSetup = {
  records: [0, 1].map((i) => ({
    path: `${i}.png`,
    labels: { xyxy: Float64Array.of(2, 2, 9, 9), classes: Uint16Array.of(0) },
    labelled: Uint8Array.of(1),
    gsdM: undefined,
  })),
  options: OPTIONS,
};

/** What becomes of an epoch whose tiles are made by a thread that runs `source`. */
async function failureOf(source: string) {
  const start = (): Worker =>
    new Worker(`const { parentPort } = require("node:worker_threads"); ${source}`, { eval: true });
  await using workers = new TileWorkers(setup, 1, start);
  const epoch = workers.batches(0, { ...OPTIONS, batchSize: 1, classCount: 1 });
  return describe(
    await epoch.next().then(
      () => undefined,
      (error: unknown) => error,
    ),
  );
}

test("an error keeps its code on the way between threads", async () => {
  const answer = `{ id, error: { code: "ERR_SCENE", sentence: "a.tif: is no image" } }`;
  const source = `parentPort.on("message", ({ id }) => parentPort.postMessage(${answer}));`;
  expect(await failureOf(source)).toMatchObject({
    code: "ERR_SCENE",
    sentence: "a.tif: is no image",
  });
});

test.each([
  ["at once", "process.exit(3);"],
  ["when it is asked", `parentPort.on("message", () => process.exit(3));`],
])("a thread that ends %s ends the run in a sentence", async (_, source) => {
  expect(await failureOf(source)).toMatchObject({
    code: "ERR_TRAINING",
    sentence:
      "train: a thread that makes tiles must live as long as the run, received its end with status 3",
  });
});

test("what a thread fails of is said", async () => {
  const { sentence } = await failureOf(`throw new RangeError("no such luck");`);
  expect(sentence).toBe("no such luck");
});

/** A worker thread that makes training tiles; see `loader-node.ts`. */
import { parentPort, workerData } from "node:worker_threads";
import { readTrainingPixels } from "./image-node.ts";
import type { BadImage, TileAnswer, TileRequest, WorkerSetup } from "./loader-node.ts";
import { epochOrder, makeTile } from "./loader.ts";
import type { TrainingRecord } from "./loader.ts";
import type { TrainingImage } from "./sample.ts";

/** Decoded images that a worker keeps. */
const CACHE_BYTES = 3 * 2 ** 30;

// The port is there: this file is started as a worker. The data is what TileWorkers handed over.
const { records, options } = workerData as WorkerSetup;
const cache = new Map<string, Promise<TrainingImage>>();
let cachedBytes = 0;
const orders = new Map<number, Uint32Array>();

function decode(record: TrainingRecord): Promise<TrainingImage> {
  const known = cache.get(record.path);
  if (known !== undefined) return known;
  const image = readTrainingPixels(record.path).then((pixels) => {
    cachedBytes += 3 * pixels.width * pixels.height;
    if (cachedBytes > CACHE_BYTES) {
      cache.clear();
      cachedBytes = 0;
    }
    return { source: record.path, pixels, ...record };
  });
  cache.set(record.path, image);
  return image;
}

parentPort?.on("message", ({ id, epoch, index }: TileRequest) => {
  let order = orders.get(epoch);
  if (order === undefined) orders.set(epoch, (order = epochOrder(records, options.seed, epoch)));
  const bad: BadImage[] = [];
  const reportBad = (path: string, error: unknown): void => {
    bad.push({ path, reason: error instanceof Error ? error.message : String(error) });
  };
  makeTile(records, order, [epoch, index], decode, options, reportBad).then(
    (tile) => {
      const answer: TileAnswer = { id, tile, bad };
      parentPort?.postMessage(answer, [tile.pixels.buffer as ArrayBuffer]);
    },
    (error: unknown) => {
      const answer: TileAnswer = {
        id,
        error: error instanceof Error ? error.message : String(error),
      };
      parentPort?.postMessage(answer);
    },
  );
});

/** A worker thread that makes training tiles; see `loader-node.ts`. */
import { parentPort, workerData } from "node:worker_threads";
import { describe } from "../errors.ts";
import { readTrainingPixels } from "./image-node.ts";
import type { BadImage, TileAnswer, TileRequest, WorkerSetup } from "./loader-node.ts";
import { epochOrder, makeTile } from "./loader.ts";
import type { TrainingRecord } from "./loader.ts";
import type { TrainingImage } from "./sample.ts";
import { synthesiseRecord } from "./synthetic.ts";

/** Decoded images that a worker keeps. */
const CACHE_BYTES = 3 * 2 ** 30;

// The port is there: this file is started as a worker. The data is what TileWorkers handed over.
const { records, options } = workerData as WorkerSetup;
const cache = new Map<string, Promise<TrainingImage>>();
let cachedBytes = 0;
let epochNow = -1;
let order: Uint32Array = new Uint32Array();

function decode(record: TrainingRecord): Promise<TrainingImage> {
  const known = cache.get(record.path);
  if (known !== undefined) return known;
  const image = imageOf(record).then((made) => {
    cachedBytes += 3 * made.pixels.width * made.pixels.height;
    if (cachedBytes > CACHE_BYTES) {
      cache.clear();
      cachedBytes = 0;
    }
    return made;
  });
  cache.set(record.path, image);
  return image;
}

async function imageOf(record: TrainingRecord): Promise<TrainingImage> {
  const { path, labels, labelled, gsdM, synthetic } = record;
  if (synthetic !== undefined) return synthesiseRecord(record, synthetic);
  return { source: path, pixels: await readTrainingPixels(record), labels, labelled, gsdM };
}

parentPort?.on("message", ({ id, epoch, index, mosaic }: TileRequest) => {
  if (epoch !== epochNow) [epochNow, order] = [epoch, epochOrder(records, options.seed, epoch)];
  const how = mosaic === undefined ? options : { ...options, mosaic };
  const bad: Omit<BadImage, "draws">[] = [];
  const reportBad = (path: string, error: unknown): void => {
    bad.push({ path, reason: describe(error).sentence });
  };
  makeTile(records, order, [epoch, index], decode, how, reportBad).then(
    (tile) => {
      const answer: TileAnswer = { id, tile, bad };
      parentPort?.postMessage(answer, [tile.pixels.buffer as ArrayBuffer]);
    },
    (error: unknown) => {
      const { code, sentence } = describe(error);
      const answer: TileAnswer = { id, error: { code, sentence } };
      parentPort?.postMessage(answer);
    },
  );
});

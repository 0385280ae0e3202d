/** `nadir train`: a detector out of labelled images, on this machine's processor. */
import { existsSync } from "node:fs";
import { appendFile, mkdir } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { Command } from "commander";
import { SYNTHETIC_CLASSES } from "../datasets/index.ts";
import { readLabels } from "../datasets/node.ts";
import {
  detector,
  FAMILIES,
  type FamilyName,
  MIXERS,
  type MixerName,
  type SizeName,
} from "../models/index.ts";
import { createEngine, EXIT, SettingsError } from "../pipeline/index.ts";
import {
  NODE_ENGINES,
  readCheckpoint,
  syntheticRecords,
  toRecords,
  train,
  type TrainEvent,
  type TrainingSource,
  unionOfClasses,
  writeShipped,
} from "../pipeline/node.ts";
import type { CliContext } from "./command.ts";
import { interruptible } from "./interrupt.ts";
import { type Io, locate } from "./io.ts";
import { duration } from "./say.ts";
import { wholeFlag } from "./whole-flag.ts";

interface TrainFlags {
  readonly data: readonly string[];
  readonly model: string;
  readonly mixer?: string;
  readonly out: string;
  readonly tilePx: string;
  readonly batch: string;
  readonly epochs: string;
  readonly rate: string;
  readonly seed: string;
  readonly synthetic?: string;
  readonly threads?: string;
  readonly from?: string;
  readonly resume?: boolean;
}

export function declareTrain(command: Command, { io, finish }: CliContext): void {
  command
    .requiredOption("--data <labels...>", "Labelled images, COCO JSON files.")
    .option("--model <family-size>", "What is trained, as yolo-caa-nano.", "yolo-caa-nano")
    .option("--mixer <name>", `Fills the mixer slot: ${Object.keys(MIXERS).join(", ")}.`)
    .option("-o, --out <folder>", "Checkpoint, log and the trained model.", "trained")
    .option("--tile-px <pixels>", "Side of the training tiles, a multiple of 32.", "320")
    .option("--batch <tiles>", "Tiles in one step.", "8")
    .option("--epochs <count>", "Times that every image is seen.", "60")
    .option("--rate <number>", "Highest learning rate.", "0.002")
    .option("--seed <number>", "Decides everything that is random.", "1")
    .option(
      "--synthetic <images>",
      "Seeded synthetic images among the real ones; none where absent.",
    )
    .option("--threads <count>", "Threads of the training step; all cores where absent.")
    .option("--from <checkpoint>", "Starts from these weights instead of none.")
    .option("--resume", "Goes on where the checkpoint in the folder ends.")
    .action(async (flags: TrainFlags) => {
      finish(await interruptible(io, say(io), (signal) => runTrain(io, flags, signal)));
    });
}

async function runTrain(io: Io, flags: TrainFlags, signal: AbortSignal): Promise<0 | 130> {
  const sources = await Promise.all(flags.data.map((path) => readSource(locate(io, path))));
  const synthetic =
    flags.synthetic === undefined ? 0 : wholeFlag("train", "synthetic", flags.synthetic, 1);
  const named = unionOfClasses(sources);
  const classes = synthetic === 0 ? named : [...new Set([...named, ...SYNTHETIC_CLASSES])];
  const tilePx = wholeFlag("train", "tile-px", flags.tilePx, 32);
  const seed = wholeFlag("train", "seed", flags.seed, 1);
  const records = [
    ...toRecords(sources, classes, { tilePx }),
    ...(synthetic === 0 ? [] : syntheticRecords(synthetic, classes, { seed, repeat: 2 })),
  ];
  const { family, size } = parseModel(flags.model);
  const mixer = parseMixer(flags.mixer);
  const network = detector({ family, size, mixer, classes: classes.length });
  const out = locate(io, flags.out);
  await mkdir(out, { recursive: true });
  const checkpointPath = join(out, "checkpoint.safetensors");
  const resume = flags.resume === true && existsSync(checkpointPath);
  const run = {
    engine: await createEngine("onnxruntime-node", NODE_ENGINES),
    tilePx,
    batchSize: wholeFlag("train", "batch", flags.batch, 1),
    epochs: wholeFlag("train", "epochs", flags.epochs, 1),
    seed,
    threads:
      flags.threads === undefined ? undefined : wholeFlag("train", "threads", flags.threads, 1),
    rate: Number(flags.rate),
    checkpointPath,
    from: resume ? await readCheckpoint(checkpointPath) : undefined,
    weights:
      flags.from === undefined ? undefined : (await readCheckpoint(locate(io, flags.from))).state,
    signal,
  };
  const name = `${flags.model}${mixer === undefined ? "" : `-${mixer}`}`;
  say(io)(`training ${name} on ${records.length} images, classes ${classes.join(", ")}`);
  const watch = watcher(io, join(out, "log.ndjson"));
  try {
    for await (const event of train(network, records, run)) {
      await watch(event);
      if (event.kind !== "epoch") continue;
      await writeShipped(out, network, event.weights, {
        name,
        summary: FAMILIES[family].summary,
        classes,
        tilePx,
        overlapPx: Math.round(tilePx / 5),
        scoreAtLeast: 0.25,
        licence: "",
        data: flags.data,
        recipe: {
          tilePx,
          batch: run.batchSize,
          epochs: event.epoch,
          rate: run.rate,
          seed: run.seed,
        },
        metrics: {},
      });
    }
  } catch (error) {
    if (!signal.aborted) throw error;
    say(io)(`stopped; ${checkpointPath} holds the last whole epoch: go on with --resume`);
    return EXIT.cancelled;
  }
  return EXIT.done;
}

async function readSource(path: string): Promise<TrainingSource> {
  const { dataset } = await readLabels("coco", path);
  return { folder: dirname(path), dataset };
}

/** Writes every event to the log, and a line a second to people. */
function watcher(io: Io, log: string): (event: TrainEvent) => Promise<void> {
  let saidAt = -Infinity;
  return async (event) => {
    if (event.kind === "bad image") {
      say(io)(`skipped ${event.image.path}: ${event.image.reason}`);
      await appendFile(log, `${JSON.stringify(event)}\n`);
    } else if (event.kind === "epoch") {
      say(io)(`epoch ${event.epoch} of ${event.epochs} done`);
      await appendFile(log, `${JSON.stringify({ kind: "epoch", epoch: event.epoch })}\n`);
    } else {
      await appendFile(log, `${JSON.stringify(event)}\n`);
      const now = io.now();
      if (now - saidAt < (io.stderr.isTTY ? 1_000 : 10_000)) return;
      saidAt = now;
      const { step, steps, loss, ms, waitedMs } = event;
      const left = duration((steps - step) * (ms + waitedMs));
      say(io)(
        `step ${step}/${steps}  loss ${loss.total.toFixed(3)} (class ${loss.classes.toFixed(3)}, box ${loss.boxes.toFixed(3)})  ${ms.toFixed(0)} ms  ETA ${left}`,
      );
    }
  };
}

function parseModel(text: string): { readonly family: FamilyName; readonly size: SizeName } {
  const found = /^(.*)-(pico|nano|small)$/.exec(text);
  const family = found?.[1];
  if (family === undefined || !(family in FAMILIES)) {
    const families = Object.keys(FAMILIES).join(", ");
    throw new SettingsError(
      `train: --model must be one of ${families} and -pico, -nano or -small, received ${text}`,
    );
  }
  return { family: family as FamilyName, size: found?.[2] as SizeName }; // both have just been checked
}

function parseMixer(text: string | undefined): MixerName | undefined {
  if (text === undefined || text in MIXERS) return text as MixerName | undefined; // checked right here
  throw new SettingsError(
    `train: --mixer must be one of ${Object.keys(MIXERS).join(", ")}, received ${text}`,
  );
}

const say =
  (io: Io) =>
  (line: string): void =>
    io.stderr.write(`${line}\n`);

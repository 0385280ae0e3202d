/** `nadir train`: a detector out of labelled images, on this machine's processor. */
import { existsSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import type { Command } from "commander";
import { SYNTHETIC_CLASSES } from "../datasets/index.ts";
import type { LabelledFolder, LabelSplit } from "../datasets/node.ts";
import { detector, FAMILIES, MIXERS } from "../models/index.ts";
import { createEngine, EXIT, SettingsError } from "../pipeline/index.ts";
import {
  type Checkpoint,
  listShipped,
  NODE_ENGINES,
  openShipped,
  readCheckpoint,
  syntheticRecords,
  toRecords,
  train,
  type TrainEvent,
  type TrainOptions,
  unionOfClasses,
  writeShipped,
} from "../pipeline/node.ts";
import type { CliContext } from "./command.ts";
import { readTruth, usable } from "./eval-inputs.ts";
import { interruptible } from "./interrupt.ts";
import { type Io, locate } from "./io.ts";
import { checkFlags, HEADS, type TrainFlags } from "./train-flags.ts";
import { metricsOf, watcher, type Watcher } from "./train-watch.ts";
import { validate } from "./validation.ts";

type EpochEvent = Extract<TrainEvent, { kind: "epoch" }>;

export function declareTrain(command: Command, { io, finish }: CliContext): void {
  command
    .requiredOption(
      "--data <labels...>",
      "Labels with their images, of any format that eval reads.",
    )
    .option("--val <labels...>", "Labels that are not trained on: AP is said and logged.")
    .option("--val-every <epochs>", "Epochs between validations.", "5")
    .option("--detect-px <pixels>", "Side of the tiles that the model will detect on.", "640")
    .option("--model <family-size>", "What is trained, as yolo-caa-nano.", "yolo-caa-nano")
    .option("--mixer <name>", `Fills the mixer slot: ${Object.keys(MIXERS).join(", ")}.`)
    .option("--head <boxes>", `What it finds: ${HEADS.join(" or ")} boxes.`, "axis-aligned")
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
    .option("--from <weights>", "Starts from a checkpoint, or a shipped model by its name.")
    .option("--resume", "Goes on where the checkpoint in the folder ends.")
    .action(async (flags: TrainFlags) => {
      const ending = "ending after the step in hand; press Ctrl-C again to stop at once";
      finish(await interruptible(io, say(io), (signal) => runTrain(io, flags, signal), ending));
    });
}

async function runTrain(io: Io, flags: TrainFlags, signal: AbortSignal): Promise<0 | 130> {
  const plan = await readPlan(io, flags, signal);
  const { name, network, records, run, out, classes } = plan;
  await mkdir(out, { recursive: true });
  say(io)(`training ${name} on ${records.length} images, classes ${classes.join(", ")}`);
  const watch = watcher(io, join(out, "log.ndjson"), flags.from);
  let kept = run.from?.epoch ?? 0;
  try {
    for await (const event of train(network, records, run)) {
      if (event.kind === "epoch") kept = event.epoch;
      await watch.onEvent(event);
      if (event.kind === "epoch") await keepModel(io, plan, event, watch);
    }
  } catch (error) {
    watch.close();
    if (!signal.aborted) throw error;
    say(io)(
      kept === 0
        ? "stopped within the first epoch, of which nothing is kept"
        : `stopped; ${run.checkpointPath} holds epoch ${kept} of ${run.epochs}: go on with --resume`,
    );
    return EXIT.cancelled;
  }
  return EXIT.done;
}

type Plan = Awaited<ReturnType<typeof readPlan>>;

/** All that the flags ask for, read and checked before the first step. */
async function readPlan(io: Io, flags: TrainFlags, signal: AbortSignal) {
  const { family, size, mixer, oriented, synthetic, detectPx, valEvery, ...numbers } =
    checkFlags(flags);
  const { tilePx, seed } = numbers;
  const out = locate(io, flags.out);
  const checkpointPath = join(out, "checkpoint.safetensors");
  const from = await readKept(io, checkpointPath, flags.resume === true);
  const weights =
    flags.from === undefined || from !== undefined ? undefined : await readWeights(io, flags.from);
  const [sources, judged] = (await Promise.all(
    [flags.data, flags.val ?? []].map((paths, i) =>
      Promise.all(paths.map((path) => readSource(io, path, i === 0 ? "train" : "val"))),
    ),
  )) as [LabelledFolder[], LabelledFolder[]]; // one for each of the two lists
  const named = unionOfClasses(sources);
  const classes = synthetic === 0 ? named : [...new Set([...named, ...SYNTHETIC_CLASSES])];
  const head = oriented ? "oriented" : undefined;
  return {
    name: [flags.model, mixer, head].filter(Boolean).join("-"),
    network: detector({ family, size, mixer, head, classes: classes.length }),
    summary: FAMILIES[family].summary,
    classes,
    records: [
      ...toRecords(sources, classes, { tilePx, oriented }),
      ...(synthetic === 0
        ? []
        : syntheticRecords(synthetic, classes, { seed, repeat: 2, oriented })),
    ],
    data: flags.data,
    synthetic,
    judged,
    out,
    detectPx,
    valEvery,
    run: {
      ...numbers,
      engine: await createEngine("onnxruntime-node", NODE_ENGINES),
      classes,
      checkpointPath,
      from,
      weights,
      signal,
    } satisfies TrainOptions,
  };
}

/** The checkpoint that a run goes on from. @throws {SettingsError} where one would be overwritten unasked */
async function readKept(io: Io, path: string, resume: boolean): Promise<Checkpoint | undefined> {
  const isThere = existsSync(path);
  if (resume && isThere) return readCheckpoint(path);
  if (isThere) {
    throw new SettingsError(
      `train: ${path} is there already: go on with --resume, or choose another folder with -o`,
    );
  }
  if (resume) say(io)(`${path} is not there yet: starting with the first epoch`);
  return undefined;
}

/** Of a shipped model by its name, or of a file. */
async function readWeights(io: Io, name: string): Promise<ReadonlyMap<string, Float32Array>> {
  const isShipped = (await listShipped()).some((card) => card.name === name);
  return isShipped
    ? (await openShipped(name)).weights
    : (await readCheckpoint(locate(io, name))).state;
}

/** Writes the model as it is after an epoch; every so many epochs with what it reaches on the validation images. */
async function keepModel(
  io: Io,
  { name, network, summary, classes, detectPx, data, synthetic, judged, valEvery, run, out }: Plan,
  { epoch, epochs, weights }: EpochEvent,
  watch: Watcher,
): Promise<void> {
  const { tilePx, batchSize: batch, rate, seed } = run;
  const facts = {
    name,
    summary,
    classes,
    tilePx: detectPx,
    overlapPx: Math.round(detectPx / 5),
    scoreAtLeast: 0.25,
    licence: "",
    data,
    recipe: { tilePx, batch, epochs, epoch, rate, seed, synthetic },
    metrics: {},
  };
  const card = await writeShipped(out, network, weights, facts);
  if (judged.length === 0 || (epoch % valEvery !== 0 && epoch !== epochs)) return;
  const { evaluation, failures } = await validate(judged, card, weights, run);
  for (const failure of failures) say(io)(failure);
  await writeShipped(out, network, weights, { ...facts, metrics: metricsOf(evaluation) });
  await watch.onEvent({ kind: "validation", epoch, evaluation });
}

/** Labels without their faulty records, which are named. */
async function readSource(io: Io, path: string, split: LabelSplit): Promise<LabelledFolder> {
  const read = await readTruth(io, path, { split });
  const note = (line: string): void => say(io)(line);
  return { ...read, dataset: usable("train", read.dataset, path, note) };
}

const say =
  (io: Io) =>
  (line: string): void =>
    io.stderr.write(`${line}\n`);

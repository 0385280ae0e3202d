/** `nadir train`: a detector out of labelled images, on this machine's processor. */
import { existsSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import type { Command } from "commander";
import { SYNTHETIC_CLASSES } from "../datasets/index.ts";
import type { LabelledFolder, LabelSplit } from "../datasets/node.ts";
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
  type TrainOptions,
  unionOfClasses,
  writeShipped,
} from "../pipeline/node.ts";
import type { CliContext } from "./command.ts";
import { readTruth, usable } from "./eval-inputs.ts";
import { interruptible } from "./interrupt.ts";
import { type Io, locate } from "./io.ts";
import { metricsOf, watcher, type Watcher } from "./train-watch.ts";
import { validate } from "./validation.ts";
import { wholeFlag } from "./whole-flag.ts";

interface TrainFlags {
  readonly data: readonly string[];
  readonly model: string;
  readonly mixer?: string;
  readonly head: string;
  readonly out: string;
  readonly val?: readonly string[];
  readonly valEvery: string;
  readonly detectPx: string;
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

const HEADS = ["axis-aligned", "oriented"] as const;

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
    .option("--from <checkpoint>", "Starts from these weights instead of none.")
    .option("--resume", "Goes on where the checkpoint in the folder ends.")
    .action(async (flags: TrainFlags) => {
      finish(await interruptible(io, say(io), (signal) => runTrain(io, flags, signal)));
    });
}

async function runTrain(io: Io, flags: TrainFlags, signal: AbortSignal): Promise<0 | 130> {
  const plan = await readPlan(io, flags, signal);
  const { name, network, records, run, out, classes } = plan;
  await mkdir(out, { recursive: true });
  say(io)(`training ${name} on ${records.length} images, classes ${classes.join(", ")}`);
  const watch = watcher(io, join(out, "log.ndjson"));
  try {
    for await (const event of train(network, records, run)) {
      await watch.onEvent(event);
      if (event.kind === "epoch") await keepModel(io, plan, event, watch);
    }
  } catch (error) {
    watch.close();
    if (!signal.aborted) throw error;
    say(io)(`stopped; ${run.checkpointPath} holds the last whole epoch: go on with --resume`);
    return EXIT.cancelled;
  }
  return EXIT.done;
}

type Plan = Awaited<ReturnType<typeof readPlan>>;

/** All that the flags ask for, read and checked before the first step. */
async function readPlan(io: Io, flags: TrainFlags, signal: AbortSignal) {
  const whole = (flag: string, text: string, multiple = 1): number =>
    wholeFlag("train", flag, text, multiple);
  const [sources, judged] = (await Promise.all(
    [flags.data, flags.val ?? []].map((paths, i) =>
      Promise.all(paths.map((path) => readSource(io, path, i === 0 ? "train" : "val"))),
    ),
  )) as [LabelledFolder[], LabelledFolder[]]; // one for each of the two lists
  const synthetic = flags.synthetic === undefined ? 0 : whole("synthetic", flags.synthetic);
  const named = unionOfClasses(sources);
  const classes = synthetic === 0 ? named : [...new Set([...named, ...SYNTHETIC_CLASSES])];
  const [tilePx, seed] = [whole("tile-px", flags.tilePx, 32), whole("seed", flags.seed)];
  const { family, size } = parseModel(flags.model);
  const [mixer, head] = [parseMixer(flags.mixer), parseHead(flags.head)];
  const oriented = head === "oriented";
  const out = locate(io, flags.out);
  const checkpointPath = join(out, "checkpoint.safetensors");
  const resume = flags.resume === true && existsSync(checkpointPath);
  return {
    name: [flags.model, mixer, oriented ? head : undefined].filter(Boolean).join("-"),
    network: detector({
      family,
      size,
      mixer,
      head: oriented ? head : undefined,
      classes: classes.length,
    }),
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
    detectPx: whole("detect-px", flags.detectPx, 32),
    valEvery: whole("val-every", flags.valEvery),
    run: {
      engine: await createEngine("onnxruntime-node", NODE_ENGINES),
      tilePx,
      batchSize: whole("batch", flags.batch),
      epochs: whole("epochs", flags.epochs),
      seed,
      threads: flags.threads === undefined ? undefined : whole("threads", flags.threads),
      rate: Number(flags.rate),
      checkpointPath,
      from: resume ? await readCheckpoint(checkpointPath) : undefined,
      weights:
        flags.from === undefined ? undefined : (await readCheckpoint(locate(io, flags.from))).state,
      signal,
    } satisfies TrainOptions,
  };
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

function parseHead(text: string): (typeof HEADS)[number] {
  const head = HEADS.find((each) => each === text);
  if (head !== undefined) return head;
  throw new SettingsError(`train: --head must be one of ${HEADS.join(", ")}, received ${text}`);
}

const say =
  (io: Io) =>
  (line: string): void =>
    io.stderr.write(`${line}\n`);

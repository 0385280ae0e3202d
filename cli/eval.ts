/** `nadir eval`: how good a result is, or how good a model is on a labelled set. */
import { type Command, InvalidArgumentError, Option } from "commander";
import {
  alignDetections,
  type Aligned,
  evaluate,
  type EvaluateOptions,
  type Evaluation,
  LABEL_FORMATS,
  type LabelFormat,
  type LabelledDataset,
  type Protocol,
  PROTOCOLS,
} from "../datasets/index.ts";
import { openScene, writeLabels } from "../datasets/node.ts";
import {
  detectSet,
  EXIT,
  type ExitStatus,
  type Scored,
  SETTING_NAMES,
  SettingsError,
  type SettingsInput,
} from "../pipeline/index.ts";
import type { CliContext } from "./command.ts";
import { evaluationText, shortLine } from "./eval-report.ts";
import { joinSets, readPredictions, readTruth, usable } from "./eval-inputs.ts";
import { addSettings, settingsFromFlags } from "./flags.ts";
import { interruptible } from "./interrupt.ts";
import { type Io, locate } from "./io.ts";
import { gatherSettings, type Said } from "./layers.ts";
import { openModel } from "./open-model.ts";
import { counted, grouped } from "./say.ts";
import { SCORED_FROM } from "./validation.ts";

export interface EvalFlags {
  readonly pred?: readonly string[];
  readonly truth?: string;
  readonly model?: string;
  readonly data?: readonly string[];
  readonly truthFormat?: LabelFormat;
  readonly images?: string;
  readonly scene?: string;
  readonly protocol?: Protocol;
  readonly iou: number;
  readonly maxDetections?: number;
  readonly classMap: Readonly<Record<string, string>>;
  readonly config?: string;
  readonly save?: string;
  readonly json?: boolean;
}

/** Settings of a run that make sense here; `--iou` is the overlap of the evaluation. */
const RUN_SETTINGS = SETTING_NAMES.filter(
  (name) =>
    !["formats", "overwrite", "resume", "shard", "workers", "aoi", "crs", "mergeAtLeast"].includes(
      name,
    ),
);
export function declareEval(command: Command, { io, finish }: CliContext): void {
  command
    .option("--pred <files...>", "Results: GeoJSON of runs, or COCO results.")
    .option(
      "--truth <labels>",
      "Labels to score them against: a file, or the folder of its format.",
    )
    .option("-m, --model <file>", "Instead of results: a detector, run on every image of --data.")
    .option(
      "--data <files...>",
      "Label files with their images; of a data.yaml val, or test as data.yaml#test.",
    )
    .addOption(
      new Option("--truth-format <format>", "Recognised where absent.").choices(LABEL_FORMATS),
    )
    .option("--images <folder>", "Where the images of the labels lie.")
    .option("--scene <file>", "The scene of labels in map coordinates.")
    .addOption(
      new Option(
        "--protocol <name>",
        "coco, or dota where labels are oriented, by default.",
      ).choices(PROTOCOLS),
    )
    .option("--iou <number>", "Overlap from which a detection is right.", toShare, 0.5)
    .option(
      "--max-detections <number>",
      "Detections of an image that count in coco (100).",
      toCount,
    )
    .option("--class-map <pairs>", "airplane=plane,boat=ship: names that differ.", toMap, {})
    .option("-c, --config <file>", "Settings as YAML or JSON.")
    .option("--save <file>", "Writes the model's detections as COCO.")
    .option("--json", "Prints the evaluation as JSON.");
  addSettings(command, RUN_SETTINGS);
  command.action(async (flags: EvalFlags) => {
    const said = gatherSettings(io, settingsFromFlags(command), flags.config);
    finish(await runEval(io, flags, said));
  });
}

/** Scores results, or a model. */
export async function runEval(
  io: Io,
  flags: EvalFlags,
  said: Pick<Said, "layers"> & Partial<Said>,
): Promise<ExitStatus> {
  const note = (line: string): void => io.stderr.write(`nadir: ${line}\n`);
  for (const line of said.notes ?? []) note(line);
  const options: EvaluateOptions = {
    protocol: flags.protocol,
    overlap: flags.iou,
    detectionsAtMost: flags.maxDetections,
  };
  const score = ({ truth, found }: Scored, notify = true): Evaluation => {
    const aligned = alignDetections(truth, found, flags);
    if (notify) for (const line of alignmentNotes(aligned, truth)) note(line);
    return evaluate(truth, aligned.found, options);
  };
  if (flags.pred !== undefined) {
    if (flags.model !== undefined || flags.data !== undefined || flags.truth === undefined) {
      throw new SettingsError("eval: --pred goes with --truth, --model with --data");
    }
    const read = await readPredictions(io, flags.pred, flags.truth, flags);
    const truth = usable("eval", read.truth, flags.truth, note);
    report(io, flags, { scenes: score({ truth, found: read.found }), failures: [] }, note);
    return EXIT.done;
  }
  if (flags.data === undefined || flags.truth !== undefined) {
    throw new SettingsError("eval: --pred with --truth, or --model with --data, must be given");
  }
  const { found, failures, all } = await runModel(io, flags, said, note);
  if (failures.length === all) return EXIT.nothingReadable;
  const scenes = score(found.scenes);
  report(io, flags, { scenes, tiles: score(found.tiles, false), failures }, note);
  return failures.length === 0 ? EXIT.done : EXIT.someFailed;
}

async function runModel(
  io: Io,
  flags: EvalFlags,
  said: Pick<Said, "layers"> & Partial<Said>,
  note: (line: string) => void,
) {
  const sets = await Promise.all(
    (flags.data ?? []).map(async (path) => {
      const { dataset, folder } = await readTruth(io, path, flags);
      return { dataset: usable("eval", dataset, path, note), folder };
    }),
  );
  const { dataset, pathOf } = joinSets(sets);
  const layers = { ...said.layers, option: lowScores(said.layers.option) };
  await using model = await openModel(io, flags.model ?? said.model, layers);
  const { settings } = model.resolved;
  const found = await interruptible(io, note, (signal) =>
    detectSet(dataset, model.detector, settings, {
      open: (file) => openScene(pathOf(file)),
      signal,
      onImage: (done, of) => {
        if (io.stderr.isTTY) io.stderr.write(`\r${done} of ${of} images${done === of ? "\n" : ""}`);
      },
    }),
  );
  for (const failure of found.failures) note(failure);
  if (flags.save !== undefined) {
    await writeLabels("coco", found.scenes.found, locate(io, flags.save));
  }
  return { found, failures: found.failures, all: dataset.images.length };
}

/** Flags win over it; the model's own threshold does not. */
const lowScores = (option: SettingsInput | undefined): SettingsInput => ({
  ...option,
  scoreAtLeast: SCORED_FROM,
});

function alignmentNotes(
  { found, otherClasses, unknownClasses }: Aligned,
  truth: LabelledDataset,
): readonly string[] {
  const others = Object.entries(otherClasses).toSorted(([, a], [, b]) => b - a);
  const shown = others.slice(0, 5).map(([name, count]) => `${name} ${grouped(count)}`);
  const more = others.length > shown.length ? `, ${others.length - shown.length} more` : "";
  const files = new Set(found.images.map(({ file }) => file));
  const silent = truth.images.filter(({ file }) => !files.has(file)).length;
  return [
    ...(others.length > 0
      ? [`not scored, of classes that the labels do not have: ${shown.join(", ")}${more}`]
      : []),
    ...(unknownClasses.length > 0
      ? [
          `scored as missed, of classes that the detector does not know: ${unknownClasses.join(", ")}`,
        ]
      : []),
    ...(silent > 0
      ? [`${counted(silent, "image")} without a result: what is in them counts as missed`]
      : []),
  ];
}

interface Scores {
  readonly scenes: Evaluation;
  readonly tiles?: Evaluation;
  readonly failures: readonly string[];
}

function report(io: Io, flags: EvalFlags, scores: Scores, note: (line: string) => void): void {
  const { scenes, tiles } = scores;
  if (scenes.crowdedImages > 0) {
    note(
      `COCO counts the ${flags.maxDetections ?? 100} surest detections of an image; ${scenes.crowdedImages} images hold more objects (--max-detections)`,
    );
  }
  if (flags.json === true) {
    io.stdout.write(`${JSON.stringify(scores, undefined, 2)}\n`);
    return;
  }
  io.stdout.write(`${evaluationText(scenes)}\n`);
  if (tiles !== undefined) io.stdout.write(`${shortLine("single tiles", tiles)}\n`);
}

function toShare(text: string): number {
  const share = Number(text);
  if (text.trim() !== "" && share >= 0 && share < 1) return share;
  throw new InvalidArgumentError("It must be a number from 0 to below 1.");
}

function toCount(text: string): number {
  const count = Number(text);
  if (Number.isInteger(count) && count >= 1) return count;
  throw new InvalidArgumentError("It must be a whole number from 1 on.");
}

function toMap(
  text: string,
  before: Readonly<Record<string, string>>,
): Readonly<Record<string, string>> {
  const pairs = text.split(",").map((pair): readonly [string, string] => {
    const [from = "", to = "", ...more] = pair.split("=");
    if (from === "" || to === "" || more.length > 0) {
      throw new InvalidArgumentError("It must be pairs as airplane=plane,boat=ship.");
    }
    return [from, to];
  });
  return { ...before, ...Object.fromEntries(pairs) };
}

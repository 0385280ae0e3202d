/** `nadir detect`: objects of scenes into files. */
import type { Command } from "commander";
import { EXIT, type ExitStatus, SETTING_NAMES, SettingsError } from "../pipeline/index.ts";
import { type BatchSummary, runBatch } from "../pipeline/node.ts";
import type { CliContext } from "./command.ts";
import { addSettings, settingsFromFlags } from "./flags.ts";
import { findInputs } from "./inputs.ts";
import { interruptible } from "./interrupt.ts";
import type { Io } from "./io.ts";
import { gatherSettings, type Said } from "./layers.ts";
import { type OpenedModel, openModel } from "./open-model.ts";
import { choosePlace, type Place } from "./place.ts";
import { createProgress, type Progress, PROGRESS_MODES, type ProgressMode } from "./progress.ts";
import { batchLines, modelLines, type SceneSummary, summaryJson } from "./summary.ts";

export interface DetectFlags {
  readonly model?: string;
  readonly out?: string;
  readonly config?: string;
  readonly progress?: string;
  readonly json?: boolean;
}

export function declareDetect(command: Command, { io, finish }: CliContext): void {
  command
    .argument("<scenes...>", "Files, folders, patterns or addresses.")
    .option("-m, --model <file>", "The detector, an ONNX file.")
    .option("-o, --out <place>", "A folder, a file for one scene, or - for standard output.")
    .option("-c, --config <file>", "Settings as YAML or JSON.")
    .option("--progress <how>", `How the run is reported: ${PROGRESS_MODES.join(", ")}.`)
    .option("--json", "Prints a summary as one JSON object.");
  addSettings(command, SETTING_NAMES);
  command.action(async (given: readonly string[], flags: DetectFlags) => {
    const said = gatherSettings(io, settingsFromFlags(command), flags.config);
    finish(await runDetect(io, given, flags, said));
  });
}

/** Detects in the scenes that are given, saying what happens. */
export async function runDetect(
  io: Io,
  given: readonly string[],
  flags: DetectFlags,
  said: Pick<Said, "layers"> & Partial<Said>,
): Promise<ExitStatus> {
  const progress = createProgress(io, progressMode(flags.progress ?? io.env["NADIR_PROGRESS"]));
  for (const note of said.notes ?? []) progress.say(`nadir: ${note}`);
  const { paths, notes } = await findInputs(io, given);
  for (const note of notes) progress.say(`nadir: ${note}`);
  if (paths.length === 0) return EXIT.nothingReadable;

  const place = choosePlace(io, flags.out ?? said.out, paths, said.layers);
  if (place.kind === "stdout" && flags.json === true) {
    throw new SettingsError("detect: --json and --out - must not share standard output");
  }
  await using _ = place;
  await using model = await openModel(io, flags.model ?? said.model, place.layers);
  for (const line of modelLines(model)) progress.say(line);

  const scenes: SceneSummary[] = [];
  const summary = await interruptible(io, progress.say, (signal) =>
    play(paths, { model, place, signal, progress, scenes }),
  );
  progress.close();
  for (const line of batchLines(summary, paths.length)) progress.say(line);
  if (flags.json === true) io.stdout.write(`${summaryJson(summary, scenes)}\n`);
  await place.deliver(scenes.flatMap(({ outputs }) => outputs));
  return statusOf(summary);
}

interface Play {
  readonly model: OpenedModel;
  readonly place: Place;
  readonly signal: AbortSignal;
  readonly progress: Progress;
  /** Filled with the scenes that are done. */
  readonly scenes: SceneSummary[];
}

/** Runs the batch, showing what happens. */
async function play(
  paths: readonly string[],
  { model, place, signal, progress, scenes }: Play,
): Promise<BatchSummary> {
  const { settings, provenance } = model.resolved;
  const run = runBatch(paths, {
    detector: model.detector,
    engine: model.engine,
    settings,
    provenance,
    outDir: place.folder,
    stem: place.stem,
    signal,
  });
  let next = await run.next();
  for (; next.done !== true; next = await run.next()) {
    progress.onEvent(next.value);
    if (next.value.type === "done") {
      const { source, objects, byClass, outputs } = next.value;
      scenes.push({ source, objects, byClass, outputs });
    }
  }
  return next.value;
}

function progressMode(asked = "auto"): ProgressMode {
  const mode = PROGRESS_MODES.find((one) => one === asked);
  if (mode !== undefined) return mode;
  throw new SettingsError(
    `detect: --progress must be one of ${PROGRESS_MODES.join(", ")}, received ${asked}`,
  );
}

/** A batch in which nothing went right ends as its failures do, where these agree. */
function statusOf({ completed, skipped, failed, cancelled, failures }: BatchSummary): ExitStatus {
  if (cancelled) return EXIT.cancelled;
  if (failed === 0) return EXIT.done;
  const kinds = new Set(failures.map(({ exit }) => exit));
  const [only] = kinds;
  return completed + skipped === 0 && kinds.size === 1 && only !== undefined
    ? only
    : EXIT.someFailed;
}

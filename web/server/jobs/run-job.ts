/** One job: the batch pipeline with its journal over one scene. */
import { readFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import {
  FORMATS,
  formatNamed,
  resolveSettings,
  type RunEvent,
  settingsOfModel,
  type SettingsInput,
  stem,
} from "../../../pipeline/index.ts";
import { type BatchSummary, runBatch } from "../../../pipeline/node.ts";
import type { ServedModel } from "../models/served.ts";
import type { Limits } from "../options.ts";
import { openUpload } from "../requests/pixels.ts";
import type { Counts, JobRecord } from "./record.ts";

export interface RunJobOptions {
  readonly folder: string;
  readonly model: ServedModel;
  /** Settings of the server, under those of the request. */
  readonly base: SettingsInput;
  readonly limits: Limits;
  /** No further tile is begun after it; what is in hand is kept for the next time. */
  readonly signal: AbortSignal;
  readonly onEvent: (event: RunEvent) => void;
}

export interface JobEnd {
  readonly counts: Counts;
  readonly outputs: readonly string[];
}

/** A run that ended before its end, by a failure that the pipeline has described. */
export class JobFailure extends Error {
  override readonly name = "JobFailure";
  readonly code: string;
  constructor(code: string, sentence: string) {
    super(sentence);
    this.code = code;
  }
}

/** Names of a job's outputs: as the command line names them. */
export const outputName = (source: string, format: string): string =>
  `${stem(source)}${FORMATS[formatNamed(format)].extension}`;

/** @throws {JobFailure} with the code and sentence of what went wrong */
export async function runJob(record: JobRecord, options: RunJobOptions): Promise<JobEnd> {
  const { folder, model, base, limits, signal, onEvent } = options;
  const upload = join(folder, "upload", record.source.name);
  const results = join(folder, "results");
  const whole = await finishedEarlier(join(results, `${stem(record.source.name)}.run.json`));
  if (whole !== undefined) return whole;
  const { settings, provenance } = resolveSettings({
    option: record.settings,
    config: { ...base, overwrite: "replace", resume: true, workers: 1, shard: "1/1" },
    model: settingsOfModel(model.exact.card),
  });
  const run = runBatch([upload], {
    detector: model.exact,
    engine: model.engine,
    settings,
    provenance,
    outDir: results,
    signal,
    open: (path, stop) =>
      openUpload({ place: path, name: record.source.name }, limits, { signal: stop }),
  });
  let end: JobEnd | undefined;
  let next = await run.next();
  for (; next.done !== true; next = await run.next()) {
    onEvent(next.value);
    if (next.value.type !== "done") continue;
    const { objects, raw, byClass, outputs } = next.value;
    end = { counts: { objects, raw, byClass }, outputs: outputs.map(lastPart) };
  }
  if (end === undefined) throw failureOf(next.value, signal);
  return end;
}

const lastPart = (path: string): string => resolve(path).split(/[\\/]/).at(-1) ?? "";

function failureOf({ failures: [first] }: BatchSummary, signal: AbortSignal): JobFailure {
  if (first !== undefined) return new JobFailure(first.code, first.sentence);
  return new JobFailure("ERR_CANCELLED", signal.aborted ? "cancelled" : "nothing was done");
}

/** What the manifest says, where the process ended between the last output and the record. */
async function finishedEarlier(manifest: string): Promise<JobEnd | undefined> {
  const text = await readFile(manifest, "utf8").catch(() => undefined); // not there: not finished
  if (text === undefined) return undefined;
  const { counts, outputs } = JSON.parse(text) as {
    readonly counts: Counts;
    readonly outputs: readonly string[];
  };
  const { objects, raw, byClass } = counts;
  return { counts: { objects, raw, byClass }, outputs: [...outputs, manifest].map(lastPart) };
}

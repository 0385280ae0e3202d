/** One scene of a batch: opened, detected in, its outputs written and its journal removed. */
import { access, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import process from "node:process";
import type { Scene } from "../../datasets/index.ts";
import { detect, type FlowProgress } from "../detect.ts";
import { manifest } from "../manifest.ts";
import { type FormatName, FORMATS, formatNamed } from "../outputs/formats.ts";
import { openOutput } from "../outputs/node/open.ts";
import { openPartialFile } from "../outputs/node/partial-file.ts";
import { type Output, OutputError } from "../outputs/output.ts";
import type { DoneEvent, RunEvent, SkippedEvent } from "../progress.ts";
import type { RunReport } from "../report.ts";
import { groundResolution } from "../resolution.ts";
import type { ScenePlan } from "../scene-plan.ts";
import type { BatchOptions } from "./batch-options.ts";
import { journalKey } from "./journal.ts";
import { openJournal } from "./journal-node.ts";

export interface SceneJob {
  readonly source: string;
  /** Outputs are `stem.geojson`, `stem.run.json`. */
  readonly stem: string;
  /** Place in the batch, and scenes in it. */
  readonly index: number;
  readonly of: number;
}

type Options = BatchOptions & { readonly open: NonNullable<BatchOptions["open"]> };

/** Paths that belong to one scene. */
interface Paths {
  readonly outputs: readonly { readonly format: FormatName; readonly path: string }[];
  readonly manifest: string;
  readonly journal: string;
}

/**
 * Does one scene. On failure no output lies under its final name, and the journal keeps what was found.
 *
 * @returns the event that ends it
 */
export async function runScene(
  job: SceneJob,
  options: Options,
  push: (event: RunEvent) => void,
): Promise<DoneEvent | SkippedEvent> {
  const about = { source: job.source, index: job.index, of: job.of };
  const paths = pathsOf(job, options);
  const reason = await reasonToSkip(paths, options);
  if (reason !== undefined) return { type: "skipped", ...about, reason };
  const began = performance.now();
  const startedAt = new Date();
  await using scene = await options.open(job.source, options.signal);
  push({ type: "scene", ...about, ...factsOf(scene) });

  const { detector, settings } = options;
  const batch = detector.card.input.batch ?? settings.batch;
  const key = await journalKey({
    modelSha256: detector.card.sha256,
    settings,
    batch,
    engine: options.engine,
    identity: scene.identity,
  });
  const found = await withJournal(
    paths.journal,
    { key, batch, fresh: !settings.resume },
    (journal) => writeObjects(scene, paths, options, about, push, journal),
  );
  for (const message of [...found.report.warnings, ...found.report.diagnosis]) {
    push({ type: "note", ...about, message });
  }
  await writeManifest(scene, paths, options, { ...found, startedAt });
  await rm(paths.journal, { force: true });
  const { objects, raw, byClass } = found.report;
  const outputs = [...paths.outputs.map(({ path }) => path), paths.manifest];
  const elapsedMs = performance.now() - began;
  return { type: "done", ...about, objects, raw, byClass, elapsedMs, outputs };
}

function pathsOf({ source, stem }: SceneJob, { outDir, settings }: Options): Paths {
  const isAddress = /^https?:\/\//i.test(source);
  const folder = outDir ?? (isAddress ? "." : dirname(source));
  const outputs = settings.formats.map((name) => {
    const format = formatNamed(name);
    return { format, path: join(folder, `${stem}${FORMATS[format].extension}`) };
  });
  return {
    outputs,
    manifest: join(folder, `${stem}.run.json`),
    journal: join(folder, `.${stem}.journal`),
  };
}

/** Why a scene need not be done. @throws {OutputError} where its outputs are there and must not be touched */
async function reasonToSkip(
  { outputs, manifest: whole, journal }: Paths,
  { settings: { overwrite } }: Options,
): Promise<string | undefined> {
  if (overwrite === "replace") return undefined;
  const done = await exists(whole);
  // Outputs without a manifest but with a journal: the end of a run that was killed; it is gone on with.
  const there = done ? [whole] : (await exists(journal)) ? [] : outputs.map(({ path }) => path);
  for (const path of there) {
    if (!(await exists(path))) continue;
    if (overwrite === "skip") return `${path} is there already`;
    throw new OutputError(`${path}: must not be there yet, unless overwrite is skip or replace`);
  }
  return undefined;
}

const exists = (path: string): Promise<boolean> =>
  access(path).then(
    () => true,
    () => false,
  );

function factsOf(scene: Scene) {
  const { width, height, crs, sampleType, nodata } = scene;
  const gsd = groundResolution(scene);
  return {
    width,
    height,
    crs: crs?.epsg === undefined ? crs?.name : `EPSG:${crs.epsg}`,
    gsdM: gsd && Math.sqrt(gsd.x * gsd.y),
    sampleType,
    bands: scene.bands.length,
    nodata,
  };
}

async function withJournal<T>(
  path: string,
  options: Parameters<typeof openJournal>[1],
  work: (journal: Awaited<ReturnType<typeof openJournal>>) => Promise<T>,
): Promise<T> {
  await using journal = await openJournal(path, options);
  try {
    return await work(journal);
  } finally {
    if (journal.isEmpty()) await rm(path, { force: true });
  }
}

interface Found {
  readonly plan: ScenePlan;
  readonly report: RunReport;
}

/** Detects, and writes every object to every output; all get their names together at the end. */
async function writeObjects(
  scene: Scene,
  paths: Paths,
  { detector, settings, signal }: Options,
  about: Pick<SceneJob, "source" | "index" | "of">,
  push: (event: RunEvent) => void,
  journal: Awaited<ReturnType<typeof openJournal>>,
): Promise<Found> {
  let plan: ScenePlan | undefined;
  const onProgress = (now: FlowProgress): void => {
    if (plan === undefined) push({ type: "plan", ...about, ...planFacts(now, settings.tilePx) });
    plan = now.plan;
    const { done, raw, objects } = now;
    push({ type: "tiles", ...about, done, total: plan.tiles.tiles.length, raw, objects });
  };
  const onNote = (message: string): void => push({ type: "note", ...about, message });
  const { card } = detector;
  const gsdM = settings.sceneGsdM ?? factsOf(scene).gsdM;
  const context = { scene, classes: card.classes, model: card, crs: settings.crs, gsdM };
  const outputs: Output[] = [];
  try {
    for (const { format, path } of paths.outputs) {
      outputs.push(await openOutput(format, path, context));
    }
    const run = detect(scene, detector, settings, {
      windDown: signal,
      onProgress,
      onNote,
      journal,
    });
    let next = await run.next();
    for (; next.done !== true; next = await run.next()) {
      for (const output of outputs) await output.write(next.value);
    }
    for (const output of outputs) await output.finish();
    if (plan === undefined) throw new TypeError("writeObjects: a run must have been planned");
    return { plan, report: next.value };
  } finally {
    for (const output of outputs) await output.abort(); // does nothing where it is finished
  }
}

const planFacts = ({ plan, resumed }: FlowProgress, tilePx: number) => ({
  tiles: plan.tiles.tiles.length + plan.outside,
  skipped: plan.outside,
  resumed,
  tilePx,
  overlapPx: Math.round(plan.tiles.overlapPx / plan.preprocessing.fit.zoom),
  batch: plan.batch,
});

async function writeManifest(
  scene: Scene,
  paths: Paths,
  options: Options,
  run: Found & { readonly startedAt: Date },
): Promise<void> {
  const { detector, engine, settings, provenance } = options;
  const value = manifest({
    scene,
    detector,
    engine,
    settings,
    provenance,
    ...run,
    finishedAt: new Date(),
    outputs: paths.outputs.map(({ path }) => path),
    platform: `node ${process.versions.node} ${process.platform} ${process.arch}`,
  });
  const file = await openPartialFile(paths.manifest);
  await file.write(new TextEncoder().encode(`${JSON.stringify(value, undefined, 2)}\n`));
  await file.finish();
}

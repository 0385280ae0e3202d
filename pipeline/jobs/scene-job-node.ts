/** One scene of a batch: opened, detected in, its outputs written and its journal removed. */
import { rm } from "node:fs/promises";
import process from "node:process";
import type { Scene } from "../../datasets/index.ts";
import { detect, type FlowProgress } from "../detect.ts";
import { manifest } from "../manifest.ts";
import { openOutput } from "../outputs/node/open.ts";
import { openPartialFile } from "../outputs/node/partial-file.ts";
import type { Output } from "../outputs/output.ts";
import type { DoneEvent, RunEvent, SkippedEvent } from "../progress.ts";
import type { RunReport } from "../report.ts";
import { groundResolution } from "../resolution.ts";
import type { ScenePlan } from "../scene-plan.ts";
import type { BatchOptions } from "./batch-options.ts";
import { journalKey } from "./journal.ts";
import { openJournal } from "./journal-node.ts";
import { pathsOf, reasonToSkip, type SceneJob, type ScenePaths } from "./scene-paths-node.ts";

type Options = BatchOptions & { readonly open: NonNullable<BatchOptions["open"]> };

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
  const reason = await reasonToSkip(paths, options.settings.overwrite);
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
  paths: ScenePaths,
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
  paths: ScenePaths,
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

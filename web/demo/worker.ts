/**
 * The worker: the same pipeline as in Node. It holds the scene, the detector and what was found; the page holds only what
 * it shows.
 */
import type { Scene } from "../../datasets/index.ts";
import { buildMatchedFilter } from "../../models/index.ts";
import { classColour, describe, type FoundObject } from "../../pipeline/index.ts";
import type { Event, Measured, ModelChoice, Request, RunSettings } from "./messages.ts";
import {
  type Backend,
  fastest,
  gpuKind,
  nextBackend,
  openBackend,
  unusable,
} from "./worker/backends.ts";
import { exportObjects, picked } from "./worker/export.ts";
import { decide, run } from "./worker/run.ts";
import { introduce, openSource } from "./worker/scene.ts";
import { fetchShipped } from "./worker/shipped.ts";

/** What the global object of a worker has; the DOM's types know only that of a page. */
interface WorkerPort {
  onmessage: ((message: MessageEvent<Request>) => void) | null;
  readonly postMessage: (event: Event, transfer?: readonly Transferable[]) => void;
}
const port = globalThis as unknown as WorkerPort; // this file runs nowhere else

/** A model that is loaded: its bytes, for another backend may be asked for, and the backends that are open. */
interface LoadedModel {
  readonly bytes: Uint8Array;
  readonly backends: readonly Backend[];
  readonly failed: readonly Measured[];
}

let scene: Scene | undefined;
let model: LoadedModel | undefined;
let objects: readonly FoundObject[] = [];
let cancel = new AbortController();
let last: Promise<void> = Promise.resolve();

port.onmessage = ({ data }) => {
  if (data.type === "cancel") return cancel.abort();
  if (data.type === "detect") cancel = new AbortController();
  const { signal } = cancel;
  last = last.then(() => serve(data, signal)).catch((error: unknown) => fail(data.type, error));
};

const say = (event: Event, transfer: readonly Transferable[] = []): void =>
  port.postMessage(event, transfer);

function fail(during: Request["type"], error: unknown): void {
  const { code, sentence } = describe(error);
  say({ type: "failed", during, code, sentence });
}

async function serve(
  request: Exclude<Request, { type: "cancel" }>,
  signal: AbortSignal,
): Promise<void> {
  switch (request.type) {
    case "open":
      return open(request.source);
    case "model":
      return load(request.choice);
    case "compare":
      return compare();
    case "detect":
      return look(request.settings, signal);
    case "export":
      return save(request);
    case "lab":
      return compareOperators(request.at);
    default:
      return request satisfies never;
  }
}

async function open(source: Parameters<typeof openSource>[0]): Promise<void> {
  say({ type: "busy", with: "Opening the scene" });
  const next = await openSource(source);
  const introduction = await introduce(next).catch(async (error: unknown) => {
    await next[Symbol.asyncDispose]();
    throw error;
  });
  await scene?.[Symbol.asyncDispose]();
  [scene, objects] = [next, []];
  say(introduction, [introduction.picture]);
}

async function load(choice: ModelChoice): Promise<void> {
  say({ type: "busy", with: "Loading the model" });
  const bytes = await bytesOfChoice(choice);
  const opened = await openFirst(bytes, []);
  await close();
  objects = []; // they have the former model's classes
  model = { bytes, ...opened };
  await present();
}

async function bytesOfChoice(choice: ModelChoice): Promise<Uint8Array> {
  if (choice.kind === "built-in") return buildMatchedFilter();
  if (choice.kind === "shipped") return fetchShipped(choice.name);
  return new Uint8Array(await choice.file.arrayBuffer());
}

/**
 * The first backend that runs the model.
 *
 * @throws {ModelError} where not even WebAssembly does
 */
async function openFirst(
  bytes: Uint8Array,
  before: readonly Measured[],
): Promise<Pick<LoadedModel, "backends" | "failed">> {
  const gpu = await gpuKind();
  const failed = [...before];
  for (;;) {
    const name = nextBackend(gpu, failed) ?? "wasm";
    try {
      return { backends: [await openBackend(bytes, name, undefined)], failed };
    } catch (error) {
      if (name === "wasm") throw error;
      failed.push(unusable(name, error));
    }
  }
}

async function close(): Promise<void> {
  const open = model?.backends ?? [];
  model = undefined;
  for (const { detector } of open) await detector[Symbol.asyncDispose]();
}

/** Tries one more backend; one that fails is remembered with its reason. */
async function compare(): Promise<void> {
  if (model === undefined) return;
  const { bytes, backends, failed } = model;
  const name = nextBackend(await gpuKind(), [...backends, ...failed]);
  if (name === undefined) return;
  say({ type: "busy", with: "Measuring another backend" });
  try {
    const backend = await openBackend(bytes, name, backends[0]);
    model = { bytes, backends: [...backends, backend], failed };
  } catch (error) {
    model = { bytes, backends, failed: [...failed, unusable(name, error)] };
  }
  await present();
}

async function present(): Promise<void> {
  if (model === undefined) return;
  const { bytes, backends, failed } = model;
  const chosen = fastest(backends);
  if (chosen === undefined) return;
  const { card, decision, notices } = chosen.detector;
  const { scoreAtLeast, overlapPx } = decide(chosen.detector, {});
  const measured = backends.map(({ backend, msPerTile, difference }) => ({
    backend,
    msPerTile,
    difference,
  }));
  say({
    type: "model",
    name: card.name,
    sha256: card.sha256,
    sizeBytes: bytes.length,
    licence: card.licence,
    head: `${decision.name}: ${decision.reasons.join("; ")}`,
    classes: card.classes,
    colours: card.classes.map((_, index) => classColour(index)),
    scoreAtLeast: scoreAtLeast["*"],
    overlapPx,
    notices,
    measured: [...measured, ...failed],
    chosen: chosen.backend,
    threads: threads(),
    next: nextBackend(await gpuKind(), [...backends, ...failed]),
  });
}

/** As `pipeline/engines/onnxruntime-web.ts` decides it. */
function threads(): { readonly now: number; readonly isolated: number } {
  const isolated = Math.min(4, Math.ceil(navigator.hardwareConcurrency / 2));
  return { now: globalThis.crossOriginIsolated ? isolated : 1, isolated };
}

async function look(settings: RunSettings, signal: AbortSignal): Promise<void> {
  const backend = model && fastest(model.backends);
  if (scene === undefined || model === undefined || backend === undefined) return;
  objects = [];
  const { detector } = backend;
  try {
    const done = await run({ scene, detector, settings, signal, say });
    ({ objects } = done);
    say(done);
  } catch (error) {
    if (describe(error).code !== "ERR_DEVICE" || backend.backend === "wasm") throw error;
    await fallBack(backend, error);
    await look(settings, signal);
  }
}

/** A device was lost in mid-run: the run goes on without it, from its beginning. */
async function fallBack(lost: Backend, error: unknown): Promise<void> {
  if (model === undefined) return;
  say({ type: "note", sentence: `${describe(error).sentence}; going on without it` });
  const { bytes } = model;
  const backends = model.backends.filter((backend) => backend !== lost);
  const failed = [...model.failed, unusable(lost.backend, error)];
  model =
    backends.length > 0
      ? { bytes, backends, failed }
      : { bytes, ...(await openFirst(bytes, failed)) };
  try {
    await lost.detector[Symbol.asyncDispose]();
  } catch {
    // Its device is gone: there is nothing to give back.
  }
  await present();
}

async function save({ format, pick }: Extract<Request, { type: "export" }>): Promise<void> {
  const backend = model?.backends[0];
  if (scene === undefined || backend === undefined) return;
  say({ type: "busy", with: "Writing the file" });
  const file = await exportObjects(format, picked(objects, pick), scene, backend.detector);
  say(file, file.content instanceof Blob ? [] : [file.content.backdrop]);
}

async function compareOperators(at: readonly [x: number, y: number]): Promise<void> {
  if (scene === undefined) return;
  say({ type: "busy", with: "Measuring attention operators" });
  const { examine } = await import("./worker/lab/examine.ts");
  const result = await examine(scene, at);
  say(result, [result.picture]);
}

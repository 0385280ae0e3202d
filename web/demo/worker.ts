/**
 * The worker: the same pipeline as in Node. It holds the scene, the detector and what was found; the page holds only what
 * it shows.
 */
import type { Scene } from "../../datasets/index.ts";
import { buildMatchedFilter } from "../../models/index.ts";
import { classColour, describe, type FoundObject, wasmThreads } from "../../pipeline/index.ts";
import {
  type Event,
  isChosen,
  type Measured,
  type ModelChoice,
  type ModelReady,
  type Request,
  type RunSettings,
} from "./messages.ts";
import { STANDARD } from "./shipped.ts";
import {
  type Backend,
  differences,
  fastest,
  gpuKind,
  nextBackend,
  openBackend,
  unusable,
} from "./worker/backends.ts";
import { exportObjects } from "./worker/export.ts";
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
  if (data.type === "cancel") {
    cancel.abort();
    cancel = new AbortController();
    return;
  }
  const { signal } = cancel;
  last = last
    .then(() => serve(data, signal))
    .catch((error: unknown) => fail(data.type, error))
    .then(() => say({ type: "idle" }));
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
      await open(request.source);
      return look(request.settings, signal);
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
  const before = shaOf(model?.backends);
  await close();
  model = { bytes, ...opened };
  if (shaOf(model.backends) !== before) objects = []; // they have the former model's classes
  await present();
}

const shaOf = (backends: readonly Backend[] = []): string | undefined =>
  backends[0]?.detector.card.sha256;

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
      return { backends: [await openBackend(bytes, name)], failed };
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
    const backend = await openBackend(bytes, name);
    model = { bytes, backends: [...backends, backend], failed };
  } catch (error) {
    model = { bytes, backends, failed: [...failed, unusable(name, error)] };
  }
  await present();
}

async function present(): Promise<void> {
  if (model === undefined) return;
  const { bytes, backends, failed } = model;
  const apart = differences(backends);
  const chosen = fastest(backends, apart);
  if (chosen === undefined) return;
  const { card, decision, notices } = chosen.detector;
  const { scoreAtLeast, overlapPx } = decide(chosen.detector, {});
  const measured = backends.map(({ backend, msPerTile }, i) => ({
    backend,
    msPerTile,
    difference: apart[i]!,
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
    scales: card.scales ?? [],
    notices,
    measured: [...measured, ...failed],
    chosen: chosen.backend,
    threads: threads(),
    next: nextBackend(await gpuKind(), [...backends, ...failed]),
  });
}

const threads = (): ModelReady["threads"] => ({
  now: wasmThreads(),
  isolated: wasmThreads(true),
});

async function look(settings: RunSettings, signal: AbortSignal): Promise<void> {
  if (model === undefined) await load(STANDARD);
  const backend = fastest(model?.backends ?? []);
  if (scene === undefined || backend === undefined || signal.aborted) return;
  say({ type: "planning" });
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

async function save({ format, choice }: Extract<Request, { type: "export" }>): Promise<void> {
  const backend = model?.backends[0];
  if (scene === undefined || backend === undefined) return;
  say({ type: "busy", with: "Writing the file" });
  const meant = objects.filter((object) => isChosen(object, choice));
  const file = await exportObjects(format, meant, scene, backend.detector);
  say(file, file.content instanceof Blob ? [] : [file.content.backdrop]);
}

async function compareOperators(at: readonly [x: number, y: number]): Promise<void> {
  if (scene === undefined) return;
  say({ type: "busy", with: "Measuring attention operators" });
  const { examine } = await import("./worker/lab/examine.ts");
  const result = await examine(scene, at);
  say(result, [result.picture]);
}

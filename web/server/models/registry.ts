/** The models that are served: loaded, shared by all requests, and exchanged when their files change. */
import { createHash } from "node:crypto";
import { ModelError } from "../../../models/index.ts";
import { describe, nearest, type SettingsInput } from "../../../pipeline/index.ts";
import type { Limits } from "../options.ts";
import { withoutFolders } from "../problem.ts";
import { loadModel, type ServedModel } from "./served.ts";
import type { ModelFacts, ModelSource, ServedSources } from "./sources.ts";

/** A model in use: it stays loaded until it is disposed of. */
export interface Lease extends Disposable {
  readonly model: ServedModel;
}

export interface ModelState {
  readonly id: string;
  /** `idle`: loaded when it is first asked for. */
  readonly state: "ready" | "idle" | "failed";
  readonly isDefault: boolean;
  /** Why it failed. */
  readonly reason?: string | undefined;
  readonly model?: ServedModel | undefined;
  /** What is known of one that is not loaded. */
  readonly facts?: ModelFacts | undefined;
}

export interface Registry extends AsyncDisposable {
  /** Looks at the sources: loads what is new or changed, drops what is gone. */
  readonly scan: () => Promise<void>;
  /** True once the sources have been looked at. */
  readonly isReady: () => boolean;
  readonly list: () => readonly ModelState[];
  /**
   * Borrows a model, and loads it where it is idle; without an id the default.
   *
   * @throws {ModelError} where there is none of that id, or it does not load
   */
  readonly lease: (id?: string) => Promise<Lease>;
}

interface Entry {
  readonly source: ModelSource;
  /** Begun once; afterwards one of the two below is there. */
  loading: Promise<void> | undefined;
  model: ServedModel | undefined;
  reason: string | undefined;
  users: number;
  retired: boolean;
}

export interface RegistryOptions {
  readonly find: () => Promise<ServedSources>;
  /** Folders that no reason may name. */
  readonly hide: readonly string[];
  /** Settings that decide how a model is loaded. */
  readonly settings: SettingsInput;
  readonly limits: Pick<Limits, "batch">;
  readonly onRun: (rows: number) => void;
}

export function createRegistry(options: RegistryOptions): Registry {
  const entries = new Map<string, Entry>();
  let defaultId: string | undefined;
  let ready = false;
  let scanning: Promise<void> | undefined;

  const drop = (entry: Entry): void => {
    entry.retired = true;
    if (entry.users === 0) void close(entry);
  };
  const refresh = async (): Promise<void> => {
    const found = await options.find();
    for (const [id, entry] of entries) {
      if (found.sources.some((source) => source.id === id)) continue;
      entries.delete(id);
      drop(entry);
    }
    for (const source of found.sources) {
      const before = entries.get(source.id);
      const isSame = before?.source.stamp === source.stamp;
      const entry = isSame ? before : idle(source);
      if (source.facts === undefined) await loaded(entry, options);
      entries.set(source.id, entry);
      if (!isSame && before !== undefined) drop(before);
    }
    ({ defaultId } = found);
    ready = true;
  };
  return {
    scan: () => (scanning ??= refresh().finally(() => (scanning = undefined))),
    isReady: () => ready,
    list: () =>
      [...entries.values()]
        .toSorted((a, b) => (a.source.id < b.source.id ? -1 : 1))
        .map((entry) => stateOf(entry, defaultId)),
    lease: async (id) => {
      const entry = entryOf(entries, id ?? defaultId);
      entry.users++; // from here on it is not closed under our hands
      let given = true;
      const giveBack = (): void => {
        if (!given) return;
        given = false;
        if (--entry.users === 0 && entry.retired) void close(entry);
      };
      await loaded(entry, options);
      const { model, reason, source } = entry;
      if (model !== undefined) return { model, [Symbol.dispose]: giveBack };
      giveBack();
      throw new ModelError(`model: ${source.id} failed, ${reason}`);
    },
    [Symbol.asyncDispose]: async () => {
      await scanning;
      await Promise.all([...entries.values()].map(close));
      entries.clear();
    },
  };
}

const idle = (source: ModelSource): Entry => ({
  source,
  loading: undefined,
  model: undefined,
  reason: undefined,
  users: 0,
  retired: false,
});

/** Loads it, once; a failure is kept as the reason. */
function loaded(entry: Entry, options: RegistryOptions): Promise<void> {
  return (entry.loading ??= load(entry, options));
}

async function load(entry: Entry, { hide, settings, limits, onRun }: RegistryOptions) {
  const { id, read } = entry.source;
  try {
    const bytes = await read();
    const version = createHash("sha256").update(bytes).digest("hex").slice(0, 12);
    entry.model = await loadModel(bytes, { id, version, settings, limits, onRun });
  } catch (error) {
    entry.reason = withoutFolders(describe(error).sentence, hide);
  }
}

async function close(entry: Entry): Promise<void> {
  await entry.loading;
  await entry.model?.[Symbol.asyncDispose]();
}

function stateOf({ source, model, reason }: Entry, defaultId: string | undefined): ModelState {
  const { id, facts } = source;
  const state = model !== undefined ? "ready" : reason === undefined ? "idle" : "failed";
  return { id, state, isDefault: id === defaultId, reason, model, facts };
}

function entryOf(entries: ReadonlyMap<string, Entry>, id: string | undefined): Entry {
  const known = [...entries.keys()];
  if (id === undefined) {
    throw new ModelError(`model: must be one of ${known.join(", ") || "none"}, received none`);
  }
  const entry = entries.get(id);
  if (entry !== undefined) return entry;
  const hint = nearest(id, known);
  const more = hint === undefined ? "" : `; did you mean ${hint}?`;
  throw new ModelError(`model: there is no ${id.slice(0, 80)}${more}`);
}

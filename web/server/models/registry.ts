/** The models of a folder: loaded, shared by all requests, and exchanged when their files change. */
import { createHash } from "node:crypto";
import { readdir, readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { ModelError } from "../../../models/index.ts";
import { describe, nearest, type SettingsInput } from "../../../pipeline/index.ts";
import type { Limits } from "../options.ts";
import { withoutFolders } from "../problem.ts";
import { loadModel, type ServedModel } from "./served.ts";

/** A model in use: it stays loaded until it is disposed of. */
export interface Lease extends Disposable {
  readonly model: ServedModel;
}

export interface ModelState {
  readonly id: string;
  readonly state: "ready" | "failed";
  /** Why it failed. */
  readonly reason?: string;
  readonly model?: ServedModel;
}

export interface Registry extends AsyncDisposable {
  /** Looks at the folder: loads what is new or changed, drops what is gone. */
  readonly scan: () => Promise<void>;
  /** True once the folder has been looked at. */
  readonly isReady: () => boolean;
  readonly list: () => readonly ModelState[];
  /**
   * Borrows a model; without an id the only one.
   *
   * @throws {ModelError} where there is none of that id, version, or it does not load
   */
  readonly lease: (id?: string, version?: string) => Lease;
}

interface Entry {
  readonly id: string;
  /** Changes when the file may have changed. */
  readonly stamp: string;
  readonly model: ServedModel | undefined;
  readonly reason: string | undefined;
  users: number;
  retired: boolean;
}

export interface RegistryOptions {
  readonly folder: string;
  /** Settings that decide how a model is loaded. */
  readonly settings: SettingsInput;
  readonly limits: Pick<Limits, "batch">;
  readonly onRun: (rows: number) => void;
}

export function createRegistry(options: RegistryOptions): Registry {
  const { folder } = options;
  const entries = new Map<string, Entry>();
  let ready = false;
  let scanning: Promise<void> | undefined;

  const drop = (entry: Entry): void => {
    entry.retired = true;
    if (entry.users === 0) void entry.model?.[Symbol.asyncDispose]();
  };
  const refresh = async (): Promise<void> => {
    const files = await modelFiles(folder);
    for (const [id, entry] of entries) {
      if (files.some((file) => file.id === id)) continue;
      entries.delete(id);
      drop(entry);
    }
    for (const { id, path, stamp } of files) {
      const before = entries.get(id);
      if (before?.stamp === stamp) continue;
      entries.set(id, await load(id, path, stamp, options));
      if (before !== undefined) drop(before);
    }
    ready = true;
  };
  const find = (id: string | undefined, version: string | undefined): Entry => {
    const known = [...entries.keys()];
    const wanted = id ?? (known.length === 1 ? known[0] : undefined);
    if (wanted === undefined) {
      throw new ModelError(`model: must be one of ${known.join(", ") || "none"}, received none`);
    }
    const entry = entries.get(wanted);
    if (entry === undefined || (version !== undefined && entry.model?.version !== version)) {
      const hint = nearest(wanted, known);
      const said = version === undefined ? wanted : `${wanted} version ${version}`;
      throw new ModelError(
        `model: there is no ${said.slice(0, 80)}${hint === undefined || hint === wanted ? "" : `; did you mean ${hint}?`}`,
      );
    }
    return entry;
  };
  return {
    scan: () => (scanning ??= refresh().finally(() => (scanning = undefined))),
    isReady: () => ready,
    list: () =>
      [...entries.values()].map(({ id, model, reason }) => ({
        id,
        state: model === undefined ? "failed" : "ready",
        ...(reason !== undefined && { reason }),
        ...(model !== undefined && { model }),
      })),
    lease: (id, version) => {
      const entry = find(id, version);
      const { model } = entry;
      if (model === undefined) throw new ModelError(`model: ${entry.id} failed, ${entry.reason}`);
      entry.users++;
      let given = true;
      const giveBack = (): void => {
        if (!given) return;
        given = false;
        if (--entry.users === 0 && entry.retired) void model[Symbol.asyncDispose]();
      };
      return { model, [Symbol.dispose]: giveBack };
    },
    [Symbol.asyncDispose]: async () => {
      await scanning;
      for (const { model } of entries.values()) await model?.[Symbol.asyncDispose]();
      entries.clear();
    },
  };
}

interface ModelFile {
  readonly id: string;
  readonly path: string;
  readonly stamp: string;
}

async function modelFiles(folder: string): Promise<readonly ModelFile[]> {
  const names = (await readdir(folder)).filter((name) => /^[\w-][\w.-]*\.onnx$/i.test(name));
  const files = names.toSorted().map(async (name) => {
    const path = join(folder, name);
    const { size, mtimeMs } = await stat(path);
    return { id: name.replace(/\.onnx$/i, ""), path, stamp: `${size}:${mtimeMs}` };
  });
  return Promise.all(files);
}

async function load(
  id: string,
  path: string,
  stamp: string,
  { folder, settings, limits, onRun }: RegistryOptions,
): Promise<Entry> {
  const common = { id, stamp, users: 0, retired: false };
  try {
    const bytes = await readFile(path);
    const version = createHash("sha256").update(bytes).digest("hex").slice(0, 12);
    const model = await loadModel(bytes, { id, version, settings, limits, onRun });
    return { ...common, model, reason: undefined };
  } catch (error) {
    const reason = withoutFolders(describe(error).sentence, [folder]);
    return { ...common, model: undefined, reason };
  }
}

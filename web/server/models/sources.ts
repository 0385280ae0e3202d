/** Where models come from: files of a folder, those that come with the package, and one that needs no weights. */
import { createHash } from "node:crypto";
import { readdir, readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import {
  buildMatchedFilter,
  MATCHED_FILTER_CLASSES,
  type ModelCard,
  type ShippedCard,
} from "../../../models/index.ts";
import { buildShippedModel, listShipped } from "../../../pipeline/node.ts";

/** What a list says of a model that is not loaded. */
export type ModelFacts = Pick<ModelCard, "name" | "classes" | "oriented"> &
  Partial<Pick<ModelCard, "gsdM" | "scoreAtLeast" | "overlapPx" | "licence">>;

/** A model that can be served. */
export interface ModelSource {
  readonly id: string;
  /** Changes when the model may have changed. */
  readonly stamp: string;
  readonly read: () => Promise<Uint8Array>;
  /** Stands in for a model that is loaded when it is first asked for. @default it is loaded at once */
  readonly facts?: ModelFacts | undefined;
}

export interface ServedSources {
  readonly sources: readonly ModelSource[];
  /** The model of requests that name none; undefined where they have to. */
  readonly defaultId: string | undefined;
}

export interface SourceOptions {
  /** Folder of `*.onnx`. @default none */
  readonly folder: string | undefined;
  /** Folder of shipped models. @default the package's */
  readonly shipped: string | undefined;
  /** Tiles in a run of a shipped model. */
  readonly batch: number;
}

/**
 * What there is to serve now. Names of the folder come first: a file takes the place of a shipped model of its name,
 * and where it is the only one it is the default. Without a file the default is the shipped models' own, and without
 * that the matched filter, which is there where no folder is.
 */
export async function findSources({
  folder,
  shipped,
  batch,
}: SourceOptions): Promise<ServedSources> {
  const files = folder === undefined ? [] : await filesIn(folder);
  const cards = await listShipped(shipped);
  const byName = new Map<string, ModelSource>();
  for (const card of cards) byName.set(card.name, fromCard(card, shipped, batch));
  if (folder === undefined) byName.set(MATCHED_FILTER.id, MATCHED_FILTER);
  for (const file of files) byName.set(file.id, file);
  const chosen = cards.find(({ isDefault }) => isDefault)?.name;
  const fallback = folder === undefined ? (chosen ?? MATCHED_FILTER.id) : chosen;
  const defaultId = files.length > 1 ? undefined : (files[0]?.id ?? fallback);
  const sources = [...byName.values()].map((one) =>
    one.id === defaultId ? { ...one, facts: undefined } : one,
  );
  return { sources, defaultId };
}

async function filesIn(folder: string): Promise<readonly ModelSource[]> {
  const names = (await readdir(folder)).filter((name) => /^[\w-][\w.-]*\.onnx$/i.test(name));
  const files = names.toSorted().map(async (name) => {
    const path = join(folder, name);
    const { size, mtimeMs } = await stat(path);
    const id = name.replace(/\.onnx$/i, "");
    return { id, stamp: `${size}:${mtimeMs}`, read: () => readFile(path) };
  });
  return Promise.all(files);
}

function fromCard(card: ShippedCard, folder: string | undefined, batch: number): ModelSource {
  const { name, classes, gsdM, scoreAtLeast, overlapPx, licence } = card;
  const oriented = card.network.head === "oriented";
  return {
    id: name,
    stamp: createHash("sha256").update(JSON.stringify(card)).digest("hex"),
    read: () => buildShippedModel(name, { batch }, folder),
    facts: { name, classes, oriented, gsdM, scoreAtLeast, overlapPx, licence },
  };
}

/** Finds the objects of our synthetic scenes: a model to try the service with. */
const MATCHED_FILTER: ModelSource = {
  id: "matched-filter",
  stamp: "built in",
  read: async () => buildMatchedFilter(),
  facts: { name: "matched filters", classes: MATCHED_FILTER_CLASSES, oriented: true },
};

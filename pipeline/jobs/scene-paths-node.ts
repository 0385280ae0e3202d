/** The files of one scene of a batch: their names, and whether they are there already. */
import { access } from "node:fs/promises";
import { dirname, join } from "node:path";
import { type FormatName, FORMATS, formatNamed } from "../outputs/formats.ts";
import { OutputError } from "../outputs/output.ts";
import type { DetectSettings } from "../settings.ts";
import type { BatchOptions } from "./batch-options.ts";

export interface SceneJob {
  readonly source: string;
  /** Outputs are `stem.geojson`, `stem.run.json`. */
  readonly stem: string;
  /** Place in the batch, and scenes in it. */
  readonly index: number;
  readonly of: number;
}

/** Paths that belong to one scene. */
export interface ScenePaths {
  readonly outputs: readonly { readonly format: FormatName; readonly path: string }[];
  readonly manifest: string;
  readonly journal: string;
}

/** Where everything of a scene goes. */
export function pathsOf(
  { source, stem }: SceneJob,
  { outDir, settings }: Pick<BatchOptions, "outDir" | "settings">,
): ScenePaths {
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
export async function reasonToSkip(
  { outputs, manifest, journal }: ScenePaths,
  overwrite: DetectSettings["overwrite"],
): Promise<string | undefined> {
  if (overwrite === "replace") return undefined;
  const done = await exists(manifest);
  // Outputs without a manifest but with a journal: the end of a run that was killed; it is gone on with.
  const there = done ? [manifest] : (await exists(journal)) ? [] : outputs.map(({ path }) => path);
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

/** Where results go: beside their scenes, into a folder, into one file, or to standard output. */
import { createReadStream, mkdtempSync, statSync } from "node:fs";
import { rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, dirname, extname, join } from "node:path";
import { type FormatName, FORMATS, type SettingLayers, SettingsError } from "../pipeline/index.ts";
import { type Io, locate } from "./io.ts";

export interface Place extends AsyncDisposable {
  readonly kind: "beside" | "folder" | "file" | "stdout";
  /** Undefined: the folder of each scene. */
  readonly folder: string | undefined;
  /** Name of the outputs without extension; undefined: as the scene. */
  readonly stem: string | undefined;
  /** The settings, with the format that a file name asks for. */
  readonly layers: SettingLayers;
  /** Hands finished outputs on, where they were not written to their last place. */
  readonly deliver: (outputs: readonly string[]) => Promise<void>;
}

/** @throws {SettingsError} where one file is to hold several scenes */
export function choosePlace(
  io: Io,
  out: string | undefined,
  scenes: readonly string[],
  layers: SettingLayers,
): Place {
  const plain = {
    stem: undefined,
    layers,
    deliver: async () => {},
    [Symbol.asyncDispose]: async () => {},
  };
  if (out === undefined) return { ...plain, kind: "beside", folder: undefined };
  const format = out === "-" ? undefined : formatOf(out);
  const path = out === "-" ? "-" : locate(io, out);
  if (path !== "-" && (format === undefined || isFolder(path))) {
    return { ...plain, kind: "folder", folder: path };
  }
  if (scenes.length > 1) {
    throw new SettingsError(
      `detect: --out must be a folder where there are several scenes, received ${out} for ${scenes.length} scenes`,
    );
  }
  if (format === undefined) return standardOutput(io, layers);
  const others = formatsSaid(layers)?.filter((name) => name !== format) ?? [];
  return {
    ...plain,
    kind: "file",
    folder: dirname(path),
    stem: basename(path, extname(path)),
    layers: { ...layers, flag: { ...layers.flag, formats: [format, ...others] } },
  };
}

function isFolder(path: string): boolean {
  try {
    return statSync(path).isDirectory();
  } catch {
    return false; // whatever is wrong with the path is said when it is written to
  }
}

/** Results are written to a folder of our own, and read out once they are whole. */
function standardOutput(io: Io, layers: SettingLayers): Place {
  const formats = formatsSaid(layers) ?? ["geojson"];
  const [format] = formats;
  if (format === undefined || formats.length > 1) {
    throw new SettingsError(`detect: --out - must have one format, received ${formats.join(", ")}`);
  }
  const folder = mkdtempSync(join(tmpdir(), "nadir-"));
  return {
    kind: "stdout",
    folder,
    stem: "result",
    layers: { ...layers, flag: { ...layers.flag, formats } },
    deliver: async (outputs) => {
      const result = outputs.find((path) => path.endsWith(FORMATS[format].extension));
      if (result === undefined) return;
      for await (const chunk of createReadStream(result)) io.stdout.write(chunk as Buffer);
    },
    [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true }),
  };
}

const formatsSaid = ({
  flag,
  environment,
  config,
}: SettingLayers): readonly FormatName[] | undefined =>
  flag?.formats ?? environment?.formats ?? config?.formats;

/** The format whose extension a path ends with. */
function formatOf(path: string): FormatName | undefined {
  const entries = Object.entries(FORMATS) as [FormatName, (typeof FORMATS)[FormatName]][]; // its type says so
  return entries.find(([, { extension }]) => path.toLowerCase().endsWith(extension))?.[0];
}

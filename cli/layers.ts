/** What environment and config file say about settings, and the files that settings may name. */
import { readFileSync, statSync } from "node:fs";
import { parse as parseYaml } from "yaml";
import {
  nearest,
  SETTING_NAMES,
  type SettingLayers,
  type SettingName,
  SETTINGS,
  SettingsError,
  type SettingsInput,
} from "../pipeline/index.ts";
import { readArea } from "./area.ts";
import { flagOf } from "./flags.ts";
import { type Io, locate } from "./io.ts";

/** `tilePx` → `NADIR_TILE_PX`. */
export const variableOf = (name: string): string =>
  `NADIR_${flagOf(name).slice(2).replaceAll("-", "_").toUpperCase()}`;

/** Variables that are no settings of a run. */
const OTHER_VARIABLES = [
  "NADIR_CONFIG",
  "NADIR_MODEL",
  "NADIR_OUT",
  "NADIR_PROGRESS",
  "NADIR_DATA",
  "NADIR_GOLDEN",
];

export interface Said {
  readonly layers: SettingLayers;
  /** The model and output place that environment or config file name. */
  readonly model: string | undefined;
  readonly out: string | undefined;
  /** Variables that look like settings and are none. */
  readonly notes: readonly string[];
}

/** Gathers what flags, environment and config file say. @throws {SettingsError} where a file cannot be read. */
export function gatherSettings(
  io: Pick<Io, "cwd" | "env">,
  flags: SettingsInput,
  configPath: string | undefined,
): Said {
  const config = readConfig(io, configPath ?? io.env["NADIR_CONFIG"]);
  const { settings, notes } = readEnvironment(io.env);
  return {
    layers: {
      flag: readNamedFiles(io, flags),
      environment: readNamedFiles(io, settings),
      config: readNamedFiles(io, config.settings),
    },
    model: io.env["NADIR_MODEL"] ?? config.model,
    out: io.env["NADIR_OUT"] ?? config.out,
    notes,
  };
}

function readEnvironment(env: Io["env"]): {
  readonly settings: SettingsInput;
  readonly notes: readonly string[];
} {
  const variables = new Map<string, SettingName>(
    SETTING_NAMES.map((name) => [variableOf(name), name]),
  );
  const settings: Partial<Record<SettingName, unknown>> = {};
  const notes: string[] = [];
  for (const [variable, value] of Object.entries(env)) {
    if (!variable.startsWith("NADIR_") || value === undefined || value === "") continue;
    const name = variables.get(variable);
    if (name !== undefined) settings[name] = SETTINGS[name].parse(value);
    else if (!OTHER_VARIABLES.includes(variable)) {
      const hint = nearest(variable, [...variables.keys(), ...OTHER_VARIABLES]);
      notes.push(
        `${variable} in the environment is no setting${hint === undefined ? "" : `; did you mean ${hint}?`}`,
      );
    }
  }
  return { settings: settings as SettingsInput, notes }; // resolveSettings judges the values
}

interface Config {
  readonly settings: SettingsInput;
  readonly model?: string | undefined;
  readonly out?: string | undefined;
}

function readConfig(io: Pick<Io, "cwd">, path: string | undefined): Config {
  if (path === undefined || path === "") return { settings: {} };
  const where = locate(io, path);
  let content: unknown;
  try {
    content = parseYaml(readFileSync(where, "utf8")); // JSON is YAML too
  } catch (cause) {
    const why = cause instanceof Error ? (cause.message.split("\n")[0] ?? "") : String(cause);
    throw new SettingsError(`config: ${where} must be readable YAML or JSON (${why})`, { cause });
  }
  if (content === null || content === undefined) return { settings: {} };
  if (typeof content !== "object" || Array.isArray(content)) {
    throw new SettingsError(
      `config: ${where} must hold names and values, received ${typeof content}`,
    );
  }
  const { model, out, ...settings } = content as Record<string, unknown>;
  for (const [name, value] of Object.entries({ model, out })) {
    if (value !== undefined && typeof value !== "string") {
      throw new SettingsError(`config: ${name} must be a path, received ${JSON.stringify(value)}`);
    }
  }
  return {
    settings: settings as SettingsInput, // resolveSettings judges names and values
    model: model as string | undefined,
    out: out as string | undefined,
  };
}

/** Class lists and areas may be given as files: reads them. */
function readNamedFiles(io: Pick<Io, "cwd">, said: SettingsInput): SettingsInput {
  const { aoi, classes }: { aoi?: unknown; classes?: unknown } = said;
  const [only, ...more] = Array.isArray(classes) ? classes : [classes];
  const named = more.length === 0 && typeof only === "string" ? locate(io, only) : undefined;
  const isFile = named !== undefined && statSync(named, { throwIfNoEntry: false })?.isFile();
  return {
    ...said,
    ...(isFile === true ? { classes: readClassNames(named) } : {}),
    ...(typeof aoi === "string" ? { aoi: readArea(locate(io, aoi)) } : {}),
  };
}

/** One name a line, as `classes.txt` of YOLO and `coco.names` have it. */
function readClassNames(path: string): readonly string[] {
  const lines = readFileSync(path, "utf8").split(/\r?\n/);
  return lines.map((line) => line.trim()).filter((line) => line !== "" && !line.startsWith("#"));
}

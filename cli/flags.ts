/** Settings as flags: declared out of the one table, read back as the library's options. */
import { type Command, Option } from "commander";
import {
  SETTING_NAMES,
  type SettingGroup,
  type SettingName,
  SETTINGS,
  type SettingsInput,
} from "../pipeline/index.ts";

/** `tilePx` → `--tile-px`. */
export const flagOf = (name: string): string =>
  `--${name.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;

const HEADINGS: Readonly<Record<SettingGroup, string>> = {
  model: "Model:",
  pixels: "Pixels:",
  tiles: "Tiles:",
  objects: "Objects:",
  output: "Output:",
  engine: "Engine:",
  run: "Run:",
};

/** Said again, these add to what was said before. */
const gather = (text: string, before: unknown): string =>
  typeof before === "string" ? `${before},${text}` : text;

/** The settings under some headings. */
export const settingsIn = (...groups: readonly SettingGroup[]): readonly SettingName[] =>
  SETTING_NAMES.filter((name) => groups.includes(SETTINGS[name].group));

/** Declares a flag for each setting, with its shorter names. */
export function addSettings(command: Command, names: readonly SettingName[]): Command {
  for (const name of names) {
    const { group, argument, aliases = [] } = SETTINGS[name];
    for (const flag of [flagOf(name), ...aliases.map(flagOf)]) {
      for (const form of argument === undefined ? [flag, flag.replace("--", "--no-")] : [flag]) {
        const option = new Option(`${form} ${argument ?? ""}`.trim(), describeSetting(name));
        if (argument !== undefined) option.argParser(gather);
        option.hideHelp(flag !== flagOf(name) || !changesSomething(name, form));
        command.addOption(option.helpGroup(HEADINGS[group]));
      }
    }
  }
  return command;
}

/** A switch is listed in the form that is not its default: `--no-resume`, `--full-pass`. */
function changesSomething(name: SettingName, form: string): boolean {
  const { argument, fallback } = SETTINGS[name];
  return argument !== undefined || form.startsWith("--no-") === (fallback === true);
}

function describeSetting(name: SettingName): string {
  const { doc, fallback, aliases = [] } = SETTINGS[name];
  const also = aliases.length > 0 ? ` Also ${aliases.map(flagOf).join(", ")}.` : "";
  if (fallback === undefined || typeof fallback === "boolean") return doc + also;
  const value = name === "scoreAtLeast" ? SETTINGS.scoreAtLeast.fallback["*"] : fallback;
  const shown = typeof value === "object" ? Object.values(value).join(",") : value;
  return `${doc}${also} Default: ${shown}.`;
}

/** The settings among a command's parsed options; what was not said is absent. */
export function settingsFromFlags(command: Command): SettingsInput {
  const said: Partial<Record<SettingName, unknown>> = {};
  const options: Readonly<Record<string, unknown>> = command.opts();
  for (const name of SETTING_NAMES) {
    const { parse, aliases = [] } = SETTINGS[name];
    const spellings = [name, ...aliases.map(camel)];
    const spelling = spellings.find((one) => command.getOptionValueSource(one) === "cli");
    if (spelling === undefined) continue;
    const value = options[spelling];
    said[name] = typeof value === "string" ? parse(value) : value;
  }
  return said as SettingsInput; // resolveSettings judges the values
}

const camel = (flag: string): string =>
  flag.replaceAll(/-([a-z])/g, (_, letter: string) => letter.toUpperCase());

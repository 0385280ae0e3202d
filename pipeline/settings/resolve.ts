/** Who decides a setting: flag over environment over config file over the model's metadata over the default. */
import { Value } from "typebox/value";
import type { ModelCard } from "../../models/index.ts";
import {
  type DetectSettings,
  SETTING_NAMES,
  SETTINGS,
  type ScoreThresholds,
  type SettingName,
} from "../settings.ts";
import { nearest } from "./nearest.ts";
import { SettingsError } from "./settings-error.ts";
import { parseStretch } from "./stretch.ts";

/** From the strongest to the weakest. `option` is the library's caller or a request body. */
export const SETTING_SOURCES = [
  "flag",
  "option",
  "environment",
  "config",
  "model",
  "default",
] as const;
export type SettingSource = (typeof SETTING_SOURCES)[number];

/** Settings as a caller writes them: any of them, and one score where all classes share it. */
export type SettingsInput = {
  readonly [N in Exclude<SettingName, "scoreAtLeast">]?: DetectSettings[N] | undefined;
} & {
  readonly scoreAtLeast?: number | Readonly<Record<string, number>> | undefined;
};

/** What each source says, not judged yet. */
export type SettingLayers = {
  readonly [S in Exclude<SettingSource, "default">]?: SettingsInput | undefined;
};

export interface ResolvedSettings {
  readonly settings: DetectSettings;
  /** Who decided each setting; part of the run manifest. */
  readonly provenance: Readonly<Record<SettingName, SettingSource>>;
}

/**
 * Decides every setting.
 *
 * @throws {SettingsError} naming the setting, what it must be, what came and from where.
 */
export function resolveSettings(layers: SettingLayers): ResolvedSettings {
  const settings: Partial<Record<SettingName, unknown>> = {};
  const provenance: Partial<Record<SettingName, SettingSource>> = {};
  for (const source of SETTING_SOURCES) {
    if (source === "default") continue;
    for (const [name, value] of Object.entries(layers[source] ?? {})) {
      if (value === undefined) continue;
      const known = checkSetting(name, value, source);
      if (known === "scoreAtLeast") {
        settings[known] = { ...scores(value), ...(settings[known] as object | undefined) };
      } else if (settings[known] === undefined) settings[known] = value;
      provenance[known] ??= source;
    }
  }
  const said = settings["tilePx"] as number | undefined;
  if (settings["overlapPx"] === undefined && said !== undefined) {
    settings["overlapPx"] = Math.round(said / 5);
  }
  for (const name of SETTING_NAMES) {
    settings[name] ??= SETTINGS[name].fallback;
    provenance[name] ??= "default";
  }
  settings["scoreAtLeast"] = {
    ...SETTINGS.scoreAtLeast.fallback,
    ...(settings["scoreAtLeast"] as object),
  };
  const resolved = settings as unknown as DetectSettings; // every name has been filled above
  checkTogether(resolved);
  return { settings: resolved, provenance: provenance as Record<SettingName, SettingSource> };
}

/** The settings that a model's metadata decides; its range of ground resolutions stays with the card. */
export function settingsOfModel(card: ModelCard): SettingsInput {
  const { input } = card;
  return {
    tilePx: input.width === undefined ? input.height : Math.max(input.width, input.height ?? 0),
    overlapPx: card.overlapPx,
    batch: input.batch,
    scoreAtLeast: card.scoreAtLeast,
    scales: card.scales,
  };
}

/** The least score of a class. */
export const scoreFor = (thresholds: ScoreThresholds, className: string): number =>
  thresholds[className] ?? thresholds["*"];

/** The settings on which raw detections depend: equal ones may share a tile journal. */
export const tileSettings = (settings: DetectSettings): Partial<DetectSettings> =>
  Object.fromEntries(
    SETTING_NAMES.filter((name) => SETTINGS[name].stage === "tiles").map((name) => [
      name,
      settings[name],
    ]),
  );

/** Which of the `of` shares of a batch, counted from 1. */
export function parseShard(setting: string): { readonly index: number; readonly of: number } {
  const [index = 0, of = 0] = setting.split("/").map(Number);
  if (!(index >= 1 && index <= of)) {
    throw new SettingsError(
      `settings: shard must be ${SETTINGS.shard.must}, received "${setting}"`,
    );
  }
  return { index, of };
}

/** Judges one setting by its schema. @throws {SettingsError} */
export function checkSetting(name: string, value: unknown, source: string): SettingName {
  if (!isSettingName(name)) {
    const hint = nearest(name, SETTING_NAMES);
    throw new SettingsError(
      `settings: "${name}" (${source}) is no setting${hint === undefined ? "" : `; did you mean ${hint}?`}`,
    );
  }
  const { schema, must } = SETTINGS[name];
  if (!Value.Check(schema, value)) {
    throw new SettingsError(
      `settings: ${name} must be ${must}, received ${shown(value)} (${source})`,
    );
  }
  return name;
}

const isSettingName = (name: string): name is SettingName => Object.hasOwn(SETTINGS, name);

const scores = (value: unknown): Record<string, number> =>
  typeof value === "number" ? { "*": value } : (value as Record<string, number>);

function shown(value: unknown): string {
  if (typeof value === "number") return String(value);
  const json = JSON.stringify(value) ?? String(value);
  return json.length > 80 ? `${json.slice(0, 79)}…` : json;
}

function checkTogether({ tilePx, overlapPx, stretch, shard }: DetectSettings): void {
  parseStretch(stretch);
  parseShard(shard);
  if (overlapPx >= tilePx) {
    throw new SettingsError(
      `settings: overlapPx must be less than tilePx, received overlapPx ${overlapPx}, tilePx ${tilePx}`,
    );
  }
}

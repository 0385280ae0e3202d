/**
 * Every setting of a detection run, once: its name, meaning, unit, range and default.
 *
 * The same name serves the library (`tilePx`), the flag (`--tile-px`), the environment (`NADIR_TILE_PX`), a
 * config file and a request body. `settings/resolve.ts` says who wins.
 */
import Type, { type TSchema } from "typebox";
import { FORMAT_NAMES, type FormatName, formatAlias } from "./outputs/formats.ts";
import {
  choice,
  choices,
  type Field,
  integer,
  integers,
  names,
  numberOr,
  real,
  reals,
  text,
  toggle,
} from "./settings/field.ts";
import { STRETCH_FORMS, STRETCH_PATTERN } from "./settings/stretch.ts";
import { type Area, AREA_FIELD, SCORE_FIELD, type ScoreThresholds } from "./settings/special.ts";

export type { Area, ScoreThresholds } from "./settings/special.ts";

export const MERGE_METHODS = ["nms", "soft-nms", "nmm", "wbf", "none"] as const;
export type MergeMethod = (typeof MERGE_METHODS)[number];

export const OVERLAP_METRICS = ["iou", "ios"] as const;
export type OverlapMetric = (typeof OVERLAP_METRICS)[number];

/** Settings of one run, all decided. `undefined`: the scene or the model says. */
export interface DetectSettings {
  readonly head: string | undefined;
  readonly classes: readonly string[] | undefined;
  readonly gsdM: number | "scene" | undefined;
  readonly sceneGsdM: number | undefined;
  readonly forceGsd: boolean;
  readonly bands: readonly number[] | undefined;
  readonly stretch: string;
  readonly nodata: number | "none" | undefined;
  readonly aoi: Area | undefined;
  readonly tilePx: number;
  readonly overlapPx: number;
  readonly batch: number;
  readonly fullPass: boolean;
  readonly scales: readonly number[];
  readonly scoreAtLeast: ScoreThresholds;
  readonly classesOnly: readonly string[] | undefined;
  readonly merge: MergeMethod;
  readonly metric: OverlapMetric;
  readonly mergeAtLeast: number;
  readonly classAgnostic: boolean;
  readonly formats: readonly FormatName[];
  readonly crs: "wgs84" | "source" | "pixel";
  readonly overwrite: "skip" | "error" | "replace";
  readonly resume: boolean;
  readonly workers: number;
  readonly threads: number | undefined;
  readonly engine: string | undefined;
  readonly device: string | undefined;
  readonly shard: string;
}

export type SettingName = keyof DetectSettings;

/** Name → field, in the order of help pages. */
export const SETTINGS: { readonly [N in SettingName]: Field<DetectSettings[N]> } = {
  head: text<string | undefined>({
    doc: "How the model's outputs are read; recognised by itself where absent.",
    group: "model",
    stage: "tiles",
    fallback: undefined,
    pattern: /^[a-z][a-z0-9-]*$/,
    must: "the name of a head, as nadir model inspect prints it",
    argument: "<name>",
  }),
  classes: names({
    doc: "Class names in the model's order, where its metadata has none or wrong ones.",
    group: "model",
    stage: "tiles",
    fallback: undefined,
  }),
  gsdM: numberOr({
    word: "scene",
    min: 0.001,
    max: 1000,
    doc: "Ground resolution to detect at, metres per pixel; `scene`: never resample. The model's range where absent.",
    group: "pixels",
    stage: "tiles",
    fallback: undefined,
    aliases: ["gsd"],
  }),
  sceneGsdM: real<number | undefined>({
    min: 0.0001,
    max: 100_000,
    doc: "Ground resolution of a scene that does not say its own, metres per pixel.",
    group: "pixels",
    stage: "tiles",
    fallback: undefined,
    aliases: ["scene-gsd"],
  }),
  forceGsd: toggle({
    doc: "Resample by a factor beyond 8 too.",
    group: "pixels",
    stage: "tiles",
    fallback: false,
  }),
  bands: integers({
    min: 1,
    max: 65_535,
    doc: "Bands that stand for red, green, blue (or for the model's own channels), counted from 1.",
    group: "pixels",
    stage: "tiles",
    fallback: undefined,
  }),
  stretch: text<string>({
    doc: "How samples become 0…255, decided once per scene: auto, none, dtype, minmax, pLO-HI (percentiles), or LO,HI (values).",
    group: "pixels",
    stage: "tiles",
    fallback: "auto",
    pattern: STRETCH_PATTERN,
    must: STRETCH_FORMS,
    argument: "<how>",
  }),
  nodata: numberOr({
    word: "none",
    min: -Number.MAX_VALUE,
    max: Number.MAX_VALUE,
    doc: "Sample value that means no data; `none`: ignore the declared one.",
    group: "pixels",
    stage: "tiles",
    fallback: undefined,
  }),
  aoi: AREA_FIELD,
  tilePx: integer<number>({
    min: 32,
    max: 16_384,
    doc: "Side of a tile, in pixels at the ground resolution of detection.",
    group: "tiles",
    stage: "tiles",
    fallback: 640,
    aliases: ["tile"],
  }),
  overlapPx: integer<number>({
    min: 0,
    max: 16_383,
    doc: "Least overlap of neighbouring tiles; should be at least the largest object. A fifth of the tile where absent.",
    group: "tiles",
    stage: "tiles",
    fallback: 128,
    aliases: ["overlap"],
  }),
  batch: integer<number>({
    min: 1,
    max: 1024,
    doc: "Tiles in one run of the model.",
    group: "tiles",
    stage: "run",
    fallback: 1,
  }),
  fullPass: toggle({
    doc: "Also look once at the whole scene, shrunk to one tile, for objects larger than a tile.",
    group: "tiles",
    stage: "tiles",
    fallback: false,
  }),
  scales: reals({
    min: 0.1,
    max: 8,
    doc: "Further looks at the scene, at these scales: above 1 for smaller objects, below for larger ones. The model's where absent.",
    group: "tiles",
    stage: "tiles",
    fallback: [],
  }),
  scoreAtLeast: SCORE_FIELD,
  classesOnly: names({
    doc: "Keep only these classes.",
    group: "objects",
    stage: "merge",
    fallback: undefined,
    aliases: ["only"],
  }),
  merge: choice({
    words: MERGE_METHODS,
    doc: "How detections of one object by several tiles become one.",
    group: "objects",
    stage: "merge",
    fallback: "nms",
  }),
  metric: choice({
    words: OVERLAP_METRICS,
    doc: "Overlap of two boxes: intersection over union, or over the smaller one.",
    group: "objects",
    stage: "merge",
    fallback: "ios",
  }),
  mergeAtLeast: real<number>({
    min: 0,
    max: 1,
    doc: "Overlap from which two detections are one object.",
    group: "objects",
    stage: "merge",
    fallback: 0.5,
    aliases: ["iou"],
  }),
  classAgnostic: toggle({
    doc: "Merge across classes.",
    group: "objects",
    stage: "merge",
    fallback: false,
  }),
  formats: choices({
    words: FORMAT_NAMES,
    alias: formatAlias,
    doc: `Output files: ${FORMAT_NAMES.join(", ")}.`,
    group: "output",
    stage: "output",
    fallback: ["geojson"],
    aliases: ["format"],
  }),
  crs: choice({
    words: ["wgs84", "source", "pixel"],
    doc: "Coordinates of the output: longitude and latitude, the scene's own CRS, or pixels.",
    group: "output",
    stage: "output",
    fallback: "wgs84",
  }),
  overwrite: choice({
    words: ["skip", "error", "replace"],
    doc: "What to do where an output is there already.",
    group: "output",
    stage: "run",
    fallback: "error",
  }),
  resume: toggle({
    doc: "Go on from the tile journal of an interrupted run with the same model, scene and settings.",
    group: "run",
    stage: "run",
    fallback: true,
  }),
  workers: integer<number>({
    min: 1,
    max: 256,
    doc: "Scenes under way at once.",
    group: "run",
    stage: "run",
    fallback: 1,
  }),
  threads: integer<number | undefined>({
    min: 1,
    max: 1024,
    doc: "Threads of one run of the model; the engine chooses where absent.",
    group: "engine",
    stage: "run",
    fallback: undefined,
  }),
  engine: text<string | undefined>({
    doc: "Which engine runs the model; the best one there is where absent.",
    group: "engine",
    stage: "run",
    fallback: undefined,
    pattern: /^[a-z][a-z0-9-]*$/,
    must: "the name of an engine, as nadir doctor lists them",
    argument: "<name>",
  }),
  device: text<string | undefined>({
    doc: "Which device of the engine; its best where absent.",
    group: "engine",
    stage: "run",
    fallback: undefined,
    pattern: /^[a-z][a-z0-9:-]*$/,
    must: "the name of a device, as nadir doctor lists them",
    argument: "<name>",
  }),
  shard: text<string>({
    doc: "Do only every n-th scene of the list, starting with the i-th: i/n.",
    group: "run",
    stage: "run",
    fallback: "1/1",
    pattern: /^[1-9]\d*\/[1-9]\d*$/,
    must: "i/n with 1 ≤ i ≤ n",
    argument: "<i/n>",
  }),
};

export const SETTING_NAMES: readonly SettingName[] = Object.keys(SETTINGS) as SettingName[];

/** The JSON schema of a config file or request body: every setting, none required. */
export const SETTINGS_SCHEMA: TSchema = Type.Object(
  Object.fromEntries(
    SETTING_NAMES.map((name) => {
      const { schema, doc, fallback } = SETTINGS[name];
      return [
        name,
        Type.Optional({
          ...schema,
          description: doc,
          ...(fallback === undefined ? {} : { default: fallback }),
        }),
      ];
    }),
  ),
  { additionalProperties: false },
);

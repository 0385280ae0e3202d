import { fc, test as property } from "@fast-check/vitest";
import { describe, expect, test } from "vitest";
import {
  parseShard,
  parseStretch,
  resolveSettings,
  scoreFor,
  SETTING_NAMES,
  SETTINGS,
  SETTINGS_SCHEMA,
  SettingsError,
  type SettingsInput,
  settingsOfModel,
  tileSettings,
} from "../../pipeline/index.ts";
import { Value } from "typebox/value";

/** Every source in falling strength, without the default. */
const SOURCES = ["flag", "option", "environment", "config", "model"] as const;

describe("resolveSettings", () => {
  property.prop([fc.uniqueArray(fc.constantFrom(...SOURCES))])(
    "the strongest source that speaks decides, and is named",
    (speaking) => {
      const layers = Object.fromEntries(
        speaking.map((source) => [source, { tilePx: 100 + SOURCES.indexOf(source) }]),
      );
      const { settings, provenance } = resolveSettings(layers);
      const strongest = SOURCES.find((source) => speaking.includes(source));
      expect(provenance.tilePx).toBe(strongest ?? "default");
      expect(settings.tilePx).toBe(
        strongest === undefined ? 640 : 100 + SOURCES.indexOf(strongest),
      );
    },
  );

  test("without any source every setting has its documented default", () => {
    const { settings, provenance } = resolveSettings({});
    for (const name of SETTING_NAMES) {
      expect(settings[name]).toEqual(SETTINGS[name].fallback);
      expect(provenance[name]).toBe("default");
    }
  });

  test("false and 0 are decisions, undefined is none", () => {
    const { settings } = resolveSettings({
      flag: { resume: false, overlapPx: 0, tilePx: undefined },
      config: { resume: true, overlapPx: 9, tilePx: 99 },
    });
    expect(settings).toMatchObject({ resume: false, overlapPx: 0, tilePx: 99 });
  });

  test("thresholds of single classes add to the common one, whatever said it", () => {
    const { settings } = resolveSettings({
      flag: { scoreAtLeast: { ship: 0.5 } },
      model: { scoreAtLeast: 0.4 },
    });
    expect(scoreFor(settings.scoreAtLeast, "ship")).toBe(0.5);
    expect(scoreFor(settings.scoreAtLeast, "plane")).toBe(0.4);
  });

  test("the overlap follows the tile where nobody says it", () => {
    expect(resolveSettings({ flag: { tilePx: 1000 } }).settings.overlapPx).toBe(200);
  });

  test.each<[SettingsInput, RegExp]>([
    [{ tilePx: 3 }, /tilePx must be a whole number from 32 to 16384, received 3 \(flag\)/],
    [{ tilePx: 64.5 }, /tilePx must be a whole number/],
    [
      { tilePx: 64, overlapPx: 64 },
      /overlapPx must be less than tilePx, received overlapPx 64, tilePx 64/,
    ],
    [{ stretch: "p98-2" }, /first number below its second/],
    [{ stretch: "p2-980" }, /at most 100/],
    [{ stretch: "loud" }, /stretch must be auto, none/],
    [{ shard: "3/2" }, /shard must be i\/n/],
    [{ bands: [0] }, /bands must be a list of whole numbers from 1/],
    [{ scoreAtLeast: { ship: 2 } }, /scoreAtLeast must be scores from 0 to 1/],
    [{ tilepx: 640 } as SettingsInput, /"tilepx" \(flag\) is no setting; did you mean tilePx\?/],
  ])("%j is refused in one sentence", (flag, sentence) => {
    expect(() => resolveSettings({ flag })).toThrow(SettingsError);
    expect(() => resolveSettings({ flag })).toThrow(sentence);
  });

  test("a model's metadata decides tile, batch and score", () => {
    const input = settingsOfModel({
      input: { width: 416, height: 320, batch: 4 },
      scoreAtLeast: 0.3,
      overlapPx: undefined,
    } as Parameters<typeof settingsOfModel>[0]);
    const { settings, provenance } = resolveSettings({ model: input });
    expect(settings).toMatchObject({ tilePx: 416, batch: 4, overlapPx: 83 });
    expect(provenance.scoreAtLeast).toBe("model");
    expect(provenance.overlapPx).toBe("default");
  });
});

describe("the table of settings", () => {
  test.each(SETTING_NAMES)("%s: what the default says as JSON passes its own schema", (name) => {
    const { fallback, schema, doc } = SETTINGS[name];
    if (fallback !== undefined) expect(Value.Check(schema, fallback)).toBe(true);
    expect(doc).toMatch(/\.$/);
  });

  test.each<[keyof typeof SETTINGS, string, unknown]>([
    ["tilePx", "512", 512],
    ["fullPass", "yes", true],
    ["bands", "3, 2,1", [3, 2, 1]],
    ["scoreAtLeast", "0.3", 0.3],
    ["scoreAtLeast", "0.3,ship=0.5", { "*": 0.3, ship: 0.5 }],
    ["formats", "GeoJSON,csv", ["geojson", "csv"]],
    ["nodata", "none", "none"],
    ["nodata", "-9999", -9999],
    ["gsdM", "scene", "scene"],
    ["scales", "0.5, 1.5", [0.5, 1.5]],
  ])("%s reads %s from a flag", (name, text, value) => {
    expect(SETTINGS[name].parse(text)).toEqual(value);
    expect(Value.Check(SETTINGS[name].schema, value)).toBe(true);
  });

  test("a box becomes a closed ring", () => {
    const area = SETTINGS.aoi.parse("1,2,3,4") as { coordinates: number[][][] };
    expect(Value.Check(SETTINGS.aoi.schema, area)).toBe(true);
    expect(area.coordinates[0]?.[0]).toEqual(area.coordinates[0]?.at(-1));
  });

  test.each(["", "many", "12px"])("a number written %j is refused", (text) => {
    const value = SETTINGS.tilePx.parse(text);
    expect(Value.Check(SETTINGS.tilePx.schema, value)).toBe(false);
  });

  test("the JSON schema takes any subset and nothing unknown", () => {
    expect(Value.Check(SETTINGS_SCHEMA, {})).toBe(true);
    expect(Value.Check(SETTINGS_SCHEMA, { tilePx: 512, merge: "wbf" })).toBe(true);
    expect(Value.Check(SETTINGS_SCHEMA, { tile: 512 })).toBe(false);
  });

  test("how the work is done does not touch the key of a tile journal", () => {
    const key = tileSettings(resolveSettings({}).settings);
    expect(key).toHaveProperty("tilePx");
    for (const name of ["workers", "threads", "batch", "formats", "overwrite", "merge"]) {
      expect(key).not.toHaveProperty(name);
    }
  });
});

describe("parseStretch", () => {
  test.each([
    ["auto", { kind: "auto" }],
    ["p2-98", { kind: "percentile", low: 2, high: 98 }],
    ["p0.5-99.5", { kind: "percentile", low: 0.5, high: 99.5 }],
    ["-10,3000", { kind: "range", low: -10, high: 3000 }],
    ["0,1e-3", { kind: "range", low: 0, high: 0.001 }],
  ])("%s", (setting, stretch) => {
    expect(parseStretch(setting)).toEqual(stretch);
  });
});

test("parseShard counts from 1", () => {
  expect(parseShard("2/3")).toEqual({ index: 2, of: 3 });
});

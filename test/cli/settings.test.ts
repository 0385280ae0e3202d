import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { Command } from "commander";
import { describe, expect, test } from "vitest";
import { addSettings, flagOf, settingsFromFlags } from "../../cli/flags.ts";
import { gatherSettings, type Said, variableOf } from "../../cli/layers.ts";
import {
  resolveSettings,
  SETTING_NAMES,
  SettingsError,
  type SettingsInput,
} from "../../pipeline/index.ts";
import { scratch } from "./surroundings.ts";

function flags(...argv: string[]): SettingsInput {
  const command = addSettings(new Command().exitOverride(), SETTING_NAMES);
  command.parse(argv, { from: "user" });
  return settingsFromFlags(command);
}

const gather = (env: Record<string, string>, said: SettingsInput = {}, config?: string): Said =>
  gatherSettings({ cwd: process.cwd(), env }, said, config);

describe("flags", () => {
  test("every setting has one flag, in kebab case", () => {
    const command = addSettings(new Command(), SETTING_NAMES);
    const known = command.options.map(({ long }) => long);
    for (const name of SETTING_NAMES) expect(known).toContain(flagOf(name));
    expect(new Set(known).size).toBe(known.length);
  });

  test("what is not said is absent", () => {
    expect(flags()).toEqual({});
  });

  test("numbers, lists, switches and scores read as the library's options", () => {
    const said = flags(
      ..."--tile-px 512 --bands 3,2,1 --full-pass --no-resume".split(" "),
      ..."--conf 0.3 --conf ship=0.5 --format GeoJSON,csv --format csv".split(" "),
    );
    expect(said).toEqual({
      tilePx: 512,
      bands: [3, 2, 1],
      fullPass: true,
      resume: false,
      scoreAtLeast: { "*": 0.3, ship: 0.5 },
      formats: ["geojson", "csv", "csv"],
    });
  });

  test("a short name is the same flag", () => {
    expect(flags("--tile", "512", "--overlap", "9")).toEqual({ tilePx: 512, overlapPx: 9 });
  });

  test("a negative value is a value, not a flag", () => {
    expect(flags("--nodata", "-9999", "--stretch=-10,300")).toEqual({
      nodata: -9999,
      stretch: "-10,300",
    });
  });
});

describe("the environment", () => {
  test("every setting has one variable", () => {
    expect(variableOf("tilePx")).toBe("NADIR_TILE_PX");
    const { layers } = gather({ NADIR_TILE_PX: "512", NADIR_RESUME: "no", NADIR_BATCH: "" });
    expect(layers.environment).toEqual({ tilePx: 512, resume: false });
  });

  test("a variable that nearly is a setting is remarked on", () => {
    const { notes } = gather({ NADIR_TILEPX: "512", NADIR_DATA: "x", HOME: "/" });
    expect(notes).toEqual([
      "NADIR_TILEPX in the environment is no setting; did you mean NADIR_TILE_PX?",
    ]);
  });
});

describe("the config file", () => {
  test.each([
    ["YAML", "model: m.onnx\ntilePx: 512\nscoreAtLeast: { '*': 0.3, ship: 0.5 }\n"],
    ["JSON", '{ "model": "m.onnx", "tilePx": 512, "scoreAtLeast": { "*": 0.3, "ship": 0.5 } }'],
  ])("%s", (_, content) => {
    using folder = scratch();
    const path = join(folder.path, "nadir.conf");
    writeFileSync(path, content);
    const said = gather({}, {}, path);
    expect(said.model).toBe("m.onnx");
    expect(said.layers.config).toEqual({ tilePx: 512, scoreAtLeast: { "*": 0.3, ship: 0.5 } });
  });

  test.each([
    ["not: [closed", /must be readable YAML or JSON/],
    ["- a list", /must hold names and values/],
    ["model: 7", /model must be a path, received 7/],
  ])("%j is refused in a sentence", (content, sentence) => {
    using folder = scratch();
    const path = join(folder.path, "bad.yaml");
    writeFileSync(path, content);
    expect(() => gather({}, {}, path)).toThrow(SettingsError);
    expect(() => gather({}, {}, path)).toThrow(sentence);
  });

  test("flag beats environment beats config, and each is named", () => {
    using folder = scratch();
    const path = join(folder.path, "nadir.yaml");
    writeFileSync(path, "tilePx: 300\noverlapPx: 30\nbatch: 3\n");
    const env = { NADIR_CONFIG: path, NADIR_TILE_PX: "200", NADIR_OVERLAP_PX: "20" };
    const { settings, provenance } = resolveSettings(gather(env, { tilePx: 100 }).layers);
    expect(settings).toMatchObject({ tilePx: 100, overlapPx: 20, batch: 3 });
    expect(provenance).toMatchObject({
      tilePx: "flag",
      overlapPx: "environment",
      batch: "config",
      merge: "default",
    });
  });
});

describe("files that settings name", () => {
  test("class names come one a line", () => {
    using folder = scratch();
    const path = join(folder.path, "classes.txt");
    writeFileSync(path, "ship\r\n\nlarge plane\n");
    expect(gather({}, { classes: [path] }).layers.flag).toEqual({
      classes: ["ship", "large plane"],
    });
    expect(gather({}, { classes: ["ship"] }).layers.flag).toEqual({ classes: ["ship"] });
  });

  test("an area gathers every polygon of a GeoJSON file", () => {
    using folder = scratch();
    const path = join(folder.path, "port.geojson");
    const ring = [
      [0, 0],
      [1, 0],
      [1, 1],
      [0, 0],
    ];
    const features = [
      { type: "Feature", properties: null, geometry: { type: "Polygon", coordinates: [ring] } },
      { type: "Feature", properties: null, geometry: null },
      { type: "Feature", properties: null, geometry: { type: "Point", coordinates: [0, 0] } },
    ];
    writeFileSync(path, JSON.stringify({ type: "FeatureCollection", features }));
    const said = { aoi: path } as unknown as SettingsInput;
    expect(gather({}, said).layers.flag?.aoi).toEqual({
      type: "MultiPolygon",
      coordinates: [[ring]],
    });
    writeFileSync(path, JSON.stringify({ type: "FeatureCollection", features: features.slice(1) }));
    expect(() => gather({}, said)).toThrow(/aoi must hold a polygon, received none in/);
    writeFileSync(path, "ring ring");
    expect(() => gather({}, said)).toThrow(/is no JSON/);
    const missing = { aoi: join(folder.path, "none.geojson") } as unknown as SettingsInput;
    expect(() => gather({}, missing)).toThrow(/there is no such file/);
  });
});

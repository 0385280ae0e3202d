import { describe, expect, test } from "vitest";
import { createProgress, type ProgressMode } from "../../cli/progress.ts";
import type { RunEvent } from "../../pipeline/index.ts";
import { testIo, type TestIoOptions } from "./surroundings.ts";

const about = { source: "a.tif", index: 0, of: 1 };

const EVENTS: readonly RunEvent[] = [
  {
    ...about,
    type: "scene",
    width: 30_000,
    height: 28_400,
    crs: "EPSG:32633",
    gsdM: 0.3,
    sampleType: "uint16",
    bands: 4,
    nodata: 0,
  },
  {
    ...about,
    type: "plan",
    tiles: 100,
    skipped: 10,
    resumed: 0,
    tilePx: 1024,
    overlapPx: 200,
    batch: 4,
  },
  { ...about, type: "tiles", done: 20, total: 100, raw: 9, objects: 5 },
  { ...about, type: "tiles", done: 55, total: 100, raw: 40, objects: 31 },
  { ...about, type: "note", message: "31 boxes on nodata dropped" },
  { ...about, type: "tiles", done: 100, total: 100, raw: 90, objects: 60 },
  {
    ...about,
    type: "done",
    objects: 60,
    raw: 90,
    byClass: { ship: 51, harbor: 9 },
    elapsedMs: 302_000,
    outputs: ["a.geojson", "a.run.json"],
  },
];

/** Plays a run of a second an event. */
function play(mode: ProgressMode, options: TestIoOptions, everyMs = 1000): string {
  const io = testIo(options);
  const progress = createProgress(io, mode, () => 612_000_000);
  for (const event of EVENTS) {
    progress.onEvent(event);
    io.tick(everyMs);
  }
  progress.close();
  expect(io.out()).toBe("");
  return io.err();
}

describe("progress", () => {
  test("json: one event a line, and nothing else", () => {
    const lines = play("json", { isTTY: true }).trimEnd().split("\n");
    expect(lines.map((line) => JSON.parse(line) as RunEvent)).toEqual(EVENTS);
  });

  test("not a terminal: no control codes, a line at most every ten seconds", () => {
    const text = play("auto", {});
    for (const code of ["\r", "\u001B"]) expect(text).not.toContain(code);
    expect(text).not.toContain("tiles/s");
    const slow = play("auto", {}, 6000);
    expect(slow.match(/tiles\/s/g)).toHaveLength(2);
  });

  test("head and summary say what was read, done and written", () => {
    expect(play("lines", {})).toBe(
      [
        "a.tif  30,000×28,400 px · EPSG:32633 · 0.30 m/px · uint16×4 · nodata 0",
        "tiles      90 of 100 (10 without data)  1024 px  overlap 200  batch 4",
        "note       31 boxes on nodata dropped",
        "done       in 5:02: 60 objects (ship 51, harbor 9) after merging 90 raw",
        "wrote      a.geojson, a.run.json",
        "",
      ].join("\n"),
    );
  });

  test("a bar shows tiles, rate, time left, objects and memory, and is gone at the end", () => {
    const text = play("auto", { isTTY: true, env: { NO_COLOR: "1" } });
    expect(text).toContain("█");
    expect(text).toContain("55/100  55 %  22.5 tiles/s  ETA 0:02  objects 31  RSS 612 MB");
    expect(text.split("\n").at(-1)).toBe("");
  });

  test.each([30, 40, 80])("%i columns: the bar never goes beyond the edge", (columns) => {
    const text = play("bar", { isTTY: true, columns, env: { NO_COLOR: "1" } });
    // What follows an erased line up to the next control code is one drawing of the bar.
    const bars = text
      .split("\r\u001B[2K")
      .slice(1)
      .filter((part) => part.includes(" %"));
    expect(bars.length).toBeGreaterThan(1);
    for (const bar of bars) expect(bar.split("\n")[0]?.length).toBeLessThan(columns);
  });

  test.each([
    [{ isTTY: true }, true],
    [{ isTTY: true, env: { NO_COLOR: "1" } }, false],
    [{ isTTY: false }, false],
    [{ isTTY: false, env: { FORCE_COLOR: "1" } }, true],
  ])("colours with %j: %s", (options, coloured) => {
    expect(play("lines", options).includes("\u001B[32m")).toBe(coloured);
  });

  test("none: only what is said outright", () => {
    expect(play("none", { isTTY: true })).toBe("");
  });

  test("a failed scene is one line with its sentence", () => {
    const io = testIo();
    createProgress(io, "lines").onEvent({
      ...about,
      type: "failed",
      code: "ERR_SCENE",
      sentence: "a.tif: there is no such file",
    });
    expect(io.err()).toBe("failed     a.tif: there is no such file\n");
  });
});

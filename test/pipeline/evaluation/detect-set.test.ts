import { describe, expect, test } from "vitest";
import {
  alignDetections,
  boxLabel,
  evaluate,
  type LabelledDataset,
  type LabelledObject,
  memoryScene,
  SceneError,
} from "../../../datasets/index.ts";
import { detectSet, resolveSettings } from "../../../pipeline/index.ts";
import { brightSpots } from "../bright-spots.ts";

const SIDE = 160;
/** The second lies across the edge between tiles. */
const BOXES: readonly LabelledObject["box"][] = [
  [10, 12, 24, 30],
  [56, 70, 76, 84],
  [120, 100, 140, 130],
];

function sceneOf(boxes: readonly LabelledObject["box"][], width = SIDE) {
  const band = Uint8Array.from({ length: width * SIDE }, (_, i) => 20 + (i % 7));
  for (const [x1, y1, x2, y2] of boxes) {
    for (let y = y1; y < y2; y++) band.fill(220, y * width + x1, y * width + x2);
  }
  return memoryScene({ width, height: SIDE, bands: [band] });
}

function setOf(files: readonly string[], gsdM?: number): LabelledDataset {
  const facts = { id: undefined, gsdM, labelledClasses: undefined, width: SIDE, height: SIDE };
  const objects = BOXES.map((box) => boxLabel(0, box));
  return { classes: ["spot"], images: files.map((file) => ({ ...facts, file, objects })) };
}

const settings = resolveSettings({
  option: { tilePx: 64, overlapPx: 16, stretch: "none", scoreAtLeast: 0.1 },
}).settings;
const open = async () => sceneOf(BOXES);

describe("detectSet", () => {
  test("scores merged scenes, and tiles with their own labels", async () => {
    const detector = brightSpots({ sizePx: 64 });
    const { scenes, tiles, failures } = await detectSet(setOf(["a", "b"]), detector, settings, {
      open,
    });
    expect(failures).toEqual([]);
    expect(scenes.found.images.map(({ objects }) => objects.length)).toEqual([3, 3]);
    expect(evaluate(scenes.truth, scenes.found)).toMatchObject({ ap: 1, images: 2, truth: 6 });
    expect(tiles.truth.images).toHaveLength(2 * 9);
    const { found } = alignDetections(tiles.truth, tiles.found);
    const report = evaluate(tiles.truth, found);
    expect(report).toMatchObject({ ap50: 1, images: 18 });
    // Where tiles overlap an object is in both; the part that shows less than half of it is no must.
    expect(report.truth).toBe(6);
    expect(tiles.truth.images.flatMap(({ objects }) => objects).length).toBeGreaterThan(6);
  });

  test("tiles of a resampled image are scored in the image's pixels", async () => {
    // Half as fine as the model wants: tiles of 64 working pixels show 32 of the image.
    const detector = brightSpots({ sizePx: 64, gsdM: 0.5 });
    const { scenes, tiles } = await detectSet(setOf(["a"], 1), detector, settings, { open });
    expect(tiles.truth.images[0]).toMatchObject({ width: 32, height: 32 });
    expect(evaluate(scenes.truth, scenes.found).ap50).toBe(1);
    expect(evaluate(tiles.truth, tiles.found).ap50).toBe(1);
  });

  test("an image that cannot be read, or is not the labelled one, is named and left out", async () => {
    const seen: string[] = [];
    const result = await detectSet(
      setOf(["gone.png", "a.png", "other.png"]),
      brightSpots({ sizePx: 64 }),
      settings,
      {
        open: async (file) => {
          if (file === "gone.png") throw new SceneError("gone.png: there is no such file");
          return file === "a.png" ? sceneOf(BOXES) : sceneOf([], 99);
        },
        onImage: (done, of, file) => void seen.push(`${done}/${of} ${file}`),
      },
    );
    expect(result.failures).toEqual([
      "gone.png: there is no such file",
      "image other.png: must be 160 × 160 px, as its labels say, received 99 × 160",
    ]);
    expect(result.scenes.truth.images.map(({ file }) => file)).toEqual(["a.png"]);
    expect(seen).toEqual(["1/3 gone.png", "2/3 a.png", "3/3 other.png"]);
  });

  test("a mistake of the model or of ours is no fault of the image", async () => {
    const broken = {
      ...brightSpots({ sizePx: 64 }),
      detect: () => Promise.reject(new TypeError("no")),
    };
    await expect(detectSet(setOf(["a"]), broken, settings, { open })).rejects.toThrow("no");
  });

  test("stops when it is told to", async () => {
    const stop = new AbortController();
    const run = detectSet(setOf(["a", "b"]), brightSpots({ sizePx: 64 }), settings, {
      open,
      signal: stop.signal,
      onImage: () => stop.abort(new Error("enough")),
    });
    await expect(run).rejects.toThrow("enough");
  });
});

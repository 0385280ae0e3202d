import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import type { LabelledDataset } from "../../../datasets/index.ts";
import {
  boxLabel,
  cornersLabel,
  evaluateCoco,
  parseCoco,
  parseCocoResults,
} from "../../../datasets/index.ts";

interface Case {
  readonly truth: unknown;
  readonly results: unknown;
  readonly stats: readonly number[];
}
const CASES = JSON.parse(
  readFileSync(join(import.meta.dirname, "../../fixtures/coco-metrics.json"), "utf8"),
) as readonly Case[];

function set(...objects: LabelledDataset["images"][number]["objects"]): LabelledDataset {
  const facts = { id: undefined, gsdM: undefined, labelledClasses: undefined };
  return {
    classes: ["plane", "ship"],
    images: [{ ...facts, file: "a.png", width: 200, height: 200, objects }],
  };
}

describe("evaluateCoco", () => {
  test.each(CASES.map((each, i) => [i, each] as const))(
    "gives pycocotools' twelve numbers on random set %i",
    (_, { truth, results, stats }) => {
      const labels = parseCoco(JSON.stringify(truth), "truth.json");
      const found = parseCocoResults(JSON.stringify(results), "results.json", labels);
      const { classes: _classes, ...metrics } = evaluateCoco(labels, found);
      const numbers = Object.values(metrics).map((value) => (Number.isNaN(value) ? -1 : value));
      expect(numbers).toHaveLength(12);
      numbers.forEach((value, i) => {
        expect(Math.abs(value - (stats[i] ?? NaN))).toBeLessThan(1e-6);
      });
    },
  );

  test("counts nothing of classes that an image does not label", () => {
    const truth = set(boxLabel(0, [10, 10, 60, 60]));
    const masked = { ...truth, images: truth.images.map((i) => ({ ...i, labelledClasses: [0] })) };
    const found = set(
      boxLabel(0, [10, 10, 60, 60], { score: 0.5 }),
      boxLabel(1, [80, 80, 120, 120], { score: 0.9 }),
    );
    const metrics = evaluateCoco(masked, found);
    expect(metrics.ap).toBe(1);
    expect(metrics.classes).toMatchObject([
      { class: "plane", truth: 1, ap50: 1 },
      { class: "ship", truth: 0, ap50: NaN },
    ]);
  });

  test("tells a turned box from its upright one only when asked to", () => {
    const turned = [50, 10, 90, 50, 50, 90, 10, 50];
    const truth = set(cornersLabel(0, turned));
    const found = set(boxLabel(0, [10, 10, 90, 90], { score: 0.9 }));
    expect(evaluateCoco(truth, found).ap).toBe(1);
    expect(evaluateCoco(truth, found, { oriented: true }).ap).toBeCloseTo(0.1, 9); // half overlaps: 0.50 alone
  });

  test("refuses detections of other images or classes", () => {
    const truth = set();
    const elsewhere = { ...truth, images: truth.images.map((i) => ({ ...i, file: "b.png" })) };
    expect(() => evaluateCoco(truth, elsewhere)).toThrow(
      "metrics: detections must be in images of the truth, received b.png",
    );
    expect(() => evaluateCoco(truth, { ...truth, classes: ["ship"] })).toThrow(
      "metrics: detections must have the classes of the truth, plane, ship, received ship",
    );
  });
});

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import type { LabelledDataset, LabelledObject } from "../../../datasets/index.ts";
import { boxLabel, cornersLabel, evaluateVoc, reportMistakes } from "../../../datasets/index.ts";

interface Record {
  readonly class: string;
  readonly corners: readonly number[];
  readonly difficult?: boolean;
  readonly score?: number;
}
interface Case {
  readonly images: readonly {
    readonly truth: readonly Record[];
    readonly found: readonly Record[];
  }[];
  readonly metrics: {
    readonly [overlap: string]: {
      readonly [name: string]: {
        readonly truth: number;
        readonly ap11: number;
        readonly apArea: number;
      };
    };
  };
}
const CASES = JSON.parse(
  readFileSync(join(import.meta.dirname, "../../fixtures/voc-metrics.json"), "utf8"),
) as readonly Case[];
const CLASSES = ["ship", "plane"];

function set(images: readonly (readonly LabelledObject[])[]): LabelledDataset {
  const facts = { id: undefined, gsdM: undefined, labelledClasses: undefined };
  return {
    classes: CLASSES,
    images: images.map((objects, i) => ({
      ...facts,
      file: `${i}.png`,
      width: 500,
      height: 500,
      objects,
    })),
  };
}

function objects({ images }: Case, which: "truth" | "found"): LabelledDataset {
  return set(
    images.map((image) =>
      image[which].map(({ class: name, corners, difficult = false, score }) =>
        cornersLabel(CLASSES.indexOf(name), corners, { difficult, score }),
      ),
    ),
  );
}

describe("evaluateVoc", () => {
  test.each(CASES.flatMap((each, i) => [0.5, 0.7].map((overlap) => [i, overlap, each] as const)))(
    "gives both forms of AP on random oriented set %i at overlap %d",
    (_, overlap, each) => {
      const { classes } = evaluateVoc(objects(each, "truth"), objects(each, "found"), { overlap });
      for (const metrics of classes) {
        const expected = each.metrics[String(overlap)]?.[metrics.class];
        expect(metrics.truth).toBe(expected?.truth);
        expect(Math.abs(metrics.ap11 - (expected?.ap11 ?? NaN))).toBeLessThan(1e-6);
        expect(Math.abs(metrics.apArea - (expected?.apArea ?? NaN))).toBeLessThan(1e-6);
      }
    },
  );

  test("finds the threshold of best F1, equal scores taken together", () => {
    const at = (x: number, score?: number): LabelledObject =>
      boxLabel(0, [x, 0, x + 10, 10], { score });
    const truth = set([[at(0), at(20), at(40), at(60)]]);
    const found = set([[at(0, 0.9), at(20, 0.8), at(200, 0.7), at(40, 0.7), at(300, 0.2)]]);
    const { best, ap11, apArea } = evaluateVoc(truth, found);
    expect(best).toEqual({ scoreAtLeast: 0.7, precision: 0.75, recall: 0.75, f1: 0.75 });
    expect(apArea).toBeCloseTo(0.5 + 0.25 * 0.75, 12);
    expect(ap11).toBeCloseTo((6 + 2 * 0.75) / 11, 12);
  });

  test("neither rewards nor punishes what is found of the difficult", () => {
    const at = (x: number, rest: Partial<LabelledObject>): LabelledObject =>
      boxLabel(0, [x, 0, x + 10, 10], rest);
    const truth = set([[at(0, {}), at(20, { difficult: true })]]);
    const found = set([[at(0, { score: 0.5 }), at(20, { score: 0.9 }), at(20, { score: 0.8 })]]);
    expect(evaluateVoc(truth, found)).toMatchObject({ ap11: 1, apArea: 1, best: { precision: 1 } });
  });
});

describe("reportMistakes", () => {
  const truth = set([
    [
      boxLabel(0, [0, 0, 40, 40]),
      boxLabel(0, [100, 0, 140, 40]),
      boxLabel(1, [200, 0, 240, 40]),
      boxLabel(0, [300, 0, 340, 40]),
    ],
  ]);

  test("gives each wrong detection and each missed object one cause", () => {
    const found = set([
      [
        boxLabel(0, [0, 0, 40, 40], { score: 0.9 }), // right
        boxLabel(0, [2, 0, 42, 40], { score: 0.8 }), // there again
        boxLabel(0, [120, 0, 160, 40], { score: 0.8 }), // overlaps by a third
        boxLabel(0, [200, 0, 240, 40], { score: 0.8 }), // a plane taken for a ship
        boxLabel(1, [0, 300, 40, 340], { score: 0.8 }), // nothing there
      ],
    ]);
    const { right, mistakes, classes } = reportMistakes(truth, found);
    expect(right).toBe(1);
    expect(mistakes).toEqual({
      background: 1,
      duplicate: 1,
      localisation: 1,
      angle: 0,
      class: 1,
      missed: 1,
    });
    expect(classes[1]?.mistakes).toMatchObject({ background: 1, missed: 0 });
  });

  test("knows a box that is only turned wrongly", () => {
    const along = cornersLabel(0, [0, 45, 100, 45, 100, 55, 0, 55]);
    const across = cornersLabel(0, [45, 0, 55, 0, 55, 100, 45, 100], { score: 0.9 });
    const slanted = cornersLabel(0, [14, 7, 93, 86, 86, 93, 7, 14], { score: 0.9 });
    expect(reportMistakes(set([[along]]), set([[slanted]])).mistakes).toMatchObject({
      angle: 1,
      missed: 0,
    });
    expect(reportMistakes(set([[along]]), set([[across]])).mistakes.angle).toBe(1);
    const small = cornersLabel(0, [40, 45, 60, 45, 60, 55, 40, 55], { score: 0.9 });
    expect(reportMistakes(set([[along]]), set([[small]])).mistakes).toMatchObject({
      localisation: 1,
    });
  });

  test("leaves out what is under the threshold", () => {
    const found = set([[boxLabel(1, [0, 300, 40, 340], { score: 0.1 })]]);
    const { mistakes } = reportMistakes(truth, found, { scoreAtLeast: 0.5 });
    expect(mistakes).toMatchObject({ background: 0, missed: 4 });
  });
});

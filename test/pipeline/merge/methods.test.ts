import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  type Boxes,
  type Detections,
  coordinates,
  fromCentres,
  overlap,
  quadArea,
  rotatedToCorners,
  takeDetections,
  toCorners,
} from "../../../datasets/index.ts";
import { mergeDetections } from "../../../pipeline/merge/merge.ts";
import type { MergeOptions } from "../../../pipeline/merge/options.ts";
import geometry from "../../fixtures/geometry.json" with { type: "json" };

const { crowd } = geometry;

function detections(
  boxes: Boxes<"scene">,
  scores: readonly number[],
  classes: readonly number[] = scores.map(() => 0),
): Detections<"scene"> {
  return {
    count: scores.length,
    boxes,
    scores: Float32Array.from(scores),
    classes: Uint16Array.from(classes),
  };
}

const upright = detections(
  { kind: "axis-aligned", frame: "scene", xyxy: Float64Array.from(crowd.boxes) },
  crowd.scores,
  crowd.classes,
);
const turned = detections(
  rotatedToCorners("scene", Float64Array.from(crowd.rotated)),
  crowd.scores,
  crowd.classes,
);

/** Each row as numbers: box, score, class. */
function table({ count, boxes, scores, classes }: Detections<"scene">): number[][] {
  const width = boxes.kind === "axis-aligned" ? 4 : 8;
  return Array.from({ length: count }, (_, row) => [
    ...coordinates(boxes).subarray(row * width, row * width + width),
    scores[row]!,
    classes[row]!,
  ]);
}

/** Rows by class and score, as other programs may order them differently. */
const sorted = (rows: readonly (readonly number[])[]): (readonly number[])[] =>
  rows.toSorted((a, b) => a.at(-1)! - b.at(-1)! || b.at(-2)! - a.at(-2)!);

function expectClose(
  ours: readonly (readonly number[])[],
  theirs: readonly (readonly number[])[],
): void {
  expect(ours.length).toBe(theirs.length);
  // 1e-6: scores are float32 here.
  for (const [row, numbers] of ours.entries()) {
    for (const [k, value] of numbers.entries()) expect(value).toBeCloseTo(theirs[row]![k]!, 6);
  }
}

describe("against other programs", () => {
  test.for([
    ["0.3", { mergeAtLeast: 0.3, classAgnostic: true }],
    ["0.5", { mergeAtLeast: 0.5, classAgnostic: true }],
    ["0.5 by class", { mergeAtLeast: 0.5 }],
  ] as const)("NMS keeps what torchvision keeps: %s", ([name, options]) => {
    expect(mergeDetections(upright, options)).toEqual(takeDetections(upright, crowd.nms[name]));
  });

  test("NMS of turned boxes keeps what greedy NMS over shapely's overlap keeps", () => {
    expect(mergeDetections(turned, { mergeAtLeast: 0.4 })).toEqual(
      takeDetections(turned, crowd.rotatedNms),
    );
  });

  test.for(["linear", "gaussian"] as const)("soft-NMS scores as ensemble-boxes: %s", (decay) => {
    const ours = mergeDetections(upright, { merge: "soft-nms", decay, sigma: 0.5 });
    expectClose(sorted(table(ours)), sorted(crowd.softNms[decay]));
  });

  test("weighted boxes fusion gives the boxes and scores of ensemble-boxes", () => {
    expectClose(sorted(table(mergeDetections(upright, { merge: "wbf" }))), sorted(crowd.wbf));
  });
});

const METHODS = ["nms", "soft-nms", "nmm", "wbf"] as const;

/** Small whole numbers, so that equal scores, equal boxes and touching edges all come up. */
const boxes = fc.array(
  fc.record({
    cx: fc.integer({ min: 0, max: 40 }),
    cy: fc.integer({ min: 0, max: 40 }),
    w: fc.integer({ min: 1, max: 20 }),
    h: fc.integer({ min: 1, max: 20 }),
    eighths: fc.nat(7),
    score: fc.integer({ min: 1, max: 4 }),
    classIndex: fc.nat(1),
  }),
  { maxLength: 30 },
);
const crowdOf = (oriented: boolean) =>
  boxes.map((list) => {
    const rows = list.map(({ cx, cy, w, h, eighths }) => [cx, cy, w, h, (eighths * Math.PI) / 8]);
    const flat = Float64Array.from(rows.flatMap((row) => (oriented ? row : row.slice(0, 4))));
    return detections(
      oriented ? rotatedToCorners("scene", flat) : fromCentres("scene", flat),
      list.map(({ score }) => score / 4),
      list.map(({ classIndex }) => classIndex),
    );
  });
const anyCrowd = fc.oneof(crowdOf(false), crowdOf(true));

const options: fc.Arbitrary<MergeOptions> = fc.record({
  merge: fc.constantFrom(...METHODS),
  metric: fc.constantFrom("iou", "ios"),
  mergeAtLeast: fc.constantFrom(0, 0.1, 0.5, 0.9),
  classAgnostic: fc.boolean(),
  decay: fc.constantFrom("gaussian", "linear"),
});

describe("every method", () => {
  test("gives the same whatever the order of its input", () => {
    fc.assert(
      fc.property(anyCrowd, options, fc.infiniteStream(fc.nat()), (found, how, numbers) => {
        const order = Array.from({ length: found.count }, (_, row) => [numbers.next().value!, row])
          .toSorted(([a], [b]) => a! - b!)
          .map(([, row]) => row!);
        expect(mergeDetections(takeDetections(found, order), how)).toEqual(
          mergeDetections(found, how),
        );
      }),
      { numRuns: 300 },
    );
  });

  test("leaves boxes apart as they are, from the best to the worst", () => {
    fc.assert(
      fc.property(
        options,
        fc.array(fc.double({ min: 0.2, max: 1, noNaN: true })),
        (how, scores) => {
          const apart = Float64Array.from(scores.flatMap((_, k) => [k * 10, 5, 8, 8]));
          const found = detections(fromCentres("scene", apart), scores);
          const merged = mergeDetections(found, how);
          expect(merged.count).toBe(found.count);
          expect([...merged.scores]).toEqual([...found.scores].toSorted((a, b) => b - a));
        },
      ),
    );
  });

  test("makes one of a box seen many times over", () => {
    for (const merge of ["nms", "nmm", "wbf"] as const) {
      for (const found of [upright, turned]) {
        const [first] = [takeDetections(found, [3, 3, 3, 3])];
        const merged = mergeDetections(first!, { merge });
        expectClose(table(merged), table(takeDetections(found, [3])));
      }
    }
  });

  test("upright boxes merge as oriented ones at angle 0", () => {
    fc.assert(
      fc.property(crowdOf(false), options, (found, how) => {
        const merged = mergeDetections({ ...found, boxes: toCorners(found.boxes) }, how);
        const asOriented = { ...merged, boxes: toCorners(merged.boxes) };
        const asUpright = mergeDetections(found, how);
        expect(asOriented.count).toBe(asUpright.count);
        const round = { ...asUpright, boxes: toCorners(asUpright.boxes) };
        for (let row = 0; row < round.count; row++) {
          expect(asOriented.scores[row]).toBeCloseTo(round.scores[row]!, 5);
          // The smallest rectangle round several upright boxes may be a turned one, within the upright one's area.
          if (how.merge === "nmm") {
            const [area, most] = [asOriented.boxes, round.boxes].map((of) =>
              quadArea(of.corners, 8 * row),
            );
            expect(area).toBeLessThanOrEqual(most! + 1e-9);
          } else {
            expect(overlap(asOriented.boxes, row, round.boxes, row, "iou")).toBeCloseTo(1, 6);
          }
        }
      }),
      { numRuns: 200 },
    );
  });

  test("ranks scores of 0, −0 and 1 like all others", () => {
    const apart = Float64Array.from([0, 1, 2, 3].flatMap((k) => [k * 10, 5, 8, 8]));
    const found = detections(fromCentres("scene", apart), [-0, 0.5, 0, 1]);
    expect(mergeDetections(found).scores.map(Math.abs)).toEqual(Float32Array.of(1, 0.5, 0, 0));
  });

  test("drops rows that hold a number which is none", () => {
    const broken = detections(
      fromCentres("scene", Float64Array.of(5, 5, 4, 4, Number.NaN, 5, 4, 4, 50, 5, 4, 4)),
      [0.5, 0.9, Number.NaN],
    );
    for (const merge of METHODS) expect(mergeDetections(broken, { merge }).count).toBe(1);
  });
});

describe("nms", () => {
  test("done twice is as done once", () => {
    fc.assert(
      fc.property(anyCrowd, options, (found, how) => {
        const once = mergeDetections(found, { ...how, merge: "nms" });
        expect(mergeDetections(once, { ...how, merge: "nms" })).toEqual(once);
      }),
      { numRuns: 300 },
    );
  });

  test("leaves no two boxes that match, and removes none without a better one that matches", () => {
    fc.assert(
      fc.property(anyCrowd, options, (found, how) => {
        const kept = mergeDetections(found, { ...how, merge: "nms" });
        const matches = (a: Detections<"scene">, i: number, b: Detections<"scene">, j: number) => {
          const ratio = overlap(a.boxes, i, b.boxes, j, how.metric ?? "iou");
          return (
            (how.classAgnostic === true || a.classes[i] === b.classes[j]) &&
            ratio > 1e-12 &&
            ratio >= (how.mergeAtLeast ?? 0.5) + 1e-9
          );
        };
        for (let i = 0; i < kept.count; i++) {
          for (let j = 0; j < i; j++) expect(matches(kept, i, kept, j)).toBe(false);
        }
        const left = new Set(table(kept).map(String));
        for (const [row, numbers] of table(found).entries()) {
          if (left.has(String(numbers))) continue;
          const near = table(kept).some((_, k) => {
            const ratio = overlap(kept.boxes, k, found.boxes, row, how.metric ?? "iou");
            return (
              kept.scores[k]! >= found.scores[row]! && ratio >= (how.mergeAtLeast ?? 0.5) - 1e-9
            );
          });
          expect(near).toBe(true);
        }
      }),
      { numRuns: 200 },
    );
  });

  test("asks each class for its own threshold", () => {
    const pair = (classIndex: number) =>
      detections(
        fromCentres("scene", Float64Array.of(10, 10, 10, 10, 13, 10, 10, 10)), // IoU 0.54
        [0.9, 0.8],
        [classIndex, classIndex],
      );
    const how = { mergeAtLeast: 0.5, mergeAtLeastByClass: { 1: 0.6 } };
    expect(mergeDetections(pair(0), how).count).toBe(1);
    expect(mergeDetections(pair(1), how).count).toBe(2);
  });
});

describe("nmm", () => {
  test("encloses what it takes in, and keeps the best score", () => {
    const found = detections(
      fromCentres("scene", Float64Array.of(10, 10, 10, 10, 13, 11, 10, 10)),
      [0.6, 0.75],
    );
    expect(table(mergeDetections(found, { merge: "nmm", mergeAtLeast: 0.4 }))).toEqual([
      [5, 5, 18, 16, 0.75, 0],
    ]);
  });

  test("encloses turned boxes by a turned box", () => {
    const along = (shift: number): number[] => [
      10 + shift * Math.SQRT1_2,
      10 + shift * Math.SQRT1_2,
      20,
      4,
      Math.PI / 4,
    ];
    const found = detections(
      rotatedToCorners("scene", Float64Array.from([...along(0), ...along(5)])),
      [0.5, 0.25],
    );
    const merged = mergeDetections(found, { merge: "nmm" });
    const whole = rotatedToCorners(
      "scene",
      Float64Array.of(...along(2.5).slice(0, 2), 25, 4, Math.PI / 4),
    );
    expect(merged.count).toBe(1);
    expect(overlap(merged.boxes, 0, whole, 0, "iou")).toBeCloseTo(1, 9);
  });

  test("does not creep along a row: what is taken in touches the best box itself", () => {
    const row = [0, 4, 8, 12].flatMap((x) => [x, 0, 10, 10]);
    const found = detections(fromCentres("scene", Float64Array.from(row)), [0.9, 0.8, 0.7, 0.6]);
    const merged = mergeDetections(found, { merge: "nmm", mergeAtLeast: 0.4 });
    expect(table(merged).map(([x1, , x2]) => [x1, x2])).toEqual([
      [-5, 9],
      [3, 17],
    ]);
  });
});

describe("wbf", () => {
  test("fuses one rectangle told with any first corner and direction to itself", () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.nat(3), fc.boolean(), fc.integer({ min: 2, max: 8 })), {
          minLength: 2,
          maxLength: 6,
        }),
        fc.double({ min: -3, max: 3, noNaN: true }),
        (tellings, angle) => {
          const box = rotatedToCorners("scene", Float64Array.of(40, 30, 20, 19, angle));
          const rows = tellings.flatMap(([first, back]) =>
            [0, 1, 2, 3].flatMap((k) => {
              const corner = (first + (back ? 4 - k : k)) % 4;
              return [...box.corners.subarray(2 * corner, 2 * corner + 2)];
            }),
          );
          const found = detections(
            { kind: "oriented", frame: "scene", corners: Float64Array.from(rows) },
            tellings.map(([, , eighths]) => eighths / 8),
          );
          const merged = mergeDetections(found, { merge: "wbf" });
          expect(merged.count).toBe(1);
          expect(overlap(merged.boxes, 0, box, 0, "iou")).toBeCloseTo(1, 9);
          const mean =
            tellings.reduce((sum, [, , eighths]) => sum + eighths / 8, 0) / tellings.length;
          expect(merged.scores[0]).toBeCloseTo(mean, 6);
        },
      ),
    );
  });

  test("two boxes turned to either side meet in the middle, at full size", () => {
    const found = detections(
      rotatedToCorners("scene", Float64Array.of(0, 0, 40, 20, 0.1, 0, 0, 40, 20, Math.PI - 0.1)),
      [0.5, 0.5],
    );
    const merged = mergeDetections(found, { merge: "wbf" });
    const flat = rotatedToCorners("scene", Float64Array.of(0, 0, 40, 20, 0));
    expect(overlap(merged.boxes, 0, flat, 0, "iou")).toBeCloseTo(1, 9);
  });

  test("weighs by score", () => {
    const found = detections(
      fromCentres("scene", Float64Array.of(10, 10, 10, 10, 14, 10, 10, 10)),
      [0.75, 0.25],
    );
    const merged = mergeDetections(found, { merge: "wbf", mergeAtLeast: 0.3 });
    expect(table(merged)).toEqual([[6, 5, 16, 15, 0.5, 0]]);
  });
});

describe("low confidence", () => {
  const grown = { merge: "nmm", mergeAtLeast: 0.3 } as const;
  const found = detections(
    fromCentres("scene", Float64Array.of(10, 10, 10, 10, 13, 10, 10, 10)),
    [0.06, 0.05],
  );

  test("boxes from below score 0.1 on are not united, and the user is told", () => {
    const said: string[] = [];
    const merged = mergeDetections(found, {
      ...grown,
      scoreAtLeast: 0.05,
      notice: (text) => said.push(text),
    });
    expect([...coordinates(merged.boxes)]).toEqual([5, 5, 15, 15]);
    expect(said).toEqual([
      "merge: nms instead of nmm, because detections from score 0.05 on were asked for and uniting boxes below 0.1 makes objects grow; forceMerge keeps nmm",
    ]);
  });

  test("unless that is forced, or the least score is higher, or unknown", () => {
    for (const how of [{ scoreAtLeast: 0.05, forceMerge: true }, { scoreAtLeast: 0.1 }, {}]) {
      const merged = mergeDetections(found, { ...grown, ...how });
      expect([...coordinates(merged.boxes)]).toEqual([5, 5, 18, 15]);
    }
  });

  test("options outside their range are refused", () => {
    expect(() => mergeDetections(found, { mergeAtLeast: 1.2 })).toThrow(
      "merge: mergeAtLeast must lie in 0…1, received 1.2",
    );
    expect(() => mergeDetections(found, { sigma: 0 })).toThrow(
      "merge: sigma must be more than 0, received 0",
    );
    expect(() => mergeDetections(found, { edgePx: Number.NaN })).toThrow(
      "merge: edgePx must be at least 0, received NaN",
    );
  });
});

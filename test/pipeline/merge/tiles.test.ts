import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  type Detections,
  concatDetections,
  coordinates,
  noDetections,
  overlap,
  takeDetections,
  toBounds,
} from "../../../datasets/index.ts";
import { concatCandidates, rank } from "../../../pipeline/merge/candidates.ts";
import { mergeDetections } from "../../../pipeline/merge/merge.ts";
import { type MergeOptions, decideRules } from "../../../pipeline/merge/options.ts";
import { resolve } from "../../../pipeline/merge/resolve.ts";
import { seenBy, toScene } from "../../../pipeline/merge/sight.ts";
import { type MergeTilesOptions, mergeTiles } from "../../../pipeline/merge/tiles.ts";
import type { TileDetections, TilePlan } from "../../../pipeline/tiles.ts";
import { type TrueObject, boundsOf, cornersOf, cutIntoTiles, detectTiles } from "./ideal.ts";

async function mergeAll(
  found: AsyncIterable<TileDetections>,
  plan: TilePlan,
  options: MergeTilesOptions = {},
): Promise<Detections<"scene">> {
  const parts: Detections<"scene">[] = [];
  for await (const part of mergeTiles(found, plan, options)) parts.push(part);
  return concatDetections("scene", parts);
}

/** Rows as text, in an order of their own. */
function rows({ count, boxes, scores, classes }: Detections<"scene">, digits = 6): string[] {
  const width = boxes.kind === "axis-aligned" ? 4 : 8;
  return Array.from({ length: count }, (_, row) => {
    const numbers = coordinates(boxes).slice(row * width, row * width + width);
    return [classes[row], scores[row], ...[...numbers].map((n) => n.toFixed(digits))].join(" ");
  }).toSorted();
}

const SIZE = 1600;
/** Longest diagonal of an object in these scenes. */
const LARGEST = 100;

/** Objects in cells of their own, so that none overlaps another; `gap` px between cells. */
const objects = (gap: number): fc.Arbitrary<TrueObject[]> =>
  fc
    .array(
      fc.record({
        cell: fc.nat(14 * 14 - 1),
        w: fc.integer({ min: 16, max: 90 }),
        h: fc.integer({ min: 8, max: 40 }),
        angle: fc.double({ min: -1.5, max: 1.5, noNaN: true }),
        classIndex: fc.nat(2),
        score: fc.double({ min: 0.3, max: 1, noNaN: true }),
      }),
      { minLength: 1, maxLength: 120 },
    )
    .map((drawn) => {
      const cells = new Map(drawn.map((one) => [one.cell, one]));
      return [...cells.values()].map(({ cell, w, h, angle, classIndex, score }) => {
        const step = LARGEST + gap;
        const [cx, cy] = [(cell % 14) * step + 60, Math.floor(cell / 14) * step + 60];
        return { box: [cx, cy, w, h, angle] as const, classIndex, score };
      });
    });

const cut = fc.record({
  sizePx: fc.constantFrom(512, 640, 1024),
  overlapPx: fc.integer({ min: LARGEST, max: 400 }),
});

/** Eight piers of ships at 45°, 60 × 10 px, with 2 px of water from ship to ship; their bounds overlap. */
function harbour(): TrueObject[] {
  const ships: TrueObject[] = [];
  for (let berth = 0; berth < 70; berth++) {
    for (let pier = 0; pier < 8; pier++) {
      const [cx, cy] = [40 + berth * 12 * Math.SQRT2, 60 + pier * 100];
      ships.push({ box: [cx, cy, 60, 10, Math.PI / 4], classIndex: 0, score: 0.6 });
    }
  }
  return ships;
}

/** Every detection four times, each moved by up to half a pixel and less sure than the one before. */
async function* shaken(found: AsyncIterable<TileDetections>): AsyncGenerator<TileDetections> {
  let state = 1;
  const shift = (): number => {
    state = (state * 48_271) % 0x7fff_ffff; // Park and Miller's generator
    return state / 0x7fff_ffff - 0.5;
  };
  for await (const { tile, detections } of found) {
    const many = takeDetections(
      detections,
      Array.from({ length: 4 * detections.count }, (_, k) => k >> 2),
    );
    const numbers = coordinates(many.boxes);
    const width = numbers.length / many.count;
    for (let row = 0; row < many.count; row++) {
      const by = [shift(), shift()];
      for (let k = 0; k < width; k++) numbers[row * width + k]! += by[k % 2]!;
      many.scores[row]! *= 1 - 0.1 * (row % 4);
    }
    yield { tile, detections: many };
  }
}

describe("mergeTiles", () => {
  for (const kind of ["upright", "turned"] as const) {
    test(`finds every object once however the scene is cut: ${kind} boxes`, async () => {
      await fc.assert(
        fc.asyncProperty(objects(2), cut, async (truth, { sizePx, overlapPx }) => {
          const plan = cutIntoTiles(SIZE, SIZE, sizePx, overlapPx);
          const merged = await mergeAll(detectTiles(plan, truth, kind), plan);
          const expected = truth.map(({ box, classIndex, score }) => {
            const corners = cornersOf(box);
            const numbers = kind === "turned" ? corners : boundsOf(corners);
            return [classIndex, Math.fround(score), ...numbers.map((n) => n.toFixed(6))].join(" ");
          });
          expect(rows(merged)).toEqual(expected.toSorted());
        }),
        { numRuns: 40 },
      );
    });
  }

  test("a parking lot survives: cars 2 px apart, every one once", async () => {
    const truth: TrueObject[] = [];
    for (let row = 0; row < 30; row++) {
      for (let column = 0; column < 60; column++) {
        truth.push({ box: [8 + column * 12, 14 + row * 24, 10, 22, 0], classIndex: 0, score: 0.5 });
      }
    }
    for (const [sizePx, overlapPx] of [
      [256, 22],
      [256, 64],
      [300, 40],
    ] as const) {
      for (const kind of ["upright", "turned"] as const) {
        const plan = cutIntoTiles(740, 740, sizePx, overlapPx);
        const merged = await mergeAll(detectTiles(plan, truth, kind), plan);
        expect(merged.count).toBe(truth.length);
      }
    }
  });

  test("a harbour survives: ships at 45° whose bounds overlap, every one once", async () => {
    const truth = harbour();
    for (const [sizePx, overlapPx] of [
      [256, 64],
      [512, 70],
      [640, 100],
    ] as const) {
      const plan = cutIntoTiles(1280, 900, sizePx, overlapPx);
      const merged = await mergeAll(detectTiles(plan, truth, "turned"), plan);
      expect(merged.count).toBe(truth.length);
      const upright = await mergeAll(detectTiles(plan, truth, "upright"), plan);
      expect(upright.count).toBe(truth.length);
    }
  });

  test("the same harbour without the rule for cut boxes: parts are left, or neighbours are eaten", async () => {
    const plan = cutIntoTiles(1280, 900, 256, 64);
    const ships = harbour();
    const moved: Detections<"scene">[] = [];
    for await (const { tile, detections } of detectTiles(plan, ships, "upright")) {
      moved.push(toScene(tile, detections, plan.grid));
    }
    const all = concatDetections("scene", moved);
    expect(mergeDetections(all, { metric: "iou" }).count).toBeGreaterThan(ships.length * 1.2);
    expect(mergeDetections(all, { metric: "ios" }).count).toBeLessThan(ships.length * 0.6);
    const merged = await mergeAll(detectTiles(plan, ships, "upright"), plan);
    expect(merged.count).toBe(ships.length);
  });

  test("a detector that is half a pixel off and reports everything four times still gives each once", async () => {
    const truth = harbour();
    const plan = cutIntoTiles(1280, 900, 256, 64);
    for (const kind of ["upright", "turned"] as const) {
      // Upright bounds of these ships overlap by 0.49.
      const options = { mergeAtLeast: kind === "upright" ? 0.6 : 0.5 };
      const merged = await mergeAll(shaken(detectTiles(plan, truth, kind)), plan, options);
      expect(merged.count).toBe(truth.length);
    }
  });

  test("what the overview saw is one with what the tiles saw of it", async () => {
    // Far larger than a tile: the tiles see only parts.
    const truck: TrueObject = { box: [320, 320, 560, 420, 0], classIndex: 0, score: 0.9 };
    const plan = cutIntoTiles(640, 640, 256, 32);
    const overview: Detections<"scene"> = {
      count: 1,
      boxes: { kind: "axis-aligned", frame: "scene", xyxy: Float64Array.of(41, 109, 601, 531) },
      scores: Float32Array.of(0.6),
      classes: Uint16Array.of(0),
    };
    const merged = await mergeAll(detectTiles(plan, [truck], "upright"), plan, { overview });
    expect(rows(merged, 0)).toEqual([`0 ${Math.fround(0.6)} 41 109 601 531`]);
  });

  test("hands objects on behind the row of tiles that can still add to them", async () => {
    const truth = harbour();
    const plan = cutIntoTiles(1280, 900, 128, 64);
    const lowest: number[] = [];
    let rowY = 0;
    async function* watched(): AsyncGenerator<TileDetections> {
      for await (const one of detectTiles(plan, truth, "turned")) {
        rowY = one.tile.window.y;
        yield one;
      }
    }
    let handed = 0;
    for await (const { count, boxes } of mergeTiles(watched(), plan)) {
      handed += count;
      if (rowY < 900 - 128)
        lowest.push(rowY - Math.max(...toBounds(boxes).xyxy.filter((_, k) => k % 4 === 3)));
    }
    expect(handed).toBe(truth.length);
    // Out once the next row starts half a tile below it: never earlier, and no later than two rows after.
    expect(lowest.length).toBeGreaterThan(5);
    for (const behind of lowest) {
      expect(behind).toBeGreaterThan(-64);
      expect(behind).toBeLessThan(2 * 128);
    }
  });

  test("an object longer than the overlap is joined from its parts", async () => {
    const truth: TrueObject[] = [
      { box: [200, 60, 380, 30, 0], classIndex: 0, score: 0.8 },
      { box: [300, 340, 40, 400, 0], classIndex: 1, score: 0.7 },
    ];
    for (const overlapPx of [0, 16, 64]) {
      const plan = cutIntoTiles(640, 640, 256, overlapPx);
      const merged = await mergeAll(detectTiles(plan, truth, "upright"), plan);
      expect(rows(merged, 3).map((row) => row.split(" ").slice(2))).toEqual([
        ["10.000", "45.000", "390.000", "75.000"],
        ["280.000", "140.000", "320.000", "540.000"],
      ]);
    }
  });

  test("a slanting ship longer than the overlap is found once, nearly whole", async () => {
    const ship: TrueObject = { box: [300, 300, 330, 40, 0.2], classIndex: 0, score: 0.8 };
    const plan = cutIntoTiles(640, 640, 400, 100);
    const merged = await mergeAll(detectTiles(plan, [ship], "turned"), plan);
    expect(merged.count).toBe(1);
    const whole = {
      kind: "oriented",
      frame: "scene",
      corners: Float64Array.from(cornersOf(ship.box)),
    } as const;
    expect(overlap(merged.boxes, 0, whole, 0, "iou")).toBeGreaterThan(0.9);
  });

  test("a part whose whole was never seen stays", async () => {
    // Cut by the tile's right edge; the tile beyond was skipped.
    const plan = cutIntoTiles(500, 256, 256, 12);
    async function* found(): AsyncGenerator<TileDetections> {
      yield {
        tile: plan.tiles[0]!,
        detections: {
          count: 1,
          boxes: { kind: "axis-aligned", frame: "tile", xyxy: Float64Array.of(230, 9, 256, 30) },
          scores: Float32Array.of(0.5),
          classes: Uint16Array.of(0),
        },
      };
    }
    const merged = await mergeAll(found(), plan);
    expect([...coordinates(merged.boxes)]).toEqual([230, 9, 256, 30]);
  });

  test("refuses tiles out of plan order", async () => {
    const plan = cutIntoTiles(600, 600, 256, 12);
    const empty = noDetections("tile");
    async function* found(): AsyncGenerator<TileDetections> {
      yield { tile: plan.tiles[4]!, detections: empty };
      yield { tile: plan.tiles[1]!, detections: empty };
    }
    await expect(mergeAll(found(), plan)).rejects.toThrow("must come in plan order");
  });
});

/** Detections as a bad detector makes them: anywhere in the tile and a little outside, of any size, crowded. */
const crowd = (plan: TilePlan, kind: "upright" | "turned"): fc.Arbitrary<TileDetections[]> =>
  fc
    .tuple(
      ...plan.tiles.map(() =>
        fc.array(
          fc.record({
            cx: fc.integer({ min: -6, max: 70 }),
            cy: fc.integer({ min: -6, max: 70 }),
            w: fc.integer({ min: 1, max: 40 }),
            h: fc.integer({ min: 1, max: 40 }),
            angle: fc.double({ min: 0, max: 3, noNaN: true }),
            score: fc.integer({ min: 1, max: 5 }),
            classIndex: fc.nat(1),
          }),
          { maxLength: 12 },
        ),
      ),
    )
    .map((drawn) =>
      drawn.map((list, k) => {
        const corners = list.flatMap(({ cx, cy, w, h, angle }) => cornersOf([cx, cy, w, h, angle]));
        const xyxy = list.flatMap(({ cx, cy, w, h }) => [
          cx - w / 2,
          cy - h / 2,
          cx + w / 2,
          cy + h / 2,
        ]);
        return {
          tile: plan.tiles[k]!,
          detections: {
            count: list.length,
            boxes:
              kind === "turned"
                ? { kind: "oriented", frame: "tile", corners: Float64Array.from(corners) }
                : { kind: "axis-aligned", frame: "tile", xyxy: Float64Array.from(xyxy) },
            scores: Float32Array.from(list, ({ score }) => score / 5),
            classes: Uint16Array.from(list, ({ classIndex }) => classIndex),
          },
        };
      }),
    );

async function* stream<A>(items: readonly A[]): AsyncGenerator<A> {
  yield* items;
}

describe("streaming", () => {
  const plan = cutIntoTiles(200, 400, 64, 16, 0.5);
  const atOnce = (found: readonly TileDetections[], options: MergeOptions): Detections<"scene"> => {
    const rules = decideRules(options);
    const [first, ...more] = found.map((one) => seenBy(one.tile, one.detections, plan, rules));
    return resolve(rank(concatCandidates([first!, ...more])), rules);
  };

  for (const kind of ["upright", "turned"] as const) {
    for (const merge of ["nms", "soft-nms", "nmm", "wbf", "none"] as const) {
      test(`gives what merging everything at once gives: ${merge}, ${kind}`, async () => {
        await fc.assert(
          fc.asyncProperty(
            crowd(plan, kind),
            fc.constantFrom("iou", "ios"),
            fc.boolean(),
            fc.constantFrom(0.2, 0.5),
            fc.constantFrom("gaussian", "linear"),
            async (found, metric, classAgnostic, mergeAtLeast, decay) => {
              const options = { merge, metric, classAgnostic, mergeAtLeast, decay } as const;
              const streamed = await mergeAll(stream(found), plan, options);
              const whole = atOnce(found, options);
              expect(rows(streamed)).toEqual(rows(whole));
            },
          ),
          { numRuns: 25 },
        );
      });
    }
  }

  test("moves tile pixels to scene pixels by window and scale", () => {
    const [tile] = plan.tiles.slice(-1);
    const moved = toScene(
      tile!,
      {
        count: 1,
        boxes: { kind: "axis-aligned", frame: "tile", xyxy: Float64Array.of(1, 2, 3, 4) },
        scores: Float32Array.of(1),
        classes: Uint16Array.of(0),
      },
      plan.grid,
    );
    expect([...coordinates(moved.boxes)]).toEqual([
      (136 + 1) * 2,
      (336 + 2) * 2,
      (136 + 3) * 2,
      (336 + 4) * 2,
    ]);
  });
});

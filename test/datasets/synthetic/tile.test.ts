import { describe, expect, test } from "vitest";
import {
  cropLabels,
  overlap,
  SYNTHETIC_CLASSES,
  SYNTHETIC_PLACES,
  synthesiseTile,
} from "../../../datasets/index.ts";
import { brushAt } from "../../../datasets/synthetic/brush.ts";
import { createCanvas } from "../../../datasets/synthetic/canvas.ts";
import { type Dice, diceOf } from "../../../datasets/synthetic/dice.ts";
import { makeBuilding } from "../../../datasets/synthetic/kinds/building.ts";
import { makePlane } from "../../../datasets/synthetic/kinds/plane.ts";
import { makeShip } from "../../../datasets/synthetic/kinds/ship.ts";
import { makeTank } from "../../../datasets/synthetic/kinds/tank.ts";
import { makeVehicle } from "../../../datasets/synthetic/kinds/vehicle.ts";
import type { Thing } from "../../../datasets/synthetic/thing.ts";

const KINDS: readonly (readonly [string, (dice: Dice) => Thing])[] = [
  ["plane", (dice) => makePlane(dice)],
  ["ship", (dice) => makeShip(dice)],
  ["vehicle", (dice) => makeVehicle(dice)],
  ["house", (dice) => makeBuilding(dice, "house")],
  ["block", (dice) => makeBuilding(dice, "block")],
  ["hall", (dice) => makeBuilding(dice, "hall")],
  ["tank", (dice) => makeTank(dice, dice.between(5, 50))],
];

/** How far the painted pixels reach along and across a thing of 100 px length, in pixels. */
function extentOf(thing: Thing, angle: number): readonly [number, number, number, number] {
  const side = 180;
  const canvas = createCanvas(side, side);
  const noShadow = { dx: 0, dy: 0, left: [1, 1, 1] } as const;
  const pxPerM = 100 / thing.lengthM;
  thing.draw(brushAt(canvas, noShadow, { x: 90, y: 90, angle }, pxPerM));
  const reach: [number, number, number, number] = [0, 0, 0, 0];
  canvas.bands[0].forEach((value, i) => {
    if (value < 1) return; // less than a hundredth of the pixel is covered
    const [x, y] = [(i % side) + 0.5 - 90, Math.floor(i / side) + 0.5 - 90];
    const along = x * Math.cos(angle) + y * Math.sin(angle);
    const across = y * Math.cos(angle) - x * Math.sin(angle);
    reach[0] = Math.max(reach[0], along);
    reach[1] = Math.max(reach[1], -along);
    reach[2] = Math.max(reach[2], across);
    reach[3] = Math.max(reach[3], -across);
  });
  return reach;
}

describe("objects fill their boxes", () => {
  test.each(KINDS)("%s", (_, make) => {
    for (let seed = 0; seed < 12; seed++) {
      const thing = make(diceOf(seed));
      const reach = extentOf(thing, seed * 0.7);
      const half = { along: 50, across: (50 * thing.widthM) / thing.lengthM };
      // A pixel's middle lies within 0.71 px of any of its points; thin tips cover little of their pixels.
      for (const [i, v] of reach.entries()) {
        const wanted = i < 2 ? half.along : half.across;
        expect(v, `seed ${seed}, side ${i}`).toBeLessThan(wanted + 0.75);
        expect(v, `seed ${seed}, side ${i}`).toBeGreaterThan(wanted - 2.2);
      }
    }
  });
});

describe("synthesiseTile", () => {
  const options = { seed: 5, sizePx: 200, gsdM: 0.4 } as const;

  test("the same options give the same tile, another seed another", () => {
    const made = (seed: number): string => {
      const { pixels, objects } = synthesiseTile({ ...options, seed });
      return `${pixels.bands.map((band) => Buffer.from(band).toString("hex")).join(" ")}${JSON.stringify(objects)}`;
    };
    const first = made(5);
    synthesiseTile({ ...options, sizePx: 100 });
    expect(made(5) === first).toBe(true);
    expect(made(6) === first).toBe(false);
  });

  test("a tile is the same whatever was made before it", () => {
    const wide = { sizePx: 480, gsdM: 1.2 } as const; // several places, which meet
    const bytes = (seed: number) =>
      Buffer.concat(
        synthesiseTile({ ...wide, seed }).pixels.bands.map((band) => Buffer.from(band)),
      );
    for (let seed = 0; seed < 8; seed++) {
      synthesiseTile(options); // of another size
      const first = bytes(seed);
      bytes(seed + 100);
      expect(bytes(seed).equals(first), `seed ${seed}`).toBe(true);
    }
  });

  test.each(SYNTHETIC_PLACES)("%s: objects do not overlap, and each shows in the tile", (place) => {
    const { objects, pixels } = synthesiseTile({ seed: 2, sizePx: 320, gsdM: 0.5, place });
    expect(objects.length).toBeGreaterThan(0);
    const corners = Float64Array.from(objects.flatMap((object) => object.corners ?? []));
    const boxes = { kind: "oriented", frame: "tile", corners } as const;
    let most = 0;
    for (let i = 0; i < objects.length; i++) {
      for (let j = 0; j < i; j++) most = Math.max(most, overlap(boxes, i, boxes, j, "iou"));
    }
    expect(most).toBeLessThan(1e-6);
    const image = { file: "", id: undefined, gsdM: 0.5, labelledClasses: undefined, objects };
    const whole = { x: 0, y: 0, width: pixels.width, height: pixels.height };
    const all = { visibleAtLeast: 0, traceAtLeast: 0 };
    expect(cropLabels({ ...image, ...whole }, whole, all).objects).toHaveLength(objects.length);
  });

  test("every class comes, in sizes true to life", () => {
    const most = { plane: 80, ship: 300, vehicle: 17, building: 200, "storage-tank": 85 };
    const seen = new Set<string>();
    for (const [i, place] of SYNTHETIC_PLACES.entries()) {
      for (const object of synthesiseTile({ seed: i, sizePx: 256, gsdM: 0.6, place }).objects) {
        const name = SYNTHETIC_CLASSES[object.classIndex]!;
        const [x1 = 0, y1 = 0, x2 = 0, y2 = 0, x3 = 0, y3 = 0] = object.corners ?? [];
        const [a, b] = [Math.hypot(x2 - x1, y2 - y1), Math.hypot(x3 - x2, y3 - y2)];
        seen.add(name);
        expect(Math.max(a, b) * 0.6).toBeLessThan(most[name]);
        expect(Math.min(a, b)).toBeGreaterThanOrEqual(2);
      }
    }
    expect([...seen].toSorted()).toEqual([...SYNTHETIC_CLASSES].toSorted());
  });

  test("no more objects than asked for; none that is too small to be seen", () => {
    const crowded = { seed: 1, sizePx: 256, gsdM: 0.4, place: "car-park" } as const;
    expect(synthesiseTile({ ...crowded, objectsAtMost: 7 }).objects.length).toBeLessThanOrEqual(7);
    const cars = synthesiseTile({ ...crowded, gsdM: 2 }).objects.filter(
      ({ classIndex }) => SYNTHETIC_CLASSES[classIndex] === "vehicle",
    );
    expect(cars.every(({ box: [x1, , x2] }) => x2 - x1 >= 2)).toBe(true);
  });

  test.each([
    [{ seed: 1, sizePx: 0 }, /sizePx must be a whole number from 8 on, received 0/],
    [{ seed: 1, sizePx: 64, gsdM: -1 }, /gsdM must be above 0, received -1/],
  ])("%j is refused", (bad, says) => {
    expect(() => synthesiseTile(bad)).toThrow(says);
  });
});

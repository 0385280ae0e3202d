/** Buildings: houses under gable and hip roofs, flat roofs, halls. */
import { block, type Brush, lit, rectangle } from "../brush.ts";
import type { Colour, Ring } from "../canvas.ts";
import type { Dice } from "../dice.ts";
import type { Thing } from "../thing.ts";

const TILES: readonly [Colour, ...Colour[]] = [
  [150, 85, 62],
  [168, 102, 76],
  [120, 72, 58],
  [98, 92, 90],
  [82, 80, 84],
  [134, 122, 110],
  [110, 60, 52],
];
const FLATS: readonly [Colour, ...Colour[]] = [
  [168, 166, 160],
  [196, 196, 192],
  [130, 128, 126],
  [216, 216, 212],
  [148, 140, 128],
  [104, 104, 106],
  [180, 168, 148],
];
const METALS: readonly [Colour, ...Colour[]] = [
  [206, 208, 210],
  [170, 176, 182],
  [86, 122, 158],
  [150, 90, 74],
  [222, 222, 218],
  [120, 140, 130],
];

export type BuildingUse = "house" | "block" | "hall";

const SIZES: Readonly<
  Record<
    BuildingUse,
    {
      readonly length: readonly [number, number];
      readonly ratio: readonly [number, number];
      readonly height: readonly [number, number];
    }
  >
> = {
  house: { length: [8, 19], ratio: [0.55, 0.95], height: [4, 9] },
  block: { length: [18, 55], ratio: [0.28, 0.7], height: [9, 32] },
  hall: { length: [30, 110], ratio: [0.35, 0.8], height: [6, 13] },
};

/** @param mostM - neither side is longer */
export function makeBuilding(dice: Dice, use: BuildingUse, mostM = 200): Thing {
  const { length, ratio, height } = SIZES[use];
  const long = Math.min(mostM, dice.between(...length));
  const wide = long * dice.between(...ratio);
  const heightM = dice.between(...height);
  const draw = { house: drawHouse, block: drawFlat, hall: drawHall }[use];
  const notch = use !== "hall" && dice.chance(0.35) ? dice.between(0.25, 0.55) : 0;
  return {
    class: "building",
    lengthM: long,
    widthM: wide,
    heightM,
    draw: (brush) => {
      const outline = footprint(long, wide, notch);
      brush.castFrom([outline], heightM);
      draw(brush, { long, wide, heightM, outline, notch }, dice);
    },
  };
}

interface Plan {
  readonly long: number;
  readonly wide: number;
  readonly heightM: number;
  readonly outline: Ring;
  /** Share of the far corner that is left out: an L. */
  readonly notch: number;
}

function footprint(long: number, wide: number, notch: number): Ring {
  const [a, b] = [long / 2, wide / 2];
  if (notch === 0) return rectangle(-a, -b, a, b);
  const [x, y] = [a - long * notch, b - wide * notch];
  return [-a, -b, a, -b, a, y, x, y, x, b, -a, b];
}

/** How bright a slope is that falls in a direction. */
const slope = (brush: Brush, angle: number): number => 1 + 0.24 * brush.facing(angle);

function drawHouse(brush: Brush, { long, wide, outline, notch }: Plan, dice: Dice): void {
  const colour = lit(dice.pick(TILES), dice.between(0.8, 1.2));
  const [a, b] = [long / 2, wide / 2];
  const tiles = (factor: number) => ({ colour: lit(colour, factor), grain: 0.07, patches: 0.1 });
  brush.paint([outline], tiles(1));
  if (notch > 0) {
    const x = a - long * notch;
    const middle = (x - a) / 2;
    brush.paint(
      [[-a, -b, a, -b, a, -b * notch, -a, -b * notch]],
      tiles(slope(brush, -Math.PI / 2)),
    );
    brush.paint(
      [[-a, -b * notch, middle, -b * notch, middle, b, -a, b]],
      tiles(slope(brush, Math.PI)),
    );
    brush.paint([[middle, -b * notch, x, -b * notch, x, b, middle, b]], tiles(slope(brush, 0)));
    return;
  }
  // The ridge: as long as the house (gable) or shorter at both ends (hip).
  const hip = dice.chance(0.5) ? Math.min(b, a * 0.9) : 0;
  brush.paint([[-a, -b, a, -b, a - hip, 0, -a + hip, 0]], tiles(slope(brush, -Math.PI / 2)));
  brush.paint([[-a, b, a, b, a - hip, 0, -a + hip, 0]], tiles(slope(brush, Math.PI / 2)));
  if (hip > 0) {
    brush.paint([[a, -b, a, b, a - hip, 0]], tiles(slope(brush, 0)));
    brush.paint([[-a, -b, -a, b, -a + hip, 0]], tiles(slope(brush, Math.PI)));
  }
  if (dice.chance(0.5)) brush.paint([block(a * 0.3, b * 0.2, 0.9, 0.9)], [120, 90, 80]);
  if (dice.chance(0.15))
    brush.paint([rectangle(-a * 0.6, b * 0.15, a * 0.3, b * 0.75)], [32, 38, 62]);
}

function drawFlat(brush: Brush, { long, wide, outline, notch }: Plan, dice: Dice): void {
  const colour = lit(dice.pick(FLATS), dice.between(0.85, 1.1));
  brush.paint([outline], { colour: lit(colour, 1.15), grain: 0.02 });
  const inner = footprint(long - 1, wide - 1, notch);
  brush.paint([inner], { colour, grain: 0.05, patches: 0.14 });
  const boxes = Math.floor(dice.between(1, 5));
  for (let i = 0; i < boxes; i++) {
    const [deep, high] = [dice.between(0.04, 0.12) * long, dice.between(0.06, 0.2) * wide];
    const box = block(dice.between(-0.4, 0) * long, dice.between(-0.35, 0) * wide, deep, high);
    brush.castFrom([box], 2);
    brush.paint([box], lit(dice.pick(FLATS), 1.05));
  }
}

function drawHall(brush: Brush, { long, wide, outline }: Plan, dice: Dice): void {
  const colour = lit(dice.pick(dice.chance(0.7) ? METALS : FLATS), dice.between(0.85, 1.1));
  const flow = [brush.pose.angle, 1, 0.05] as const;
  brush.paint([outline], { colour, grain: 0.04, patches: 0.06, flow });
  const [a, b] = [long / 2, wide / 2];
  const tone = 0.07 * brush.facing(Math.PI / 2);
  brush.paint([rectangle(-a, -b, a, 0)], { colour: lit(colour, 1 - tone), grain: 0.04, flow });
  brush.paint([rectangle(-a, 0, a, b)], { colour: lit(colour, 1 + tone), grain: 0.04, flow });
  if (dice.chance(0.6)) {
    const step = dice.between(6, 14);
    for (let x = -a + step; x < a - step / 2; x += step) {
      brush.paint(
        [block(x, b / 2, 1.2, b * 0.6), block(x, -b / 2, 1.2, b * 0.6)],
        lit(colour, 1.18),
      );
    }
  }
}

/** Cars, vans, lorries and buses. */
import { block, type Brush, lit, rounded } from "../brush.ts";
import type { Colour } from "../canvas.ts";
import { type Dice, weighted } from "../dice.ts";
import type { Thing } from "../thing.ts";

const PAINTS: readonly [
  { readonly weight: number; readonly colour: Colour },
  ...{ readonly weight: number; readonly colour: Colour }[],
] = [
  { weight: 25, colour: [238, 239, 240] },
  { weight: 18, colour: [34, 35, 38] },
  { weight: 16, colour: [112, 115, 118] },
  { weight: 14, colour: [172, 176, 180] },
  { weight: 9, colour: [45, 68, 118] },
  { weight: 8, colour: [158, 32, 36] },
  { weight: 3, colour: [58, 82, 66] },
  { weight: 3, colour: [170, 150, 118] },
  { weight: 2, colour: [222, 190, 40] },
  { weight: 2, colour: [200, 95, 35] },
];
const GLASS: Colour = [38, 46, 54];

interface VehicleType {
  readonly name: "car" | "van" | "lorry" | "articulated" | "bus";
  readonly weight: number;
  readonly lengthM: readonly [number, number];
  readonly widthM: readonly [number, number];
  readonly heightM: number;
}

const TYPES: readonly [VehicleType, ...VehicleType[]] = [
  { name: "car", weight: 78, lengthM: [3.7, 5.0], widthM: [1.68, 1.95], heightM: 1.5 },
  { name: "van", weight: 10, lengthM: [4.9, 6.8], widthM: [1.9, 2.1], heightM: 2.3 },
  { name: "lorry", weight: 6, lengthM: [6.5, 11], widthM: [2.3, 2.55], heightM: 3.4 },
  { name: "articulated", weight: 3, lengthM: [14.5, 16.5], widthM: [2.5, 2.55], heightM: 3.9 },
  { name: "bus", weight: 3, lengthM: [9.5, 13.5], widthM: [2.45, 2.55], heightM: 3.1 },
];

/** @param only - the types that fit; all where absent */
export function makeVehicle(
  dice: Dice,
  only?: readonly [VehicleType["name"], ...VehicleType["name"][]],
): Thing {
  const [first = TYPES[0], ...more] = TYPES.filter(({ name }) => only?.includes(name) ?? true);
  const { name, ...type } = weighted(dice, [first, ...more]);
  const look = {
    length: dice.between(...type.lengthM),
    width: dice.between(...type.widthM),
    heightM: type.heightM,
  };
  const colour = lit(weighted(dice, PAINTS).colour, dice.between(0.85, 1.08));
  return {
    class: "vehicle",
    lengthM: look.length,
    widthM: look.width,
    heightM: look.heightM,
    draw: (brush) => {
      const outline = rounded(0, 0, look.length, look.width, name === "car" ? 0.4 : 0.15);
      brush.castFrom([outline], look.heightM * (name === "car" ? 0.75 : 0.95));
      brush.paint([outline], { colour, grain: 0.015, patches: 0.02 });
      if (name === "car" || name === "van") drawCar(brush, look, colour, name === "van");
      else if (name === "bus") drawBus(brush, look, colour);
      else drawLorry(brush, look, colour, dice);
    },
  };
}

interface Look {
  readonly length: number;
  readonly width: number;
}

function drawCar(brush: Brush, { length, width }: Look, colour: Colour, isVan: boolean): void {
  const front = isVan ? 0.27 : 0.16;
  const glass = { colour: GLASS, grain: 0.02 };
  brush.paint([block(length * front, 0, length * 0.12, width * 0.8)], glass);
  if (!isVan) {
    brush.paint([block(-length * 0.3, 0, length * 0.09, width * 0.74)], glass);
    brush.paint(
      [
        block(-length * 0.07, width * 0.41, length * 0.38, width * 0.1),
        block(-length * 0.07, -width * 0.41, length * 0.38, width * 0.1),
      ],
      glass,
    );
  }
  const roof = isVan
    ? block(-length * 0.14, 0, length * 0.66, width * 0.84)
    : block(-length * 0.07, 0, length * 0.34, width * 0.7);
  brush.paint([roof], lit(colour, 1.1));
}

function drawBus(brush: Brush, { length, width }: Look, colour: Colour): void {
  brush.paint([block(0, 0, length * 0.95, width * 0.8)], lit([232, 232, 230], 0.98));
  brush.paint([block(length * 0.47, 0, length * 0.03, width * 0.85)], GLASS);
  for (const x of [-0.3, 0.02, 0.28])
    brush.paint([block(length * x, 0, length * 0.09, width * 0.4)], lit(colour, 0.8));
}

function drawLorry(brush: Brush, { length, width }: Look, colour: Colour, dice: Dice): void {
  const cab = 2.2;
  const load = dice.pick<Colour>([
    [236, 236, 234],
    [180, 182, 184],
    [60, 90, 150],
    [150, 60, 50],
    [110, 105, 95],
    [215, 215, 210],
  ]);
  brush.paint([block(length / 2 - cab - 0.3, 0, 0.6, width)], [40, 40, 42]);
  brush.paint([block((length / 2 - cab - 0.6 - length / 2) / 2, 0, length - cab - 0.6, width)], {
    colour: load,
    grain: 0.03,
  });
  brush.paint([block(length / 2 - 0.35, 0, 0.5, width * 0.86)], GLASS);
}

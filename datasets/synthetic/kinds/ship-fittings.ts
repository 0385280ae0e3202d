/** What stands on the decks of ships: cabins, masts, holds, containers. */
import { block, type Brush, lit, rounded } from "../brush.ts";
import type { Colour } from "../canvas.ts";
import type { Dice } from "../dice.ts";

/** Length and beam in metres. */
export interface HullSize {
  readonly length: number;
  readonly beam: number;
}

const CONTAINERS: readonly [Colour, ...Colour[]] = [
  [160, 60, 45],
  [45, 85, 140],
  [60, 120, 85],
  [200, 200, 195],
  [185, 130, 50],
  [90, 92, 98],
  [150, 75, 60],
];
/** White and nearly white. */
export const LIGHT: readonly [Colour, ...Colour[]] = [
  [235, 236, 236],
  [215, 218, 220],
  [245, 245, 240],
];

export function motorboat(brush: Brush, { length, beam }: HullSize, dice: Dice): void {
  brush.paint(
    [rounded(length * 0.02, 0, length * 0.42, beam * 0.62, beam * 0.2)],
    lit(dice.pick(LIGHT), 0.93),
  );
  brush.paint([block(length * 0.16, 0, length * 0.09, beam * 0.56)], [45, 55, 65]);
  brush.paint(
    [block(-length * 0.27, 0, length * 0.2, beam * 0.55)],
    lit([150, 120, 90], dice.between(0.5, 1.2)),
  );
}

export function sailboat(brush: Brush, { length, beam }: HullSize): void {
  brush.castAt([block(length * 0.06, 0, 0.3, 0.3)], length * 1.1);
  brush.paint([rounded(length * 0.04, 0, length * 0.36, beam * 0.5, beam * 0.15)], [228, 228, 222]);
  brush.paint([block(-length * 0.28, 0, length * 0.22, beam * 0.5)], [165, 140, 110]);
  brush.paint([block(-length * 0.1, 0, length * 0.38, Math.max(0.3, beam * 0.1))], [60, 75, 110]);
}

export function fishing(brush: Brush, { length, beam }: HullSize, dice: Dice): void {
  const at = length * dice.pick([0.2, -0.25]);
  const house = rounded(at, 0, length * 0.24, beam * 0.62, beam * 0.1);
  brush.castFrom([house], 3);
  brush.paint([house], dice.pick(LIGHT));
  brush.paint([block(-at * 0.6, 0, length * 0.16, beam * 0.5)], [70, 60, 55]);
  brush.paint([block(-at * 0.2, 0, length * 0.3, beam * 0.08)], [190, 160, 70]);
}

/** The white house at the stern with its funnel. */
function bridge(brush: Brush, { length, beam }: HullSize, dice: Dice): void {
  const deep = Math.min(18, length * 0.09);
  const house = block(-length * 0.39, 0, deep, beam * 0.84);
  brush.castFrom([house], 14);
  brush.paint([house], { colour: dice.pick(LIGHT), grain: 0.05 });
  brush.paint(
    [block(-length * 0.39 - deep * 0.2, 0, deep * 0.34, beam * 0.2)],
    dice.pick(CONTAINERS),
  );
}

export function containerShip(brush: Brush, size: HullSize, dice: Dice): void {
  const { length, beam } = size;
  const bay = 13;
  for (let x = -length * 0.31; x + bay < length * 0.38; x += bay) {
    if (dice.chance(0.12)) continue;
    const rows = Math.max(3, Math.floor((beam * 0.9) / 2.6));
    const wide = (beam * 0.88) / rows;
    brush.castFrom([block(x + bay / 2, 0, bay - 1.2, beam * 0.86)], 5);
    for (let r = 0; r < rows; r++) {
      const y = (r + 0.5) * wide - beam * 0.44;
      brush.paint(
        [block(x + bay / 2, y, bay - 1, wide * 0.94)],
        lit(dice.pick(CONTAINERS), dice.between(0.8, 1.15)),
      );
    }
  }
  bridge(brush, size, dice);
}

export function tanker(brush: Brush, size: HullSize, dice: Dice): void {
  const { length, beam } = size;
  brush.paint([block(length * 0.04, 0, length * 0.7, Math.max(1, beam * 0.07))], [175, 165, 150]);
  for (const x of [-0.18, 0.02, 0.2])
    brush.paint([block(length * x, 0, 1.6, beam * 0.72)], [80, 78, 74]);
  brush.paint(
    [block(length * 0.02, 0, length * 0.05, beam * 0.5)],
    lit([170, 150, 120], dice.between(0.7, 1.1)),
  );
  bridge(brush, size, dice);
}

export function bulker(brush: Brush, size: HullSize, dice: Dice): void {
  const { length, beam } = size;
  const holds = dice.pick([4, 5, 6, 7]);
  const pitch = (length * 0.68) / holds;
  const hatch = dice.pick<Colour>([
    [150, 140, 125],
    [110, 80, 70],
    [100, 120, 110],
  ]);
  for (let h = 0; h < holds; h++) {
    const x = -length * 0.29 + (h + 0.5) * pitch;
    brush.castFrom([block(x, 0, pitch * 0.66, beam * 0.56)], 2);
    brush.paint([block(x, 0, pitch * 0.66, beam * 0.56)], { colour: hatch, grain: 0.06 });
  }
  bridge(brush, size, dice);
}

export function ferry(brush: Brush, { length, beam }: HullSize, dice: Dice): void {
  const house = rounded(-length * 0.03, 0, length * 0.74, beam * 0.8, beam * 0.2);
  brush.castFrom([house], 7);
  brush.paint([house], { colour: lit(dice.pick(LIGHT), 0.96), grain: 0.05 });
  brush.paint([block(length * 0.24, 0, length * 0.05, beam * 0.76)], [60, 66, 74]);
  brush.paint([block(-length * 0.2, 0, length * 0.08, beam * 0.24)], dice.pick(CONTAINERS));
}

export function barge(brush: Brush, { length, beam }: HullSize, dice: Dice): void {
  const load = lit(
    dice.pick<Colour>([
      [70, 62, 55],
      [150, 135, 105],
      [60, 60, 62],
      [120, 90, 70],
    ]),
    dice.between(0.8, 1.2),
  );
  brush.paint([block(length * 0.03, 0, length * 0.72, beam * 0.72)], {
    colour: load,
    grain: 0.15,
    patches: 0.2,
  });
  brush.paint([block(-length * 0.42, 0, length * 0.08, beam * 0.6)], dice.pick(LIGHT));
}

export function warship(brush: Brush, { length, beam }: HullSize): void {
  const houses = [
    block(length * 0.1, 0, length * 0.18, beam * 0.66),
    block(-length * 0.14, 0, length * 0.2, beam * 0.6),
  ];
  brush.castFrom(houses, 10);
  brush.paint(houses, [152, 156, 160]);
  brush.paint([block(-length * 0.38, 0, length * 0.14, beam * 0.7)], [88, 92, 96]);
  brush.paint([block(length * 0.3, 0, length * 0.05, beam * 0.3)], [170, 173, 176]);
}

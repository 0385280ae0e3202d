/** Grass, trees and hedges: what grows between the objects. */
import { disc, lit } from "../brush.ts";
import type { Colour, Material } from "../canvas.ts";
import type { Dice } from "../dice.ts";
import type { Site } from "../site.ts";
import type { Thing } from "../thing.ts";

const GREENS: readonly [Colour, ...Colour[]] = [
  [84, 98, 58],
  [100, 108, 66],
  [72, 92, 56],
  [118, 116, 78],
  [128, 118, 84],
  [92, 104, 74],
];

export function grass(dice: Dice): Material {
  const colour = lit(dice.pick(GREENS), dice.between(0.8, 1.25));
  return {
    colour,
    other: lit(dice.pick(GREENS), dice.between(0.8, 1.3)),
    patches: 0.3,
    grain: 0.09,
  };
}

const CROWNS: readonly [Colour, ...Colour[]] = [
  [48, 66, 38],
  [58, 74, 44],
  [40, 58, 40],
  [74, 84, 48],
  [66, 70, 46],
];

export function makeTree(dice: Dice, colour: Colour = dice.pick(CROWNS)): Thing {
  const radius = dice.between(1.4, 4.5);
  return {
    class: undefined,
    lengthM: radius * 1.7,
    widthM: radius * 1.7,
    heightM: radius * 1.6,
    draw: (brush) => {
      const crown = blob(dice, radius);
      brush.castFrom([disc(0, 0, radius * 0.85, 8)], radius * 1.5);
      brush.paint([crown], { colour, grain: 0.2, patches: 0.1 });
      const sun = Math.atan2(-brush.light.dy, -brush.light.dx) - brush.pose.angle;
      const [x, y] = [Math.cos(sun) * radius * 0.28, Math.sin(sun) * radius * 0.28];
      brush.paint([disc(x, y, radius * 0.55, 8)], { colour: lit(colour, 1.35), grain: 0.2 });
    },
  };
}

/** A disc with an uneven edge. */
function blob(dice: Dice, radius: number): number[] {
  return Array.from({ length: 11 }, (_, i) => {
    const [turn, r] = [(i * 2 * Math.PI) / 11, radius * dice.between(0.78, 1.08)];
    return [r * Math.cos(turn), r * Math.sin(turn)];
  }).flat();
}

/**
 * Trees where they find room.
 *
 * @param grows - whether a place is soil. @default everywhere
 */
export function scatterTrees(
  { dice, stand, reachM }: Site,
  perHectare: number,
  grows: (u: number, v: number) => boolean = () => true,
): void {
  const count = Math.min(900, (perHectare * (2 * reachM) ** 2) / 10_000);
  for (let i = 0; i < count; i++) {
    const [u, v] = [dice.between(-reachM, reachM), dice.between(-reachM, reachM)];
    if (grows(u, v)) stand(makeTree(dice), u, v, dice.between(0, 6), 0.3);
  }
}

/** Storage tanks: cylinders with fixed or floating roofs. */
import { disc, lit } from "../brush.ts";
import type { Colour, Ring } from "../canvas.ts";
import type { Dice } from "../dice.ts";
import type { Thing } from "../thing.ts";

const ROOFS: readonly [Colour, ...Colour[]] = [
  [236, 237, 236],
  [218, 220, 220],
  [190, 192, 190],
  [150, 122, 102],
  [205, 205, 195],
  [120, 126, 128],
  [170, 190, 180],
];

export function makeTank(dice: Dice, diameterM: number): Thing {
  const radius = diameterM / 2;
  const heightM = Math.min(18, 4 + diameterM * dice.between(0.15, 0.45));
  const colour = lit(dice.pick(ROOFS), dice.between(0.85, 1.06));
  const isFloating = diameterM > 18 && dice.chance(0.5);
  const depth = dice.between(0.15, 0.8) * heightM;
  return {
    class: "storage-tank",
    lengthM: diameterM,
    widthM: diameterM,
    isRound: true,
    heightM,
    draw: (brush) => {
      const corners = 40;
      const rim = disc(0, 0, radius, corners);
      brush.castFrom([rim], heightM);
      brush.paint([rim], { colour: lit(colour, 0.95), patches: 0.05 });
      const inner = disc(0, 0, radius * 0.955, corners);
      if (isFloating) {
        brush.paint([inner], { colour: lit(colour, 0.8), patches: 0.14, grain: 0.05 });
        // The wall's shadow on the sunken roof: what the disc that the sun reaches leaves over.
        const [dx, dy] = [brush.light.dx * depth, brush.light.dy * depth].map(
          (v) => v / brush.pxPerM,
        ) as [number, number];
        const turn = -brush.pose.angle;
        const [x, y] = [
          dx * Math.cos(turn) - dy * Math.sin(turn),
          dx * Math.sin(turn) + dy * Math.cos(turn),
        ];
        brush.paint([crescent(radius * 0.955, x, y)], { colour: lit(colour, 0.42), opacity: 0.85 });
        brush.paint([disc(0, 0, radius * 0.1, 12)], lit(colour, 0.7));
        return;
      }
      // A shallow cone: wedges by how they face the sun.
      for (let k = 0; k < 16; k++) {
        const [from, to] = [(k * Math.PI) / 8, ((k + 1) * Math.PI) / 8];
        const tone = 1 + 0.09 * brush.facing((from + to) / 2);
        const wedge = [
          0,
          0,
          ...[from, to].flatMap((t) => [radius * 0.96 * Math.cos(t), radius * 0.96 * Math.sin(t)]),
        ];
        brush.paint([wedge], { colour: lit(colour, tone), patches: 0.05 });
      }
      brush.paint([disc(0, 0, Math.max(0.5, radius * 0.06), 10)], lit(colour, 0.7));
    },
  };
}

/** The part of a disc about the origin that lies outside its copy moved by (x, y). */
function crescent(radius: number, x: number, y: number): Ring {
  const away = Math.min(Math.hypot(x, y), radius * 1.6);
  const towards = Math.atan2(y, x);
  const sunward = towards + Math.PI;
  // Where the two circles meet, as seen from the moved one's middle.
  const reach = Math.acos(away / (2 * radius));
  const steps = 20;
  const arc = (cx: number, cy: number, from: number, to: number): number[] =>
    Array.from({ length: steps + 1 }, (_, i) => from + ((to - from) * i) / steps).flatMap((t) => [
      cx + radius * Math.cos(t),
      cy + radius * Math.sin(t),
    ]);
  const outer = arc(0, 0, sunward - Math.PI + reach, sunward + Math.PI - reach);
  const [mx, my] = [away * Math.cos(towards), away * Math.sin(towards)];
  return [...outer, ...arc(mx, my, sunward + reach, sunward - reach)];
}

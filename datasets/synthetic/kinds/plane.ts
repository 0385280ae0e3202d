/** Aeroplanes: light aircraft to wide-bodies, and fighters. */
import { block, type Brush, lit, rounded } from "../brush.ts";
import type { Colour, Ring } from "../canvas.ts";
import { type Dice, weighted } from "../dice.ts";
import type { Thing } from "../thing.ts";
import { GREYS, PLANE_TYPES, type PlaneType } from "./plane-types.ts";

const LIVERIES: readonly [Colour, ...Colour[]] = [
  [30, 60, 140],
  [190, 30, 40],
  [20, 110, 70],
  [225, 140, 30],
  [40, 44, 60],
  [230, 232, 234],
];

export function makePlane(dice: Dice, mostLengthM = 80): Thing {
  const fitting = PLANE_TYPES.filter(({ lengthM: [from] }) => from <= mostLengthM);
  const [first = PLANE_TYPES[0], ...more] = fitting;
  const type = weighted(dice, [first, ...more]);
  const length = Math.min(mostLengthM, dice.between(...type.lengthM));
  const span = length * dice.between(...type.span);
  const looks = {
    type,
    length,
    span,
    sweep: dice.between(...type.sweep),
    colour: dice.pick(type.paints),
    tail: type.paints === GREYS ? dice.pick(GREYS) : dice.pick(LIVERIES),
    wing: dice.between(0.72, 0.98),
    stripe: dice.chance(0.3),
  };
  return {
    class: "plane",
    lengthM: length,
    widthM: span,
    heightM: length * 0.12,
    draw: (brush) => drawPlane(brush, looks),
  };
}

interface Looks {
  readonly type: PlaneType;
  readonly length: number;
  readonly span: number;
  readonly sweep: number;
  readonly colour: Colour;
  readonly tail: Colour;
  readonly wing: number;
  readonly stripe: boolean;
}

function drawPlane(
  brush: Brush,
  { type, length, span, sweep, colour, tail, wing, stripe }: Looks,
): void {
  const half = length / 2;
  const bodyWidth = Math.max(length * type.body, 1.1);
  const chord = length * type.chord;
  const isDelta = type.chord > 0.3;
  // The tip's trailing edge is the wing's rearmost point: it stays inside the length.
  const root = Math.min(length * (isDelta ? 0.05 : 0.14), half * 0.5);
  const back = Math.min((span / 2) * sweep, root + half - chord * 0.35 - length * 0.04);
  const wings = chevron(root, chord, span, back, isDelta ? 0.12 : 0.32);
  const stabiliser = chevron(
    -half + length * 0.115,
    length * 0.085,
    span * 0.36,
    length * 0.05,
    0.42,
  );
  const body = fuselage(half, bodyWidth);
  const pods = engines(type.engines, { root, chord, span, back, length, bodyWidth });
  brush.castAt([body, wings, stabiliser, ...pods], length * 0.07);
  brush.paint([stabiliser], lit(colour, wing * 0.97));
  brush.paint(pods, lit(colour, 0.62));
  brush.paint([wings], lit(colour, wing));
  brush.paint(
    [chevron(root - chord * 0.1, chord * 0.5, span * 0.86, back * 0.9, 0.3)],
    lit(colour, wing * 1.07),
  );
  // A round fuselage: bright along the side of the sun, darker on the other.
  const tone = 0.1 * brush.facing(Math.PI / 2);
  brush.paint([body], lit(colour, 0.98));
  brush.paint([narrowed(body, -0.5, -0.08)], lit(colour, 0.98 - tone));
  brush.paint([narrowed(body, 0.08, 0.5)], lit(colour, 0.98 + tone));
  if (stripe)
    brush.paint([block(length * 0.06, 0, length * 0.5, bodyWidth * 0.22)], lit(tail, 0.95));
  brush.paint([block(-half * 0.84, 0, length * 0.13, Math.max(bodyWidth * 0.2, 0.25))], tail);
  brush.paint([block(half * 0.9, 0, length * 0.018, bodyWidth * 0.5)], [40, 44, 52]);
}

/** Both wings at once: root's leading edge at `x`, tips further back. */
function chevron(x: number, chord: number, span: number, back: number, taper: number): Ring {
  const s = span / 2;
  const tip = chord * taper;
  return [x, 0, x - back, s, x - back - tip, s, x - chord, 0, x - back - tip, -s, x - back, -s];
}

/** Nose at `half`, tail cone at `-half`. */
function fuselage(half: number, width: number): Ring {
  const profile = [
    [1, 0.1],
    [0.97, 0.55],
    [0.9, 0.86],
    [0.8, 1],
    [-0.45, 1],
    [-0.75, 0.68],
    [-0.93, 0.3],
    [-1, 0.12],
  ] as const;
  const side = (sign: number): number[] =>
    profile.flatMap(([x, w]) => [x * half, (sign * w * width) / 2]);
  const other = profile.toReversed().flatMap(([x, w]) => [x * half, (-w * width) / 2]);
  return [...side(1), ...other];
}

/** The part of a ring between two shares of its width. */
function narrowed(ring: Ring, from: number, to: number): Ring {
  return ring.map((v, k) => (k % 2 === 0 ? v : v > 0 ? v * 2 * to : v * -2 * from));
}

interface Lines {
  readonly root: number;
  readonly chord: number;
  readonly span: number;
  readonly back: number;
  readonly length: number;
  readonly bodyWidth: number;
}

function engines(count: PlaneType["engines"], lines: Lines): readonly Ring[] {
  const { root, chord, span, back, length, bodyWidth } = lines;
  const [long, wide] = [length * 0.1, bodyWidth * 0.52];
  if (count === 0) return [];
  if (count === -1) {
    return [1, -1].map((side) =>
      rounded(-length * 0.24, side * bodyWidth * 0.78, long, wide, wide / 3),
    );
  }
  const places = count === 1 ? [0.32] : [0.36, 0.64];
  return places.flatMap((at) =>
    [1, -1].map((side) =>
      rounded(root - back * at + chord * 0.12, (side * span * at) / 2, long, wide, wide / 3),
    ),
  );
}

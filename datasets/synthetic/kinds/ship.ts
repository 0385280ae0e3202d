/** Ships and boats. */
import { type Brush, lit } from "../brush.ts";
import type { Colour, Ring } from "../canvas.ts";
import { type Dice, weighted } from "../dice.ts";
import type { Thing } from "../thing.ts";
import {
  motorboat,
  sailboat,
  fishing,
  containerShip,
  tanker,
  bulker,
  ferry,
  barge,
  warship,
  type HullSize,
  LIGHT,
} from "./ship-fittings.ts";

interface ShipType {
  readonly weight: number;
  readonly lengthM: readonly [number, number];
  /** Beam over length. */
  readonly beam: readonly [number, number];
  /** Width of the stern over the beam, and where the bow begins, as shares of the length. */
  readonly stern: number;
  readonly bow: number;
  readonly decks: readonly [Colour, ...Colour[]];
  readonly fit: (brush: Brush, size: HullSize, dice: Dice) => void;
}

const TYPES: readonly [ShipType, ...ShipType[]] = [
  {
    weight: 3,
    lengthM: [5, 11],
    beam: [0.3, 0.38],
    stern: 0.85,
    bow: 0.5,
    decks: [...LIGHT, [200, 190, 170], [50, 70, 110]],
    fit: motorboat,
  },
  {
    weight: 2,
    lengthM: [8, 16],
    beam: [0.26, 0.32],
    stern: 0.7,
    bow: 0.35,
    decks: [...LIGHT, [60, 80, 120], [190, 170, 140]],
    fit: sailboat,
  },
  {
    weight: 2,
    lengthM: [14, 32],
    beam: [0.22, 0.3],
    stern: 0.85,
    bow: 0.6,
    decks: [
      [90, 110, 120],
      [150, 90, 70],
      [60, 100, 90],
      [200, 205, 205],
    ],
    fit: fishing,
  },
  {
    weight: 1.6,
    lengthM: [90, 230],
    beam: [0.13, 0.16],
    stern: 0.9,
    bow: 0.82,
    decks: [
      [110, 60, 50],
      [95, 85, 80],
      [70, 90, 85],
    ],
    fit: containerShip,
  },
  {
    weight: 1.6,
    lengthM: [80, 220],
    beam: [0.14, 0.18],
    stern: 0.85,
    bow: 0.82,
    decks: [
      [130, 62, 50],
      [95, 110, 90],
      [120, 110, 100],
    ],
    fit: tanker,
  },
  {
    weight: 1.2,
    lengthM: [70, 180],
    beam: [0.14, 0.17],
    stern: 0.88,
    bow: 0.82,
    decks: [
      [120, 90, 80],
      [90, 95, 100],
      [130, 120, 105],
    ],
    fit: bulker,
  },
  {
    weight: 1,
    lengthM: [35, 140],
    beam: [0.16, 0.24],
    stern: 0.92,
    bow: 0.7,
    decks: [...LIGHT],
    fit: ferry,
  },
  {
    weight: 1,
    lengthM: [30, 80],
    beam: [0.16, 0.22],
    stern: 1,
    bow: 0.93,
    decks: [
      [110, 95, 80],
      [80, 85, 85],
      [130, 105, 85],
    ],
    fit: barge,
  },
  {
    weight: 0.7,
    lengthM: [60, 160],
    beam: [0.11, 0.13],
    stern: 0.75,
    bow: 0.6,
    decks: [
      [125, 130, 134],
      [110, 116, 122],
    ],
    fit: warship,
  },
];

export interface ShipWish {
  readonly leastLengthM?: number | undefined;
  readonly mostLengthM?: number | undefined;
  /** Leaves a wake. */
  readonly isMoving?: boolean | undefined;
}

export function makeShip(
  dice: Dice,
  { leastLengthM = 0, mostLengthM = 300, isMoving = false }: ShipWish = {},
): Thing {
  const fitting = TYPES.filter(
    ({ lengthM: [from, to] }) => from <= mostLengthM && to >= leastLengthM,
  );
  const [first = TYPES[0], ...more] = fitting;
  const type = weighted(dice, [first, ...more]);
  const [from, to] = type.lengthM;
  const length = dice.between(Math.max(from, leastLengthM), Math.min(to, mostLengthM));
  const beam = length * dice.between(...type.beam);
  const deck = dice.pick(type.decks);
  return {
    class: "ship",
    lengthM: length,
    widthM: beam,
    heightM: Math.min(12, 0.6 + length * 0.07),
    draw: (brush) => {
      const outline = hull(length, beam, type);
      if (isMoving) drawWake(brush, { length, beam }, dice);
      brush.castFrom([outline], Math.min(6, 0.4 + length * 0.03));
      brush.paint([outline], { colour: lit(deck, 0.72), patches: 0.05 });
      brush.paint([hull(length * 0.965, beam * 0.86, type)], {
        colour: deck,
        patches: 0.12,
        grain: 0.05,
      });
      type.fit(brush, { length, beam }, dice);
    },
  };
}

/** The outline; fills `length` × `beam` exactly. */
function hull(length: number, beam: number, { stern, bow }: Pick<ShipType, "stern" | "bow">): Ring {
  const [half, b] = [length / 2, beam / 2];
  const along = bow * 0.75;
  const sides = [0, 0.35, 0.6, 0.8, 0.93, 1].map((t): readonly [number, number] => [
    -half + length * (bow + (1 - bow) * t),
    b * Math.sqrt(Math.max(0, 1 - t ** 2.2)),
  ]);
  const profile = [
    [-half, b * stern],
    [-half + length * 0.12 * along, b * (0.5 + stern / 2)],
    [-half + length * 0.3 * along, b],
    ...sides,
  ] as const;
  const right = profile.flatMap(([x, y]) => [x, y]);
  const left = profile
    .slice(0, -1)
    .toReversed()
    .flatMap(([x, y]) => [x, -y]);
  return [...right, ...left];
}

/** White water behind, and the two arms of the bow's wave, all fading. */
function drawWake(brush: Brush, { length, beam }: HullSize, dice: Dice): void {
  const [long, strength] = [length * dice.between(0.8, 2.2), dice.between(0.25, 0.7)];
  const foam = { colour: [196, 210, 214] as const, grain: 0.25, patches: 0.3 };
  const steps = 9;
  for (let i = 0; i < steps; i++) {
    const [t, next] = [i / steps, (i + 1) / steps];
    const opacity = strength * (1 - t) ** 1.4;
    const [a, b] = [-length * 0.46 - long * t, -length * 0.46 - long * next];
    const [wide, wider] = [beam * (0.32 + 0.4 * t), beam * (0.32 + 0.4 * next)];
    brush.paint([[a, wide, b, wider, b, -wider, a, -wide]], { ...foam, opacity });
    for (const side of [1, -1]) {
      const [x1, x2] = [0.36 - 0.9 * t, 0.36 - 0.9 * next].map((x) => x * length) as [
        number,
        number,
      ];
      const [y1, y2] = [t, next].map((s) => side * (beam * 0.45 + length * 0.24 * s)) as [
        number,
        number,
      ];
      const thick = beam * (0.05 + 0.12 * t) + 0.3;
      const arm = [x1, y1, x2, y2, x2 - thick, y2 - side * thick, x1 - thick, y1 - side * thick];
      brush.paint([arm], { ...foam, opacity: opacity * 0.6 });
    }
  }
}

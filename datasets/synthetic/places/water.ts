/** The sea: open water with ships under way or at anchor, and harbours. */
import { block, disc, lit, rectangle } from "../brush.ts";
import type { Colour, Material } from "../canvas.ts";
import type { Dice } from "../dice.ts";
import { makeBuilding } from "../kinds/building.ts";
import { makeShip } from "../kinds/ship.ts";
import { makeVehicle } from "../kinds/vehicle.ts";
import type { Site } from "../site.ts";
import type { Thing } from "../thing.ts";
import { grass, scatterTrees } from "./greenery.ts";
import { asphalt } from "./road.ts";

const WATERS: readonly [Colour, ...Colour[]] = [
  [26, 46, 66],
  [18, 38, 58],
  [36, 66, 78],
  [44, 78, 82],
  [30, 50, 52],
  [58, 82, 78],
  [14, 28, 46],
  [70, 92, 84],
];

function water(dice: Dice): Material {
  const colour = lit(dice.pick(WATERS), dice.between(0.8, 1.3));
  return {
    colour,
    other: lit(colour, dice.between(1.2, 1.7)),
    patches: dice.between(0.05, 0.35),
    grain: dice.between(0.02, 0.16),
    flow: [dice.between(0, 6), dice.between(0.25, 0.6), dice.between(0.8, 1.3)],
  };
}

export function buildSea(site: Site): void {
  const { dice, ground, reachM, stand } = site;
  ground.paint([block(0, 0, 2 * reachM, 2 * reachM)], water(dice));
  if (dice.chance(0.3)) addWhitecaps(site);
  const spacing = Math.max(90, reachM * 0.6);
  const count = Math.ceil(((2 * reachM) / spacing) ** 2 * dice.between(0.15, 1.2));
  const lane = dice.between(0, Math.PI * 2);
  for (let i = 0; i < count; i++) {
    const isMoving = dice.chance(0.45);
    const ship = makeShip(dice, { isMoving });
    const heading = dice.chance(0.5) ? lane + dice.normal() * 0.15 : dice.between(0, Math.PI * 2);
    stand(ship, dice.between(-reachM, reachM), dice.between(-reachM, reachM), heading, 6);
  }
}

function addWhitecaps({ dice, ground, reachM }: Site): void {
  const caps = Array.from({ length: Math.min(1500, reachM * 4) }, () =>
    block(
      dice.between(-reachM, reachM),
      dice.between(-reachM, reachM),
      dice.between(0.4, 1.2),
      dice.between(1, 5),
    ),
  );
  ground.paint(caps, { colour: [190, 200, 204], opacity: dice.between(0.2, 0.6), grain: 0.2 });
}

/** Land on one side of a quay, ships alongside, jetties with boats. */
export function buildHarbour(site: Site): void {
  const { dice, ground, reachM: r, stand } = site;
  const sea = water(dice);
  ground.paint([block(0, 0, 2 * r, 2 * r)], sea);
  const quay = dice.between(-0.25, 0.3) * r;
  const concrete = dice.between(128, 178);
  ground.paint([rectangle(-r, -r, r, quay)], {
    colour: [concrete, concrete * 0.98, concrete * 0.93],
    patches: 0.12,
    grain: 0.05,
  });
  ground.paint(
    [rectangle(-r, quay - 1.6, r, quay)],
    [concrete * 0.8, concrete * 0.78, concrete * 0.74],
  );
  ground.castFrom([rectangle(-r, quay - 0.5, r, quay)], 2);
  if (dice.chance(0.5)) dockShips(site, quay);
  else buildMarina(site, quay);
  const count = Math.round(r / 40);
  for (let i = 0; i < count; i++) {
    stand(
      makeShip(dice, { mostLengthM: 120 }),
      dice.between(-r, r),
      dice.between(quay + 60, r),
      dice.between(0, 6.3),
      5,
    );
  }
  fillQuay(site, quay);
}

function dockShips({ dice, reachM: r, stand }: Site, quay: number): void {
  const most = dice.pick([40, 120, 230]);
  for (let u = -r + dice.between(0, 30); u < r;) {
    const ship = makeShip(dice, { leastLengthM: Math.min(12, most), mostLengthM: most });
    u += ship.lengthM / 2;
    stand(
      ship,
      u,
      quay + ship.widthM / 2 + dice.between(0.6, 1.6),
      dice.pick([0, Math.PI]) + dice.normal() * 0.006,
      0.2,
    );
    // A second one alongside the first.
    if (dice.chance(0.2)) {
      const beside = makeShip(dice, {
        leastLengthM: ship.lengthM * 0.6,
        mostLengthM: ship.lengthM,
      });
      stand(beside, u, quay + ship.widthM + beside.widthM / 2 + 2.4, dice.pick([0, Math.PI]), 0.2);
    }
    u += ship.lengthM / 2 + dice.between(3, dice.chance(0.3) ? 80 : 16);
  }
}

function buildMarina({ dice, ground, reachM: r, stand }: Site, quay: number): void {
  const most = dice.between(8, 17);
  // Some take boats of every size, others of one: those lie fender to fender.
  const least = most * dice.between(0.3, 0.8);
  const berthM = most * 0.35 + dice.between(0.2, 1.2);
  const wood: Colour = lit([168, 158, 142], dice.between(0.8, 1.15));
  const share = dice.between(0.4, 1);
  for (let u = -r + dice.between(5, 20); u < r; u += 2 * most + dice.between(8, 16)) {
    const long = dice.between(50, 110);
    ground.castAt([rectangle(u - 1.2, quay, u + 1.2, quay + long)], 1);
    ground.paint([rectangle(u - 1.2, quay, u + 1.2, quay + long)], { colour: wood, grain: 0.06 });
    for (let v = quay + 5; v < quay + long; v += berthM) {
      for (const side of [1, -1]) {
        if (!dice.chance(share)) continue;
        const boat = makeShip(dice, { leastLengthM: least, mostLengthM: most });
        const bow = (side > 0 ? Math.PI : 0) + (dice.chance(0.4) ? Math.PI : 0);
        stand(boat, u + side * (1.8 + boat.lengthM / 2), v, bow + dice.normal() * 0.03, 0.15);
      }
    }
  }
}

function fillQuay(site: Site, quay: number): void {
  const { dice, ground, reachM: r, stand } = site;
  const road = quay - dice.between(14, 34);
  ground.paint([rectangle(-r, road - 4, r, road + 4)], asphalt(dice));
  for (let i = 0; i < r / 5; i++) {
    stand(
      makeVehicle(dice),
      dice.between(-r, r),
      road + dice.pick([-2, 2]),
      dice.pick([0, Math.PI]) + dice.normal() * 0.02,
    );
  }
  for (let i = 0; i < r / 12; i++) {
    stand(
      makeBuilding(dice, "hall", 70),
      dice.between(-r, r),
      dice.between(-r, road - 25),
      dice.pick([0, Math.PI / 2]),
      3,
    );
  }
  for (let i = 0; i < r / 3; i++)
    stand(
      makeStack(dice),
      dice.between(-r, r),
      dice.between(-r, quay - 4),
      dice.pick([0, Math.PI / 2]),
      1,
    );
  if (dice.chance(0.3)) {
    ground.paint([rectangle(-r, -r, r, road - 60)], grass(dice));
    scatterTrees(site, 12, (_, v) => v < road - 64);
  }
}

/** Goods on the quay: round and square things that are no objects. */
function makeStack(dice: Dice): Thing {
  const [size, colour] = [dice.between(1, 3), lit([140, 120, 100], dice.between(0.5, 1.5))];
  const shape = dice.chance(0.3) ? disc(0, 0, size / 2, 10) : block(0, 0, size, size * 0.7);
  return {
    class: undefined,
    lengthM: size,
    widthM: size,
    heightM: 1,
    draw: (brush) => {
      brush.castFrom([shape], 1.2);
      brush.paint([shape], colour);
    },
  };
}

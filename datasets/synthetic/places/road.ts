/** Roads with their traffic, and car parks. */
import { rectangle, strip } from "../brush.ts";
import type { Colour, Material } from "../canvas.ts";
import type { Dice } from "../dice.ts";
import { makeVehicle } from "../kinds/vehicle.ts";
import type { Site } from "../site.ts";

export function asphalt(dice: Dice): Material {
  const grey = dice.between(70, 125);
  const colour: Colour = [grey, grey * dice.between(0.97, 1.01), grey * dice.between(0.93, 1.02)];
  return { colour, patches: 0.07, grain: 0.045 };
}

const PAINT: Colour = [205, 205, 198];

export interface Road {
  /** Line in metres of the ground's axes: along u at `at`, or along v. */
  readonly along: "u" | "v";
  readonly at: number;
  readonly lanes: number;
  /** Vehicles per hundred metres of lane. */
  readonly traffic: number;
  readonly from?: number | undefined;
  readonly to?: number | undefined;
}

const LANE_M = 3.3;

/** Paints a road and puts vehicles on it, keeping right. */
export function layRoad(site: Site, surface: Material, road: Road): void {
  const { dice, ground, reachM } = site;
  const { along, at, lanes, traffic, from = -reachM, to = reachM } = road;
  const wide = lanes * LANE_M;
  const line = (offset: number, a = from, b = to): readonly number[] =>
    along === "u" ? [a, at + offset, b, at + offset] : [at + offset, a, at + offset, b];
  ground.paint(strip(line(0), wide + 1.2), { colour: [150, 148, 142], grain: 0.05 });
  ground.paint(strip(line(0), wide), surface);
  for (let lane = 1; lane < lanes; lane++) {
    const offset = lane * LANE_M - wide / 2;
    const dashes: number[][] = [];
    if (lane * 2 === lanes) dashes.push(...strip(line(offset), 0.22).map((ring) => [...ring]));
    else {
      for (let d = from; d < to; d += 9)
        dashes.push(...strip(line(offset, d, d + 3), 0.18).map((ring) => [...ring]));
    }
    ground.paint(dashes, { colour: PAINT, opacity: 0.8 });
  }
  for (let lane = 0; lane < lanes; lane++) {
    const offset = (lane + 0.5) * LANE_M - wide / 2;
    const heading = (lane < lanes / 2 ? Math.PI : 0) + (along === "u" ? 0 : Math.PI / 2);
    const count = Math.round(((to - from) * traffic * dice.between(0.3, 1.6)) / 100);
    for (let i = 0; i < count; i++) {
      const d = dice.between(from, to);
      const [u = 0, v = 0] = line(offset + dice.between(-0.35, 0.35), d, d);
      site.stand(makeVehicle(dice), u, v, heading + dice.normal() * 0.02);
    }
  }
}

/** Bays in double rows over a rectangle. */
export function layCarPark(
  { dice, ground, stand }: Site,
  [x1, y1, x2, y2]: readonly [number, number, number, number],
  surface: Material,
): void {
  ground.paint([rectangle(x1, y1, x2, y2)], surface);
  const [bay, deep, aisle] = [dice.between(2.4, 2.7), dice.between(4.9, 5.4), dice.between(5.8, 7)];
  const share = dice.between(0.25, 0.95);
  const lines: number[][] = [];
  for (let y = y1 + aisle * 0.6; y + 2 * deep < y2; y += 2 * deep + aisle) {
    for (let x = x1 + 1.5; x + bay < x2 - 1; x += bay) {
      lines.push([...rectangle(x - 0.06, y, x + 0.06, y + 2 * deep)]);
      for (const side of [0, 1]) {
        if (!dice.chance(share)) continue;
        const [u, v] = [
          x + bay / 2 + dice.normal() * 0.1,
          y + deep * (side + 0.5) + dice.normal() * 0.2,
        ];
        const heading =
          Math.PI / 2 + (dice.chance(0.7) ? side : 1 - side) * Math.PI + dice.normal() * 0.025;
        stand(makeVehicle(dice, dice.chance(0.06) ? ["van"] : ["car"]), u, v, heading, 0.08);
      }
    }
    lines.push([...rectangle(x1 + 1.5, y + deep - 0.06, x2 - 1.5, y + deep + 0.06)]);
  }
  ground.paint(lines, { colour: PAINT, opacity: 0.75 });
}

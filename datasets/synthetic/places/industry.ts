/** Tank farms and works. */
import { block, rectangle, strip } from "../brush.ts";
import type { Colour } from "../canvas.ts";
import { makeBuilding } from "../kinds/building.ts";
import { makeTank } from "../kinds/tank.ts";
import { makeVehicle } from "../kinds/vehicle.ts";
import type { Site } from "../site.ts";
import { grass } from "./greenery.ts";
import { asphalt, layRoad } from "./road.ts";

export function buildIndustry(site: Site): void {
  const { dice, ground, reachM: r } = site;
  const earth = dice.between(0.8, 1.15);
  const soil: Colour = dice.pick([
    [150, 138, 116],
    [128, 126, 120],
    [164, 154, 134],
    [116, 112, 92],
  ]);
  ground.paint([block(0, 0, 2 * r, 2 * r)], {
    colour: [soil[0] * earth, soil[1] * earth, soil[2] * earth],
    patches: 0.16,
    grain: 0.07,
  });
  if (dice.chance(0.3))
    ground.paint([rectangle(-r, dice.between(0.2, 0.7) * r, r, r)], grass(dice));
  const yard = dice.between(90, 170);
  const surface = asphalt(dice);
  const [startU, startV] = [-r + dice.between(-yard, 0), -r + dice.between(-yard, 0)];
  for (let v = startV; v < r; v += yard)
    layRoad(site, surface, { along: "u", at: v, lanes: 2, traffic: 0.8 });
  for (let u = startU; u < r; u += yard)
    layRoad(site, surface, { along: "v", at: u, lanes: 2, traffic: 0.6 });
  for (let v = startV; v < r; v += yard) {
    for (let u = startU; u < r; u += yard) {
      const inner = [u + 9, v + 9, u + yard - 9, v + yard - 9] as const;
      const draw = dice.next();
      if (draw < 0.6) buildFarm(site, inner);
      else if (draw < 0.9) buildWorks(site, inner);
    }
  }
}

type Box = readonly [x1: number, y1: number, x2: number, y2: number];

/** Tanks of about one size in rows, each in its bund. */
function buildFarm({ dice, ground, stand }: Site, [x1, y1, x2, y2]: Box): void {
  const most = dice.between(9, 52);
  const pitch = most * dice.between(1.25, 1.8);
  ground.paint([rectangle(x1, y1, x2, y2)], {
    colour: [146, 142, 128],
    patches: 0.15,
    opacity: 0.7,
  });
  for (let y = y1 + pitch / 2; y + most / 2 < y2; y += pitch) {
    ground.paint(strip([x1, y + pitch / 2 - 0.6, x2, y + pitch / 2 - 0.6], 0.8), [168, 164, 152]);
    ground.paint(strip([x1, y, x2, y], 0.6), [90, 86, 80]);
    for (let x = x1 + pitch / 2; x + most / 2 < x2; x += pitch) {
      if (!dice.chance(0.85)) continue;
      const diameter = dice.chance(0.8) ? most : most * dice.between(0.4, 0.9);
      stand(
        makeTank(dice, diameter),
        x + dice.normal() * 0.2,
        y + dice.normal() * 0.2,
        dice.between(0, 6),
        0.5,
      );
    }
  }
}

function buildWorks({ dice, ground, stand }: Site, [x1, y1, x2, y2]: Box): void {
  ground.paint([rectangle(x1, y1, x2, y2)], { ...asphalt(dice), opacity: 0.8 });
  for (let i = 0; i < 8; i++) {
    const hall = makeBuilding(dice, dice.chance(0.7) ? "hall" : "block", (x2 - x1) * 0.7);
    stand(
      hall,
      dice.between(x1 + 10, x2 - 10),
      dice.between(y1 + 10, y2 - 10),
      dice.pick([0, Math.PI / 2]),
      4,
    );
  }
  for (let i = 0; i < 30; i++) {
    const vehicle = makeVehicle(dice, dice.chance(0.6) ? ["lorry", "articulated"] : ["car", "van"]);
    stand(
      vehicle,
      dice.between(x1, x2),
      dice.between(y1, y2),
      dice.pick([0, Math.PI / 2, Math.PI]) + dice.normal() * 0.05,
      0.7,
    );
  }
  for (let i = 0; i < 4; i++)
    stand(makeTank(dice, dice.between(4, 9)), dice.between(x1, x2), dice.between(y1, y2), 0, 1);
}

/** Where people live, park and work the land. */
import { block, lit, rectangle } from "../brush.ts";
import type { Colour } from "../canvas.ts";
import { makeBuilding } from "../kinds/building.ts";
import { makeVehicle } from "../kinds/vehicle.ts";
import type { Site } from "../site.ts";
import { grass, makeTree, scatterTrees } from "./greenery.ts";
import { asphalt, layCarPark, layRoad } from "./road.ts";

/** Blocks of houses between streets. */
export function buildTown(site: Site): void {
  const { dice, ground, reachM: r } = site;
  ground.paint([block(0, 0, 2 * r, 2 * r)], grass(dice));
  const isDense = dice.chance(0.4);
  const [deep, long] = [dice.between(34, 60), dice.between(70, 160)];
  const surface = asphalt(dice);
  const starts = { u: -r + dice.between(-long, 0), v: -r + dice.between(-deep, 0) };
  for (let v = starts.v; v < r; v += deep)
    layRoad(site, surface, { along: "u", at: v, lanes: 2, traffic: 1.2 });
  for (let u = starts.u; u < r; u += long)
    layRoad(site, surface, { along: "v", at: u, lanes: 2, traffic: 0.8 });
  for (let v = starts.v; v < r; v += deep) {
    for (const side of [1, -1]) {
      kerbCars(site, v + side * 4.4);
      const row = v + side * (deep * 0.26);
      if (dice.chance(isDense ? 0.6 : 0.12)) buildRow(site, row, "block", deep * 0.42);
      else buildRow(site, row, "house", deep * 0.4);
    }
  }
  const away = (at: number, start: number, step: number): number =>
    Math.abs(((((at - start) % step) + step * 1.5) % step) - step / 2);
  const isOffRoad = (u: number, v: number): boolean =>
    away(u, starts.u, long) > 8 && away(v, starts.v, deep) > 8;
  scatterTrees(site, dice.between(5, 60), isOffRoad);
}

function buildRow(
  { dice, reachM: r, stand, ground }: Site,
  v: number,
  use: "house" | "block",
  most: number,
): void {
  const gap = dice.between(1.5, 12);
  for (let u = -r + dice.between(0, 10); u < r;) {
    const house = makeBuilding(dice, use, use === "house" ? most : most * 2.4);
    const turned = dice.chance(0.35) && house.lengthM < most;
    const wide = turned ? house.widthM : house.lengthM;
    u += wide / 2;
    ground.paint([block(u, v, wide + gap * 0.6, most)], {
      colour: lit([140, 136, 124], dice.between(0.7, 1.2)),
      opacity: 0.35,
      patches: 0.2,
    });
    stand(
      house,
      u,
      v + dice.normal() * 0.8,
      (turned ? Math.PI / 2 : 0) + dice.pick([0, Math.PI]) + dice.normal() * 0.02,
      0.4,
    );
    if (dice.chance(0.3))
      stand(
        makeVehicle(dice, ["car", "van"]),
        u + wide / 2 + gap / 2,
        v + dice.normal() * 3,
        Math.PI / 2,
        0.5,
      );
    if (dice.chance(0.06)) ground.paint([block(u + wide / 2 + 2, v, 4, 8)], [90, 175, 195]);
    u += wide / 2 + gap * dice.between(0.6, 1.6);
  }
}

function kerbCars({ dice, reachM: r, stand }: Site, v: number): void {
  const share = dice.between(0, 0.6);
  for (let u = -r; u < r; u += 6) {
    if (dice.chance(share))
      stand(
        makeVehicle(dice, ["car", "car", "van"]),
        u + dice.normal() * 0.5,
        v,
        dice.pick([0, Math.PI]) + dice.normal() * 0.02,
        0.2,
      );
  }
}

/** Large car parks before halls. */
export function buildCarPark(site: Site): void {
  const { dice, ground, reachM: r, stand } = site;
  ground.paint([block(0, 0, 2 * r, 2 * r)], grass(dice));
  const surface = asphalt(dice);
  const edge = dice.between(-0.2, 0.6) * r;
  for (let u = -r; u < r;) {
    const wide = dice.between(35, 110);
    layCarPark(site, [u, -r, u + wide, edge], surface);
    u += wide + dice.between(0, 7);
  }
  layRoad(site, surface, {
    along: "u",
    at: edge + 9,
    lanes: dice.pick([2, 4, 6]),
    traffic: dice.between(1, 5),
  });
  for (let u = -r; u < r;) {
    const hall = makeBuilding(dice, "hall", 90);
    u += hall.lengthM / 2;
    stand(hall, u, edge + 24 + hall.widthM / 2, dice.normal() * 0.01, 1);
    u += hall.lengthM / 2 + dice.between(8, 50);
  }
  scatterTrees(site, dice.between(0, 12), (_, v) => v > edge + 22);
}

const CROPS: readonly [Colour, ...Colour[]] = [
  [112, 118, 70],
  [150, 138, 92],
  [86, 104, 58],
  [128, 104, 78],
  [172, 158, 112],
  [96, 88, 66],
  [120, 132, 84],
];

/** Fields, hedges, a road and farms. */
export function buildCountry(site: Site): void {
  const { dice, ground, reachM: r, stand } = site;
  for (let u = -r; u < r;) {
    const wide = dice.between(40, 160);
    for (let v = -r; v < r;) {
      const deep = dice.between(60, 220);
      const colour = lit(dice.pick(CROPS), dice.between(0.85, 1.15));
      const flow = [
        ground.pose.angle + dice.pick([0, Math.PI / 2]),
        0.015,
        dice.between(0.3, 1),
      ] as const;
      ground.paint([rectangle(u, v, u + wide, v + deep)], {
        colour,
        patches: dice.between(0.03, 0.11),
        grain: dice.between(0.04, 0.14),
        flow,
      });
      ground.paint([rectangle(u, v, u + wide, v + 1.5)], { colour: [104, 100, 74], grain: 0.1 });
      if (dice.chance(0.4))
        for (let t = 0; t < deep; t += 4) stand(makeTree(dice), u, v + t, 0, 0.1);
      v += deep;
    }
    u += wide;
  }
  const road = dice.between(-0.4, 0.4) * r;
  layRoad(site, asphalt(dice), {
    along: "u",
    at: road,
    lanes: dice.pick([2, 2, 4]),
    traffic: dice.between(0.5, 3),
  });
  const farms = Math.ceil(r / 150);
  for (let f = 0; f < farms; f++) {
    const [u, v] = [dice.between(-0.8, 0.8) * r, dice.between(-0.8, 0.8) * r];
    ground.paint([block(u, v, 60, 50)], { colour: [150, 140, 118], patches: 0.2 });
    for (let i = 0; i < 6; i++) {
      const use = dice.pick(["house", "hall"] as const);
      stand(
        makeBuilding(dice, use, 32),
        u + dice.between(-24, 24),
        v + dice.between(-20, 20),
        dice.pick([0, Math.PI / 2]),
        2,
      );
      stand(
        makeVehicle(dice, ["car", "van", "lorry"]),
        u + dice.between(-26, 26),
        v + dice.between(-22, 22),
        dice.between(0, 6),
        1,
      );
    }
  }
  scatterTrees(site, dice.between(0, 20), (_, v) => Math.abs(v - road) > 12);
}

/** Airports: stands, taxiways, runways, hangars. */
import { block, rectangle, strip } from "../brush.ts";
import type { Colour, Material } from "../canvas.ts";
import type { Dice } from "../dice.ts";
import { makeBuilding } from "../kinds/building.ts";
import { makePlane } from "../kinds/plane.ts";
import { makeVehicle } from "../kinds/vehicle.ts";
import type { Site } from "../site.ts";
import { grass, scatterTrees } from "./greenery.ts";

function concrete(dice: Dice): Material {
  const grey = dice.between(112, 190);
  const colour: Colour = [grey, grey * dice.between(0.97, 1), grey * dice.between(0.9, 0.99)];
  return { colour, patches: dice.between(0.05, 0.16), grain: 0.035 };
}

const YELLOW: Colour = [196, 168, 62];

export function buildAirport(site: Site): void {
  const { dice, ground, reachM: r } = site;
  ground.paint([block(0, 0, 2 * r, 2 * r)], grass(dice));
  const most = dice.pick([11, 26, 46, 76]);
  const apron = concrete(dice);
  const deep = Math.max(70, most * 2.6) * dice.between(1, 1.5);
  const from = dice.between(-0.9, 0) * deep;
  ground.paint([rectangle(-r, from, r, from + deep)], apron);
  slabs(site, [-r, from, r, from + deep], apron);
  for (let v = from + most * 0.7; v < from + deep; v += most * 1.5) parkRow(site, v, most);
  const taxiway = from + deep + dice.between(25, 70);
  const runway = from - dice.between(45, 85);
  lineTaxiway(site, taxiway, Math.max(14, most * 0.45), apron, most);
  if (dice.chance(0.6)) buildTerminal(site, from, most);
  else {
    lineTaxiway(site, runway, 45, { ...apron, colour: [88, 88, 90] }, most);
    scatterTrees(site, 6, (_, v) => v > taxiway + most || v < runway - 40);
  }
  for (let i = 0; i < r / 7; i++) {
    const vehicle = makeVehicle(dice, ["car", "van", "lorry", "bus"]);
    site.stand(
      vehicle,
      dice.between(-r, r),
      from + dice.between(0, 1) * deep,
      dice.pick([0, Math.PI / 2, 1, 2.4]),
      1,
    );
  }
}

/** Joints of the concrete, and slabs of a different age. */
function slabs(
  { dice, ground }: Site,
  [x1, y1, x2, y2]: readonly [number, number, number, number],
  apron: Material,
): void {
  const step = dice.between(5, 12);
  const joints: number[][] = [];
  for (let x = x1; x < x2; x += step) joints.push([...block(x, (y1 + y2) / 2, 0.16, y2 - y1)]);
  for (let y = y1; y < y2; y += step) joints.push([...block((x1 + x2) / 2, y, x2 - x1, 0.16)]);
  for (const ring of joints) ground.paint([ring], { colour: [70, 70, 68], opacity: 0.3 });
  const [red, green, blue] = apron.colour;
  for (let i = 0; i < 24; i++) {
    const tone = dice.between(0.8, 1.15);
    const [x, y] = [
      x1 + step * Math.floor(dice.between(0, (x2 - x1) / step)),
      y1 + step * Math.floor(dice.between(0, (y2 - y1) / step)),
    ];
    const slab = rectangle(x, y, x + step * dice.pick([1, 2, 4]), y + step);
    ground.paint([slab], { colour: [red * tone, green * tone, blue * tone], opacity: 0.6 });
  }
}

/** Planes side by side, nose in or nose out. */
function parkRow({ dice, ground, reachM: r, stand }: Site, v: number, most: number): void {
  const heading =
    dice.pick([Math.PI / 2, -Math.PI / 2]) + (dice.chance(0.25) ? dice.pick([0.5, -0.7]) : 0);
  const share = dice.between(0.35, 0.95);
  const mixed = dice.chance(0.3);
  for (let u = -r + dice.between(0, most); u < r;) {
    const plane = makePlane(dice, mixed ? most * dice.between(0.4, 1) : most);
    const wide = Math.max(plane.widthM, most * 0.6);
    u += wide / 2;
    const lead = [u, v - most * 0.4, u, v + most * 0.9];
    ground.paint(strip(lead, 0.3), { colour: YELLOW, opacity: 0.7 });
    if (dice.chance(share))
      stand(plane, u, v + dice.normal() * 0.6, heading + dice.normal() * 0.03, 1);
    u += wide / 2 + dice.between(3, 9);
  }
}

function lineTaxiway(
  { dice, ground, reachM: r, stand }: Site,
  v: number,
  wide: number,
  surface: Material,
  most: number,
): void {
  ground.paint([rectangle(-r, v - wide / 2 - 3, r, v + wide / 2 + 3)], {
    ...surface,
    opacity: 0.7,
  });
  ground.paint([rectangle(-r, v - wide / 2, r, v + wide / 2)], surface);
  const isRunway = wide > 40;
  const colour = isRunway ? ([222, 222, 218] as const) : YELLOW;
  const dashes: number[][] = [];
  for (let u = -r; u < r; u += isRunway ? 50 : r * 2)
    dashes.push([
      ...block(u + (isRunway ? 15 : r), v, isRunway ? 30 : 2 * r, isRunway ? 0.9 : 0.35),
    ]);
  ground.paint(dashes, { colour, opacity: 0.8 });
  if (isRunway)
    ground.paint([block(0, v - wide * 0.46, 2 * r, 0.9), block(0, v + wide * 0.46, 2 * r, 0.9)], {
      colour,
      opacity: 0.8,
    });
  if (dice.chance(0.5))
    stand(
      makePlane(dice, most),
      dice.between(-0.8, 0.8) * r,
      v,
      dice.pick([0, Math.PI]) + dice.normal() * 0.02,
      2,
    );
}

function buildTerminal({ dice, reachM: r, stand }: Site, edge: number, most: number): void {
  for (let u = -r; u < r;) {
    const hall = makeBuilding(dice, dice.chance(0.6) ? "hall" : "block", Math.max(25, most * 2));
    u += hall.lengthM / 2;
    stand(hall, u, edge - hall.widthM / 2 - dice.between(2, 6), 0, 1);
    u += hall.lengthM / 2 + dice.between(5, 40);
  }
}

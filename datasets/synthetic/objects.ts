/** The objects of a synthetic scene: one at most in each cell of a grid, so that no two touch. */
import { stream } from "./noise.ts";

export type Ground = "sea" | "field" | "apron";

/** A kind of object: how large it is, where it is found, how it looks from above. */
export interface SyntheticClass {
  readonly name: string;
  readonly lengthM: readonly [from: number, to: number];
  readonly widthM: readonly [from: number, to: number];
  /** A hull is a rectangle with a pointed bow. */
  readonly shape: "rectangle" | "ellipse" | "hull";
  /** Brightness it may have, 0…255. */
  readonly brightness: readonly (readonly [from: number, to: number])[];
  readonly grounds: readonly Ground[];
  /** Share of the cells of such ground that hold one. */
  readonly density: number;
}

/** Where one object truly lies, in pixels of the scene. */
export interface TrueObject {
  readonly classIndex: number;
  readonly x: number;
  readonly y: number;
  readonly lengthPx: number;
  readonly widthPx: number;
  /** Direction of its length, from the x axis towards the y axis (clockwise on the screen), 0 ≤ angle < π. */
  readonly angle: number;
  readonly brightness: number;
}

export const DEFAULT_CLASSES: readonly SyntheticClass[] = [
  {
    name: "ship",
    lengthM: [21, 36],
    widthM: [5.5, 8.5],
    shape: "hull",
    brightness: [[170, 235]],
    grounds: ["sea"],
    density: 0.5,
  },
  {
    name: "vehicle",
    lengthM: [4.4, 5.2],
    widthM: [1.9, 2.3],
    shape: "rectangle",
    brightness: [
      [200, 250],
      [10, 35],
    ],
    grounds: ["apron", "field"],
    density: 0.4,
  },
  {
    name: "storage-tank",
    lengthM: [8, 18],
    widthM: [8, 18],
    shape: "ellipse",
    brightness: [[205, 245]],
    grounds: ["apron"],
    density: 0.5,
  },
];

/** What places objects. */
export interface Placing {
  readonly seed: number;
  readonly gsdM: number;
  readonly classes: readonly SyntheticClass[];
  /** Side of a cell in pixels; no object leaves its cell. */
  readonly cellPx: number;
  readonly groundAt: (x: number, y: number) => Ground;
}

/** Pixels between the largest object and the edge of its cell. */
const MARGIN_PX = 6;

export const cellSize = (classes: readonly SyntheticClass[], gsdM: number): number =>
  Math.ceil(Math.max(8, ...classes.map(({ lengthM: [, to] }) => to / gsdM))) + 2 * MARGIN_PX;

/** The object of a cell, if it holds one. */
export function objectIn(
  { seed, gsdM, classes, cellPx, groundAt }: Placing,
  column: number,
  row: number,
): TrueObject | undefined {
  const random = stream(seed, column, row);
  const between = ([from, to]: readonly [number, number]): number => from + random() * (to - from);
  const [left, top] = [column * cellPx, row * cellPx];
  // All four corners and the middle on one ground: objects do not straddle a coast.
  const ground = groundAt(left + cellPx / 2, top + cellPx / 2);
  for (const [x, y] of [
    [0, 0],
    [1, 0],
    [0, 1],
    [1, 1],
  ] as const) {
    if (groundAt(left + x * cellPx, top + y * cellPx) !== ground) return undefined;
  }
  for (const [classIndex, kind] of classes.entries()) {
    if (!kind.grounds.includes(ground) || random() >= kind.density) continue;
    const lengthPx = between(kind.lengthM) / gsdM;
    const round = kind.shape === "ellipse" && kind.lengthM[0] === kind.widthM[0];
    const widthPx = round ? lengthPx : between(kind.widthM) / gsdM;
    const angle = round ? 0 : random() * Math.PI;
    const reach = Math.hypot(lengthPx, widthPx) / 2 + MARGIN_PX / 2;
    const free = Math.max(0, cellPx - 2 * reach);
    const tones = kind.brightness[Math.floor(random() * kind.brightness.length)] ?? [128, 128];
    return {
      classIndex,
      x: left + Math.min(reach, cellPx / 2) + random() * free,
      y: top + Math.min(reach, cellPx / 2) + random() * free,
      lengthPx,
      widthPx,
      angle,
      brightness: between(tones),
    };
  }
  return undefined;
}

/** Signed distance to the edge, in pixels, negative inside; good to a fraction of a pixel near it. */
export function distance(
  { x, y, lengthPx, widthPx, angle }: TrueObject,
  shape: SyntheticClass["shape"],
  px: number,
  py: number,
): number {
  const [cos, sin] = [Math.cos(angle), Math.sin(angle)];
  const along = (px - x) * cos + (py - y) * sin;
  const across = Math.abs((py - y) * cos - (px - x) * sin);
  const [a, b] = [lengthPx / 2, widthPx / 2];
  if (shape === "ellipse") return (Math.hypot(along / a, across / b) - 1) * Math.min(a, b);
  if (shape === "rectangle") return Math.max(Math.abs(along) - a, across - b);
  const bow = Math.max(0, (along - 0.4 * a) / (0.6 * a));
  return Math.max(Math.abs(along) - a, across - b * (1 - Math.min(1, bow * bow)));
}

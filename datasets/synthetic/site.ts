/** A place under construction: its ground is painted at once, what stands on it is gathered and drawn in the end. */
import { boundsOf, cornersLabel, type LabelledObject } from "../labels/labels.ts";
import { intersectionArea } from "../convex.ts";
import { type Brush, brushAt, type Light, rectangle } from "./brush.ts";
import type { Canvas } from "./canvas.ts";
import { Crowd, type Standpoint } from "./crowd.ts";
import type { Dice } from "./dice.ts";
import { SYNTHETIC_CLASSES, type Thing } from "./thing.ts";

/** A rectangle of the canvas, in pixels. */
export interface Area {
  readonly x1: number;
  readonly y1: number;
  readonly x2: number;
  readonly y2: number;
}

export interface Site {
  readonly dice: Dice;
  readonly gsdM: number;
  /** Paints in metres about the middle of the area, in the place's own direction. */
  readonly ground: Brush;
  /** Metres from the middle that cover the area whatever the direction. */
  readonly reachM: number;
  /**
   * Puts a thing at (u, v), in metres of the ground's axes, turned by `heading` from them, if it fits in and nothing
   * stands there.
   *
   * @param gapM - free space round it. @default 0.6
   */
  readonly stand: (thing: Thing, u: number, v: number, heading: number, gapM?: number) => boolean;
}

interface Standing extends Standpoint {
  readonly thing: Thing;
  readonly brush: Brush;
  readonly corners: Float64Array;
}

/** All that stands on a canvas. */
export interface Ensemble {
  readonly siteIn: (area: Area, dice: Dice, angle: number) => Site;
  /** Draws everything, low things first: a high one's shadow falls on them. */
  readonly draw: () => void;
  /** What is visible, if only in part. */
  readonly labels: () => readonly LabelledObject[];
}

/** Pixels that an object's short side must have to be drawn at all: nothing is there that is not labelled. */
const LEAST_PX = 2;
/** Once so much of what is allowed stands there, no vehicle comes any more: streets must not crowd houses out. */
const VEHICLE_SHARE = 0.6;

export interface EnsembleOptions {
  readonly gsdM: number;
  readonly objectsAtMost: number;
}

export function createEnsemble(
  canvas: Canvas,
  light: Light,
  { gsdM, objectsAtMost }: EnsembleOptions,
): Ensemble {
  let objects = 0;
  const standing = new Crowd<Standing>();
  const { width, height } = canvas;
  const pxPerM = 1 / gsdM;

  const isAllowed = (thing: Thing): boolean => {
    if (thing.class === undefined) return true;
    const most = objectsAtMost * (thing.class === "vehicle" ? VEHICLE_SHARE : 1);
    return objects < most && thing.widthM * pxPerM >= LEAST_PX;
  };
  const siteIn = (area: Area, dice: Dice, angle: number): Site => {
    const [x, y] = [(area.x1 + area.x2) / 2, (area.y1 + area.y2) / 2];
    const clip = { ...canvas, clip: area };
    const ground = brushAt(clip, light, { x, y, angle }, pxPerM);
    const room = opened(area, canvas);
    const stand: Site["stand"] = (thing, u, v, heading, gapM = 0.6) => {
      const [px = 0, py = 0] = ground.toPixels([u, v]);
      const reach = (Math.hypot(thing.lengthM, thing.widthM) / 2) * pxPerM;
      if (px < -reach || py < -reach || px > width + reach || py > height + reach) return false;
      if (!isAllowed(thing)) return false;
      const turn = thing.isRound === true ? 0 : angle + heading;
      const brush = brushAt(canvas, light, { x: px, y: py, angle: turn }, pxPerM);
      const [a, b] = [thing.lengthM / 2, thing.widthM / 2];
      const outline = brush.toPixels(rectangle(-a, -b, a, b));
      if (!isWithin(outline, room)) return false;
      const wide = brush.toPixels(rectangle(-a - gapM, -b - gapM, a + gapM, b + gapM));
      const space = Float64Array.from(wide);
      const around = { x: px, y: py, reach: reach + gapM * pxPerM };
      if (standing.someNear(around, ({ corners }) => intersectionArea(corners, 0, space, 0) > 0)) {
        return false;
      }
      if (thing.class !== undefined) objects++;
      standing.add({ thing, brush, corners: Float64Array.from(outline), x: px, y: py, reach });
      return true;
    };
    const reachM = (Math.hypot(area.x2 - area.x1, area.y2 - area.y1) / 2) * gsdM;
    return { dice, gsdM, ground, reachM, stand };
  };

  return {
    siteIn,
    draw: () => {
      for (const { thing, brush } of standing.all.toSorted(
        (a, b) => a.thing.heightM - b.thing.heightM,
      )) {
        thing.draw(brush);
      }
    },
    labels: () =>
      standing.all.flatMap(({ thing, corners }) => {
        const isSeen =
          intersectionArea(
            corners,
            0,
            Float64Array.of(0, 0, width, 0, width, height, 0, height),
            0,
          ) > 0;
        return thing.class !== undefined && isSeen
          ? [cornersLabel(SYNTHETIC_CLASSES.indexOf(thing.class), [...corners])]
          : [];
      }),
  };
}

/** Where the canvas ends, objects may be cut; where another place begins, they may not. */
function opened({ x1, y1, x2, y2 }: Area, { width, height }: Canvas): Area {
  return {
    x1: x1 <= 0 ? -Infinity : x1,
    y1: y1 <= 0 ? -Infinity : y1,
    x2: x2 >= width ? Infinity : x2,
    y2: y2 >= height ? Infinity : y2,
  };
}

function isWithin(outline: readonly number[], room: Area): boolean {
  const [x1, y1, x2, y2] = boundsOf(outline);
  return x1 >= room.x1 && y1 >= room.y1 && x2 <= room.x2 && y2 <= room.y2;
}

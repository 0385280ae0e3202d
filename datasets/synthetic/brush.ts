/** Painting in metres: shapes in the own axes of a thing or a place, put down where it lies. */
import { type Canvas, type Colour, darken, type Material, paint, type Ring } from "./canvas.ts";

/** Where the own axes lie: the origin in pixels, and the direction of x from the canvas's x towards its y. */
export interface Pose {
  readonly x: number;
  readonly y: number;
  readonly angle: number;
}

export interface Light {
  /** Pixels that the shadow of one metre of height is thrown. */
  readonly dx: number;
  readonly dy: number;
  /** Share of each colour that is left in the shadow. */
  readonly left: Colour;
}

export interface Brush {
  readonly pxPerM: number;
  readonly pose: Pose;
  readonly light: Light;
  /** Metres in the own axes → pixels. */
  readonly toPixels: (ring: Ring) => Ring;
  /** Paints the union of rings in metres. */
  readonly paint: (rings: readonly Ring[], material: Material | Colour) => void;
  /** Shadow of what stands on the ground over these outlines up to a height. */
  readonly castFrom: (rings: readonly Ring[], heightM: number) => void;
  /** Shadow of what hangs at a height, thin. */
  readonly castAt: (rings: readonly Ring[], heightM: number) => void;
  /** How much a surface that faces in a direction of the own axes is lit, −1…1. */
  readonly facing: (angle: number) => number;
}

const isColour = (m: Material | Colour): m is Colour => Array.isArray(m);

export function brushAt(canvas: Canvas, light: Light, pose: Pose, pxPerM: number): Brush {
  const [cos, sin] = [Math.cos(pose.angle) * pxPerM, Math.sin(pose.angle) * pxPerM];
  const toPixels = (ring: Ring): Ring => {
    const out = [...ring];
    for (let k = 0; k < ring.length; k += 2) {
      const [x, y] = [ring[k]!, ring[k + 1]!];
      out[k] = pose.x + x * cos - y * sin;
      out[k + 1] = pose.y + x * sin + y * cos;
    }
    return out;
  };
  const sunward = Math.atan2(-light.dy, -light.dx);
  return {
    pxPerM,
    pose,
    light,
    toPixels,
    paint: (rings, m) =>
      paint(canvas, rings.map(toPixels), isColour(m) ? { colour: m, patches: 0.03 } : m),
    castFrom: (rings, heightM) => {
      const [dx, dy] = [light.dx * heightM, light.dy * heightM];
      darken(
        canvas,
        rings.map(toPixels).flatMap((ring) => swept(ring, dx, dy)),
        light.left,
      );
    },
    castAt: (rings, heightM) => {
      const [dx, dy] = [light.dx * heightM, light.dy * heightM];
      darken(
        canvas,
        rings.map((ring) => moved(toPixels(ring), dx, dy)),
        light.left,
      );
    },
    facing: (angle) => Math.cos(angle + pose.angle - sunward),
  };
}

const moved = (ring: Ring, dx: number, dy: number): Ring =>
  ring.map((v, k) => v + (k % 2 === 0 ? dx : dy));

/** What a ring passes over while it is moved: itself at both ends, and the strip that each edge leaves. */
function swept(ring: Ring, dx: number, dy: number): readonly Ring[] {
  const strips = Array.from({ length: ring.length / 2 }, (_, i): Ring => {
    const [k, n] = [2 * i, (2 * i + 2) % ring.length];
    const [x1, y1, x2, y2] = [ring[k]!, ring[k + 1]!, ring[n]!, ring[n + 1]!];
    return [x1, y1, x2, y2, x2 + dx, y2 + dy, x1 + dx, y1 + dy];
  });
  return [ring, moved(ring, dx, dy), ...strips];
}

/** An upright rectangle. */
export const rectangle = (x1: number, y1: number, x2: number, y2: number): Ring => [
  x1,
  y1,
  x2,
  y1,
  x2,
  y2,
  x1,
  y2,
];

/** A rectangle about a centre. */
export const block = (x: number, y: number, length: number, width: number): Ring =>
  rectangle(x - length / 2, y - width / 2, x + length / 2, y + width / 2);

/** A rectangle whose corners are cut off. */
export function rounded(x: number, y: number, length: number, width: number, cut: number): Ring {
  const [a, b] = [length / 2, width / 2];
  const c = Math.min(cut, a, b);
  return [
    x - a + c,
    y - b,
    x + a - c,
    y - b,
    x + a,
    y - b + c,
    x + a,
    y + b - c,
    x + a - c,
    y + b,
    x - a + c,
    y + b,
    x - a,
    y + b - c,
    x - a,
    y - b + c,
  ];
}

/** A circle as a polygon. */
export function disc(x: number, y: number, radius: number, corners = 24): Ring {
  return Array.from({ length: corners * 2 }, (_, k) => {
    const turn = (Math.PI * 2 * (k >> 1)) / corners;
    return k % 2 === 0 ? x + radius * Math.cos(turn) : y + radius * Math.sin(turn);
  });
}

/** The colour with another brightness. */
export const lit = ([r, g, b]: Colour, factor: number): Colour => [
  r * factor,
  g * factor,
  b * factor,
];

/** A strip of a width along a line `x y x y …`. */
export function strip(line: Ring, width: number): readonly Ring[] {
  const rings: Ring[] = [];
  for (let k = 0; k + 3 < line.length; k += 2) {
    const [x1, y1, x2, y2] = [line[k]!, line[k + 1]!, line[k + 2]!, line[k + 3]!];
    const long = Math.hypot(x2 - x1, y2 - y1) || 1;
    const [nx, ny] = [((y2 - y1) / long) * (width / 2), ((x1 - x2) / long) * (width / 2)];
    rings.push([x1 + nx, y1 + ny, x2 + nx, y2 + ny, x2 - nx, y2 - ny, x1 - nx, y1 - ny]);
  }
  return rings;
}

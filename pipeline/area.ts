/** The area of interest: polygons in longitude and latitude, as seen in the pixels of one scene. */
import { apply, invert, type Scene, type Window } from "../datasets/index.ts";
import type { Area } from "./settings.ts";
import { SettingsError } from "./settings/settings-error.ts";

/** All in scene pixels. */
export interface AreaOfInterest {
  /** True where window and area have a point in common. */
  readonly touches: (window: Window) => boolean;
  readonly contains: (x: number, y: number) => boolean;
}

type Ring = readonly (readonly [x: number, y: number])[];

/**
 * Brings an area into a scene. Edges become straight lines between pixels.
 *
 * @throws {SettingsError} where the scene has no transform or CRS
 */
export function areaOfInterest(
  area: Area,
  { transform, crs, source }: Pick<Scene, "transform" | "crs" | "source">,
): AreaOfInterest {
  if (transform === undefined || crs === undefined) {
    throw new SettingsError(
      `areaOfInterest: ${source} must have a transform and a CRS for an area in longitude and latitude, received neither or one`,
    );
  }
  const toPixels = invert(transform);
  const rings = (area.type === "Polygon" ? [area.coordinates] : area.coordinates).flatMap(
    (polygon) =>
      polygon.map((ring): Ring =>
        ring.map(([lon = Number.NaN, lat = Number.NaN]) =>
          apply(toPixels, ...crs.fromLonLat(lon, lat)),
        ),
      ),
  );
  return areaInPixels(rings);
}

/** An area of rings in scene pixels, by the even-odd rule: a ring inside another is a hole. */
export function areaInPixels(rings: readonly Ring[]): AreaOfInterest {
  const edges = rings.flatMap((ring) =>
    ring.map((point, i) => [point, ring[(i + 1) % ring.length]!] as const),
  );
  const contains = (x: number, y: number): boolean => {
    let inside = false;
    for (const [[ax, ay], [bx, by]] of edges) {
      if (ay > y !== by > y && x < ax + ((y - ay) / (by - ay)) * (bx - ax)) inside = !inside;
    }
    return inside;
  };
  return {
    contains,
    // Either an edge enters the window, or the window lies wholly inside or outside.
    touches: (w) => edges.some(([a, b]) => entersWindow(a, b, w)) || contains(w.x, w.y),
  };
}

/** Liang–Barsky: is any part of the line a…b inside the window? */
function entersWindow(
  [ax, ay]: readonly [number, number],
  [bx, by]: readonly [number, number],
  { x, y, width, height }: Window,
): boolean {
  let [from, to] = [0, 1];
  for (const [start, step, low, high] of [
    [ax, bx - ax, x, x + width],
    [ay, by - ay, y, y + height],
  ] as const) {
    if (step === 0) {
      if (start < low || start > high) return false;
      continue;
    }
    const [s, t] = [(low - start) / step, (high - start) / step];
    from = Math.max(from, Math.min(s, t));
    to = Math.min(to, Math.max(s, t));
  }
  return from <= to;
}

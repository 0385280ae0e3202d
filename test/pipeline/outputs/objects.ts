/** Found objects for the output tests: boxes of a made-up scene in UTM 33N, seeded. */
import type { Crs } from "../../../datasets/index.ts";
import { apply } from "../../../datasets/index.ts";
import type { FoundObject, OutputContext } from "../../../pipeline/index.ts";

/** Near enough to UTM 33N at 52° N to give plausible numbers: these tests project nothing. */
const crs: Crs = {
  epsg: 32633,
  name: "WGS 84 / UTM zone 33N",
  kind: "projected",
  metresPerUnit: 1,
  definition: "+proj=utm +zone=33 +datum=WGS84 +units=m +no_defs",
  toLonLat: (x, y) => [15 + (x - 500_000) / 68_500, (y - 0) / 111_200],
  fromLonLat: (lon, lat) => [500_000 + (lon - 15) * 68_500, lat * 111_200],
};

export const context: OutputContext = {
  scene: {
    source: "/data/harbour one.tif",
    width: 4000,
    height: 3000,
    transform: [0.5, 0, 600_000, 0, -0.5, 5_800_000],
    crs,
  },
  classes: ["plane", "ship, large", 'say "vehicle"'],
  model: { name: "test", sha256: "00ff" },
  crs: "wgs84",
  gsdM: 0.5,
};

/** Reproducible numbers in 0…1 (mulberry32). */
function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** A rotated box with everything filled in. */
function objectAt(cx: number, cy: number, next: () => number): FoundObject {
  const [length, width, angle] = [10 + 40 * next(), 5 + 10 * next(), Math.PI * next()];
  const [ux, uy] = [Math.cos(angle), Math.sin(angle)];
  const corners = Float64Array.from(
    [
      [-1, -1],
      [1, -1],
      [1, 1],
      [-1, 1],
    ].flatMap(([s = 0, t = 0]) => [
      cx + (s * length * ux - t * width * uy) / 2,
      cy + (s * length * uy + t * width * ux) / 2,
    ]),
  );
  const { transform = [1, 0, 0, 0, 1, 0] } = context.scene;
  const map = inPairs(corners, (x, y) => apply(transform, x, y));
  const classIndex = Math.floor(3 * next());
  return {
    class: context.classes[classIndex] ?? "",
    classIndex,
    score: Math.fround(next()),
    oriented: true,
    corners,
    map,
    lonLat: inPairs(map, crs.toLonLat),
    ground: {
      lengthM: length / 2,
      widthM: width / 2,
      areaM2: (length * width) / 4,
      bearingDeg: 180 * next(),
    },
  };
}

export function* objects(count: number, seed = 1): Generator<FoundObject, void, undefined> {
  const next = seeded(seed);
  for (let i = 0; i < count; i++) {
    yield objectAt(50 + 3900 * next(), 50 + 2900 * next(), next);
  }
}

/** The same object in a scene that lies nowhere. */
export function withoutGround({
  map: _m,
  lonLat: _l,
  ground: _g,
  ...rest
}: FoundObject): FoundObject {
  return { ...rest, map: undefined, lonLat: undefined, ground: undefined };
}

function inPairs(
  points: Float64Array,
  fn: (x: number, y: number) => readonly [number, number],
): Float64Array {
  const moved = new Float64Array(points.length);
  for (let i = 0; i < points.length; i += 2) moved.set(fn(points[i] ?? 0, points[i + 1] ?? 0), i);
  return moved;
}

/** A crowded scene as a raw detector leaves it: every object reported about eleven times. */
import { type Detections, fromCentres, rotatedToCorners } from "../../datasets/index.ts";

/** Boxes in the crowd that SAHI's change log reports on. */
export const CROWD = 33_337;

export function makeCrowd(
  kind: "axis-aligned" | "oriented",
  count: number = CROWD,
): Detections<"scene"> {
  const random = createRandom(7);
  const between = (from: number, to: number): number => from + (to - from) * random();
  const side = 4_000 * Math.sqrt(count / CROWD);
  const objects = Array.from({ length: Math.ceil(count / 11) }, () => ({
    cx: between(0, side),
    cy: between(0, side),
    w: between(20, 80),
    h: between(10, 40),
    angle: between(0, Math.PI),
  }));
  const [rotated, upright] = [new Float64Array(5 * count), new Float64Array(4 * count)];
  const scores = new Float32Array(count);
  for (let row = 0; row < count; row++) {
    const { cx, cy, w, h, angle } = objects[row % objects.length]!;
    const box = [
      cx + between(-4, 4),
      cy + between(-4, 4),
      w * between(0.9, 1.1),
      h * between(0.9, 1.1),
    ];
    upright.set(box, 4 * row);
    rotated.set([...box, angle + between(-0.05, 0.05)], 5 * row);
    scores[row] = between(0.1, 1);
  }
  return {
    count,
    boxes: kind === "oriented" ? rotatedToCorners("scene", rotated) : fromCentres("scene", upright),
    scores,
    classes: new Uint16Array(count),
  };
}

/** Mulberry32: the same numbers on every machine. */
function createRandom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

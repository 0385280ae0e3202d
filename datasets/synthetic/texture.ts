/** Noise that repeats without a seam, made once: the unevenness of every surface is looked up in it. */
import { uniform } from "./noise.ts";

/** Side of a texture; a power of two, so that a place wraps by a mask. */
export const TEXTURE_PX = 512;

/** Octaves: period in pixels and weight of each. */
const OCTAVES = {
  grain: [
    [1, 0.5],
    [2, 0.8],
    [4, 0.7],
    [8, 0.4],
  ],
  patches: [
    [8, 0.25],
    [16, 0.4],
    [32, 0.6],
    [64, 0.9],
    [128, 1],
  ],
} as const;
type Fineness = keyof typeof OCTAVES;

let made: Float32Array | undefined;

/**
 * Two values of mean 0 and deviation 1 for each place, row by row: `grain`, which changes from pixel to pixel, and
 * `patches`, over dozens of them. They lie side by side because a painter wants both.
 */
export function texture(): Float32Array {
  if (made !== undefined) return made;
  const [grain, patches] = [noiseOf("grain"), noiseOf("patches")];
  made = Float32Array.from({ length: 2 * grain.length }, (_, i) =>
    i % 2 === 0 ? grain[i >> 1]! : patches[i >> 1]!,
  );
  return made;
}

function noiseOf(fineness: Fineness): Float32Array {
  const values = new Float32Array(TEXTURE_PX * TEXTURE_PX);
  OCTAVES[fineness].forEach(([period, weight], octave) => {
    addOctave(values, octave, period, weight);
  });
  const mean = values.reduce((sum, v) => sum + v, 0) / values.length;
  const spread = Math.sqrt(values.reduce((sum, v) => sum + (v - mean) ** 2, 0) / values.length);
  return values.map((v) => (v - mean) / spread);
}

function addOctave(values: Float32Array, octave: number, period: number, weight: number): void {
  const cells = TEXTURE_PX / period;
  const knots = Float32Array.from({ length: cells * cells }, (_, i) =>
    uniform(octave + 101, i % cells, Math.floor(i / cells)),
  );
  for (let y = 0, at = 0; y < TEXTURE_PX; y++) {
    const row = Math.floor(y / period);
    const t = ease(y / period - row);
    const [above, below] = [row * cells, ((row + 1) % cells) * cells];
    for (let x = 0; x < TEXTURE_PX; x++, at++) {
      const column = Math.floor(x / period);
      const next = (column + 1) % cells;
      const s = ease(x / period - column);
      const top = knots[above + column]! * (1 - s) + knots[above + next]! * s;
      const bottom = knots[below + column]! * (1 - s) + knots[below + next]! * s;
      values[at] = values[at]! + weight * (top * (1 - t) + bottom * t);
    }
  }
}

const ease = (t: number): number => t * t * (3 - 2 * t);

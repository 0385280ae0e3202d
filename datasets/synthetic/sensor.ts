/** What air and sensor make of a picture: haze, blur, exposure, noise, whole numbers. */
import type { Pixels } from "../scene.ts";
import type { Canvas } from "./canvas.ts";
import type { Dice } from "./dice.ts";
import { hash, NORMAL, smoothWindow } from "./noise.ts";

export interface Sensor {
  /** Weight of each neighbour in the point spread, of 1; below zero: sharpened. */
  readonly blur: number;
  /** Share of the light that the air scatters in, and how much it varies from place to place. */
  readonly haze: number;
  readonly hazeVariation: number;
  readonly gain: readonly [number, number, number];
  readonly gamma: number;
  /** Deviation of the noise in the dark, of 255, and what brightness adds to it. */
  readonly noise: number;
  readonly shotNoise: number;
}

/** A sensor on a day like many. */
export function drawSensor(dice: Dice): Sensor {
  const gain = dice.between(0.82, 1.2);
  return {
    blur: dice.between(-0.06, 0.2),
    haze: dice.chance(0.6) ? dice.between(0, 0.12) : dice.between(0.1, 0.38),
    hazeVariation: dice.chance(0.25) ? dice.between(0.05, 0.3) : 0,
    gain: [gain * dice.between(0.93, 1.07), gain, gain * dice.between(0.9, 1.1)],
    gamma: dice.between(0.8, 1.2),
    noise: dice.chance(0.7) ? dice.between(0.3, 3) : dice.between(3, 9),
    shotNoise: dice.between(0, 3),
  };
}

/** Light that the air adds, a little blue. */
const AIR = [186, 196, 208] as const;

/** The picture as bytes. The canvas is used up. */
export function expose(canvas: Canvas, sensor: Sensor, seed: number): Pixels {
  const { width, height, bands } = canvas;
  const veil =
    sensor.hazeVariation > 0
      ? smoothWindow(seed, { x: 0, y: 0, width, height }, width * 0.45)
      : undefined;
  const out = bands.map((band, k) => {
    blurAcross(band, width, height, sensor.blur);
    return develop(
      band,
      { width, height, air: AIR[k] ?? 0, gain: sensor.gain[k] ?? 1, seed: seed * 3 + k, veil },
      sensor,
    );
  });
  return { width, height, bands: out, valid: undefined };
}

function blurAcross(band: Float32Array, width: number, height: number, side: number): void {
  const middle = 1 - 2 * side;
  for (let y = 0; y < height; y++) {
    const row = y * width;
    let before = band[row]!;
    for (let x = 0; x < width; x++) {
      const here = band[row + x]!;
      const after = x + 1 < width ? band[row + x + 1]! : here;
      band[row + x] = middle * here + side * (before + after);
      before = here;
    }
  }
}

interface Film {
  readonly width: number;
  readonly height: number;
  readonly air: number;
  readonly gain: number;
  readonly seed: number;
  readonly veil: Float32Array | undefined;
}

/** Blurs down the columns and does the rest, pixel by pixel. */
function develop(band: Float32Array, film: Film, sensor: Sensor): Uint8Array {
  const { width, height, air, veil } = film;
  const { blur, haze, hazeVariation, noise, shotNoise } = sensor;
  const middle = 1 - 2 * blur;
  const curve = curveOf(film.gain, sensor.gamma);
  const shot = shotNoise * 0.004;
  const out = new Uint8Array(width * height);
  for (let y = 0; y < height; y++) {
    const row = y * width;
    const up = y > 0 ? -width : 0;
    const down = y + 1 < height ? width : 0;
    const start = hash(film.seed, y, 11);
    for (let x = 0, i = row; x < width; x++, i++) {
      const seen = middle * band[i]! + blur * (band[i + up]! + band[i + down]!);
      const share = veil === undefined ? haze : haze + hazeVariation * veil[i]!;
      const light = seen + share * (air - seen);
      const value = curve[light > 0 ? (light < 511 ? light * 4 : 2044) | 0 : 0]!;
      const v = value + GAUSS[(start + x) & (GAUSS.length - 1)]! * (noise + shot * value) + 0.5;
      out[i] = v > 0 ? (v < 255 ? v : 255) : 0;
    }
  }
  return out;
}

/** Normal noise, long enough that rows which start anywhere in it are not seen to repeat. */
const GAUSS: Float32Array = Float32Array.from(
  { length: 2 ** 16 },
  (_, i) => NORMAL[hash(1, i, 7) & 1023]!,
);

/** Brightness out of light, in quarters of a step. */
function curveOf(gain: number, gamma: number): Float32Array {
  return Float32Array.from({ length: 2045 }, (_, i) => 255 * ((i / 4 / 255) * gain) ** gamma);
}

/** What air and sensor make of a picture: haze, blur, exposure, noise, whole numbers. */
import type { Pixels } from "../scene.ts";
import type { Canvas } from "./canvas.ts";
import type { Dice } from "./dice.ts";
import { NORMAL, smoothWindow } from "./noise.ts";

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
  const out = new Uint8Array(width * height);
  let bits = Math.imul(film.seed + 1, 0x9e3779b1) | 1;
  for (let y = 0; y < height; y++) {
    const row = y * width;
    const [up, down] = [y > 0 ? -width : 0, y + 1 < height ? width : 0];
    for (let x = 0; x < width; x++) {
      const i = row + x;
      const seen = middle * band[i]! + blur * (band[i + up]! + band[i + down]!);
      const share = veil === undefined ? haze : haze + hazeVariation * veil[i]!;
      const light = seen + share * (air - seen);
      bits ^= bits << 13;
      bits ^= bits >>> 17;
      bits ^= bits << 5;
      const value = curve[light > 0 ? (light < 511 ? light * 4 : 2044) | 0 : 0]!;
      const v = value + NORMAL[(bits >>> 8) & 1023]! * (noise + shotNoise * value * 0.004) + 0.5;
      out[i] = v > 0 ? (v < 255 ? v : 255) : 0;
    }
  }
  return out;
}

/** Brightness out of light, in quarters of a step. */
function curveOf(gain: number, gamma: number): Float32Array {
  return Float32Array.from({ length: 2045 }, (_, i) => 255 * ((i / 4 / 255) * gain) ** gamma);
}

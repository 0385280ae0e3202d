/** Which bands of a scene become the channels of the model, and how. */
import type { Pixels, Samples, Scene } from "../datasets/index.ts";
import { SettingsError } from "./settings/settings-error.ts";

/** Where the channels come from. */
export interface BandChoice {
  /** Bands to read, counted from 0, each once. */
  readonly read: readonly number[];
  /** For each channel, its place in {@link read}; for a palette its place in the triple. */
  readonly channels: readonly number[];
  /** `palette`: the one band read holds places in the table; `luma`: red, green, blue become one channel. */
  readonly how: "direct" | "palette" | "luma";
  readonly palette: Uint8Array | undefined;
  /** For the manifest: `1, 2, 3 (red, green, blue)`. */
  readonly text: string;
  /** What a user should know, such as that the roles of the bands are guessed. */
  readonly warning: string | undefined;
}

type Bands = Pick<Scene, "bands" | "palette">;

/**
 * Chooses by role: red, green and blue where they are named; a single band is repeated; a palette is expanded; alpha
 * is never a channel.
 *
 * @param wanted bands that stand for red, green, blue, or for the model's own channels, counted from 1
 * @throws {SettingsError} where the scene has too few bands, or the wanted ones are not there
 */
export function chooseBands(
  scene: Bands,
  channels: number,
  wanted?: readonly number[],
): BandChoice {
  if (wanted !== undefined) return chosen(scene, channels, wanted);
  const roles = scene.bands.map(({ role }) => role);
  if (scene.palette !== undefined && channels === 3) return paletted(scene.palette, scene);
  const visible = roles.flatMap((role, i) => (role === "alpha" ? [] : [i]));
  const rgb = (["red", "green", "blue"] as const).map((role) => roles.indexOf(role));
  const named = rgb.every((i) => i >= 0);
  if (channels === 1 && named) {
    return { ...direct(scene, rgb), channels: [0], how: "luma" };
  }
  if (visible.length < channels && visible.length <= 2 && channels === 3) {
    return direct(scene, [visible[0] ?? 0, visible[0] ?? 0, visible[0] ?? 0]);
  }
  if (visible.length < channels) {
    throw new SettingsError(
      `chooseBands: the model takes ${channels} channels, received a scene of ${listed(scene, visible)}; choose them by the setting bands`,
    );
  }
  if (!named || channels < 3) {
    const guess = direct(scene, visible.slice(0, channels));
    const exact = visible.length === channels;
    return exact ? guess : { ...guess, warning: `bands have no roles: taking ${guess.text}` };
  }
  return direct(scene, [...rgb, ...visible.filter((i) => !rgb.includes(i))].slice(0, channels));
}

function chosen(scene: Bands, channels: number, wanted: readonly number[]): BandChoice {
  const missing = wanted.find((band) => band < 1 || band > scene.bands.length);
  if (missing !== undefined) {
    throw new SettingsError(
      `chooseBands: bands must lie in 1…${scene.bands.length}, received ${missing}`,
    );
  }
  const zeroBased = wanted.map((band) => band - 1);
  const all =
    wanted.length === 1 ? Array.from({ length: channels }, () => zeroBased[0]!) : zeroBased;
  if (all.length !== channels) {
    throw new SettingsError(
      `chooseBands: the model takes ${channels} channels, received bands ${wanted.join(", ")}`,
    );
  }
  return direct(scene, all);
}

function direct(scene: Bands, bands: readonly number[]): BandChoice {
  const read = [...new Set(bands)];
  const channels = bands.map((band) => read.indexOf(band));
  return {
    read,
    channels,
    how: "direct",
    palette: undefined,
    text: listed(scene, bands),
    warning: undefined,
  };
}

function paletted(palette: Uint8Array, { bands }: Bands): BandChoice {
  const index = Math.max(
    0,
    bands.findIndex(({ role }) => role === "palette"),
  );
  return {
    read: [index],
    channels: [0, 1, 2],
    how: "palette",
    palette,
    text: `${index + 1} (colour table)`,
    warning: undefined,
  };
}

const listed = (scene: Bands, bands: readonly number[]): string =>
  `${bands.map((i) => i + 1).join(", ")} (${bands.map((i) => scene.bands[i]?.name ?? scene.bands[i]?.role ?? "none").join(", ")})`;

/** Expands a palette and forms luma; what then lies in `bands` is what {@link BandChoice.channels} counts in. */
export function toColours(pixels: Pixels, { how, palette }: BandChoice): Pixels {
  if (how === "direct") return pixels;
  return {
    ...pixels,
    bands:
      how === "palette" ? expanded(pixels.bands[0]!, palette ?? new Uint8Array(3)) : [luma(pixels)],
  };
}

function expanded(index: Samples, palette: Uint8Array): Uint8Array[] {
  return [0, 1, 2].map((part) => Uint8Array.from(index, (v) => palette[v * 3 + part] ?? 0));
}

/** ITU-R BT.601, the weights of every greyscale conversion that models are trained with. */
function luma({ bands: [red, green, blue] }: Pixels): Float32Array {
  return Float32Array.from(red!, (r, i) => 0.299 * r + 0.587 * green![i]! + 0.114 * blue![i]!);
}

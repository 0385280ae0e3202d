/**
 * vit: a plain vision transformer with windowed and a few global blocks and a simple feature pyramid. Its slot holds PADRe
 * unless another mixer is asked for.
 */
import { windowed } from "../../attention/index.ts";
import type { Mixer } from "../../attention/index.ts";
import { vitBackbone } from "../backbones/vit.ts";
import { simpleFeaturePyramid } from "../necks/simple-feature-pyramid.ts";
import type { Family, SizeName } from "./family.ts";
import { MIXERS } from "./mixers.ts";
import type { MixerName } from "./mixers.ts";

interface Scale {
  readonly channels: number;
  readonly depth: number;
  readonly heads: number;
  readonly neck: number;
}

const SCALES: Readonly<Record<SizeName, Scale>> = {
  pico: { channels: 96, depth: 4, heads: 3, neck: 64 },
  nano: { channels: 128, depth: 6, heads: 4, neck: 80 },
  small: { channels: 192, depth: 8, heads: 6, neck: 96 },
};

/** Side of a window, in tokens of stride 16. */
const WINDOW = 10;
/** Every third block of a quadratic mixer sees the whole map. */
const GLOBAL_EVERY = 3;

export const vit: Family = {
  summary: "plain vision transformer, windowed and global blocks, simple feature pyramid",
  mixer: "padre",
  headChannels: { pico: 48, nano: 64, small: 96 },
  features: (g, image, size, mixer) => {
    const { channels, depth, heads, neck } = SCALES[size];
    const mixerAt = (block: number): Mixer => inBlock(mixer, heads, block);
    const map = vitBackbone(g.at("backbone"), image, { channels, depth, mixerAt });
    return simpleFeaturePyramid(g.at("neck"), map, { channels: neck });
  },
};

function inBlock(name: MixerName, heads: number, block: number): Mixer {
  const row = MIXERS[name];
  const global = block % GLOBAL_EVERY === GLOBAL_EVERY - 1;
  if (row.cost === "linear" || global) return row.make({ heads, fixedGrid: false });
  return windowed(row.make({ heads, fixedGrid: true }), { size: WINDOW });
}

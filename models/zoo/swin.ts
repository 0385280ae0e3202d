/**
 * swin: a hierarchical transformer with shifted windows and a feature pyramid. Its slot holds softmax attention with
 * relative position bias unless another mixer is asked for; mixers of linear cost need no windows.
 */
import { shifted, windowed } from "../../attention/index.ts";
import type { Mixer } from "../../attention/index.ts";
import { swinBackbone } from "../backbones/swin.ts";
import { fpn } from "../necks/fpn.ts";
import type { Family, SizeName } from "./family.ts";
import { MIXERS } from "./mixers.ts";
import type { MixerName } from "./mixers.ts";

interface Scale {
  /** Channels of the first stage; each stage doubles them. */
  readonly channels: number;
  readonly depths: readonly [number, number, number, number];
  readonly neck: number;
}

const SCALES: Readonly<Record<SizeName, Scale>> = {
  pico: { channels: 24, depths: [1, 2, 2, 2], neck: 64 },
  nano: { channels: 32, depths: [2, 2, 4, 2], neck: 80 },
  small: { channels: 48, depths: [2, 2, 6, 2], neck: 96 },
};

/** Side of a window: divides the maps of 320- and 640-px tiles at every stride. */
const WINDOW = 10;
/** Channels of one head, at least. */
const HEAD_CHANNELS = 24;

export const swin: Family = {
  summary: "hierarchical transformer with shifted windows, feature pyramid",
  mixer: "softmax",
  headChannels: { pico: 48, nano: 64, small: 96 },
  features: (g, image, size, mixer) => {
    const { channels, depths, neck } = SCALES[size];
    const mixerAt = (stage: number, block: number): Mixer =>
      inBlock(mixer, headsOf(channels * 2 ** stage), block);
    const maps = swinBackbone(g.at("backbone"), image, { channels, depths, mixerAt });
    return fpn(g.at("neck"), maps, { channels: neck });
  },
};

function headsOf(channels: number): number {
  let heads = Math.max(1, Math.floor(channels / HEAD_CHANNELS));
  while (channels % heads !== 0) heads--;
  return heads;
}

function inBlock(name: MixerName, heads: number, block: number): Mixer {
  const row = MIXERS[name];
  if (row.cost === "linear") return row.make({ heads, fixedGrid: false });
  const mixer = row.make({ heads, fixedGrid: true });
  return block % 2 === 0 ? windowed(mixer, { size: WINDOW }) : shifted(mixer, { size: WINDOW });
}

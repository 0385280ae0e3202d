/**
 * yolo-caa: a cross-stage partial backbone and a path aggregation neck, whose attention block and neck joints are mixed
 * by Context Anchor Attention unless another mixer is asked for.
 */
import { windowed } from "../../attention/index.ts";
import type { Mixer } from "../../attention/index.ts";
import { cspBackbone } from "../backbones/csp.ts";
import { pafpn } from "../necks/pafpn.ts";
import type { Family, SizeName } from "./family.ts";
import { MIXERS } from "./mixers.ts";
import type { MixerName } from "./mixers.ts";

interface Scale {
  /** Channels at strides 2, 4, 8, 16, 32. */
  readonly widths: readonly [number, number, number, number, number];
  readonly depths: readonly [number, number, number, number];
  readonly neckDepth: number;
  readonly heads: number;
}

const SCALES: Readonly<Record<SizeName, Scale>> = {
  pico: { widths: [16, 24, 48, 96, 128], depths: [1, 1, 1, 1], neckDepth: 1, heads: 2 },
  nano: { widths: [16, 32, 64, 128, 192], depths: [1, 2, 2, 1], neckDepth: 1, heads: 3 },
  small: { widths: [24, 48, 96, 192, 256], depths: [1, 2, 3, 1], neckDepth: 2, heads: 4 },
};

/** Windows of quadratic mixers in the neck, in cells. */
const WINDOW = 10;

export const yoloCaa: Family = {
  summary: "convolutional: CSP backbone, PAFPN neck, mixers in the attention block and the neck",
  mixer: "caa",
  headChannels: { pico: 48, nano: 64, small: 96 },
  features: (g, image, size, mixer) => {
    const { widths, depths, neckDepth, heads } = SCALES[size];
    const everywhere = MIXERS[mixer].make({ heads, fixedGrid: false });
    const maps = cspBackbone(g.at("backbone"), image, { widths, depths, mixer: everywhere });
    return pafpn(g.at("neck"), maps, { depth: neckDepth, mixer: inNeck(mixer) });
  },
};

/** Neck maps are large: quadratic mixers see one window of them at a time. */
function inNeck(name: MixerName): Mixer {
  const quadratic = MIXERS[name].cost === "quadratic";
  const mixer = MIXERS[name].make({ heads: 1, fixedGrid: quadratic });
  return quadratic ? windowed(mixer, { size: WINDOW }) : mixer;
}

/** What a family of detectors brings: features at three strides, out of a network with a mixer slot. */
import type { Graph } from "../../attention/index.ts";
import type { Pyramid } from "../backbones/csp.ts";
import type { FeatureMap } from "../layers/conv.ts";
import type { MixerName } from "./mixers.ts";

export type SizeName = "pico" | "nano" | "small";

export interface Family {
  readonly summary: string;
  /** What fills its slot unless another mixer is asked for. */
  readonly mixer: MixerName;
  /** Features at strides 8, 16 and 32. */
  readonly features: (g: Graph, image: FeatureMap, size: SizeName, mixer: MixerName) => Pyramid;
  /** Channels of the head's branches. */
  readonly headChannels: Readonly<Record<SizeName, number>>;
}

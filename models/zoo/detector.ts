/** `detector({ family, size, mixer, head, classes })`: any family with any mixer, as a function that writes a graph. */
import type { Graph, Value } from "../../attention/index.ts";
import type { HeadOptions, RawHeads } from "../heads/anchor-free.ts";
import { anchorFreeHead } from "../heads/anchor-free.ts";
import type { FeatureMap } from "../layers/conv.ts";
import { conditionOnResolution } from "./condition.ts";
import type { Family, SizeName } from "./family.ts";
import type { MixerName } from "./mixers.ts";
import { swin } from "./swin.ts";
import { vit } from "./vit.ts";
import { yoloCaa } from "./yolo-caa.ts";

export type FamilyName = "yolo-caa" | "vit" | "swin";

export const FAMILIES: Readonly<Record<FamilyName, Family>> = { "yolo-caa": yoloCaa, vit, swin };

export interface DetectorOptions {
  readonly family: FamilyName;
  readonly size: SizeName;
  /** @default the family's own */
  readonly mixer?: MixerName | undefined;
  /** @default "axis-aligned" */
  readonly head?: "axis-aligned" | "oriented" | undefined;
  /** Number of classes. */
  readonly classes: number;
  /** Bins of the distribution of a side; 0 regresses it directly. @default 0 */
  readonly bins?: number | undefined;
}

/** Features come at these strides, in pixels of the input. */
const STRIDES = [8, 16, 32] as const;

export interface DetectorNetwork {
  readonly options: DetectorOptions;
  readonly head: HeadOptions;
  /**
   * @param image  `[B 3 Y X]`, values 0…1, sides multiples of 32
   * @param gsdM   metres per pixel `[B 1]`, 0 where unknown; without it the network is not conditioned
   */
  readonly build: (g: Graph, image: FeatureMap, gsdM?: Value<"B I">) => RawHeads;
}

export function detector(options: DetectorOptions): DetectorNetwork {
  const family = FAMILIES[options.family];
  const { size, mixer = family.mixer, classes, bins = 0 } = options;
  const head: HeadOptions = {
    classes,
    oriented: options.head === "oriented",
    bins,
    channels: family.headChannels[size],
  };
  return {
    options,
    head,
    build: (g, image, gsdM) => {
      const [p3, p4, p5] = family.features(g, image, size, mixer);
      const deepest = gsdM === undefined ? p5 : conditionOnResolution(g.at("condition"), p5, gsdM);
      return anchorFreeHead(g.at("head"), [p3, p4, deepest], STRIDES, head);
    },
  };
}

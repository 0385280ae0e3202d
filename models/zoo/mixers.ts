/** What may fill the mixer slot of any family, by name. */
import type { Mixer } from "../../attention/index.ts";
import {
  contextAnchor,
  cosine,
  linear,
  multiHead,
  polynomial,
  relativeBias,
  scaledDotProduct,
} from "../../attention/index.ts";

export interface MixerPlace {
  readonly heads: number;
  /** Whether the grid always has the same size, so that offsets can have weights of their own. */
  readonly fixedGrid: boolean;
}

export interface MixerRow {
  readonly summary: string;
  /** `quadratic` ones are cut into windows on large grids, others see the whole map. */
  readonly cost: "quadratic" | "linear";
  readonly make: (place: MixerPlace) => Mixer;
}

/** Side of PADRe's token mixing in our models: the paper's 11 costs 2.5 times as much. */
const POLYNOMIAL_SIZE = 7;

export type MixerName = "softmax" | "cosine" | "linear" | "caa" | "padre";

export const MIXERS: Readonly<Record<MixerName, MixerRow>> = {
  softmax: {
    summary: "scaled dot-product attention; arXiv:1706.03762",
    cost: "quadratic",
    make: ({ heads, fixedGrid }) =>
      multiHead(scaledDotProduct, {
        heads,
        projections: "packed",
        ...(fixedGrid && { place: relativeBias }),
      }),
  },
  cosine: {
    summary: "cosine attention with learned temperature (Swin v2); arXiv:2111.09883",
    cost: "quadratic",
    make: ({ heads, fixedGrid }) =>
      multiHead(cosine, {
        heads,
        projections: "packed",
        ...(fixedGrid && { place: relativeBias }),
      }),
  },
  linear: {
    summary: "linear attention, φ = elu + 1; arXiv:2006.16236",
    cost: "linear",
    make: ({ heads }) => multiHead(linear, { heads, projections: "packed" }),
  },
  caa: {
    summary: "Context Anchor Attention; arXiv:2403.06258",
    cost: "linear",
    make: () => contextAnchor(),
  },
  padre: {
    summary: "PADRe polynomial attention of degree 2; arXiv:2407.11306",
    cost: "linear",
    make: () => polynomial({ degree: 2, size: POLYNOMIAL_SIZE }),
  },
};

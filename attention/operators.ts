/**
 * Every operator of this folder, with what the gallery says of it and how the shared tests make one. A new
 * operator needs a line here and a file of its own.
 */
import { additive } from "./cores/additive.ts";
import { cosine } from "./cores/cosine.ts";
import { differential } from "./cores/differential.ts";
import { lightning } from "./cores/lightning.ts";
import { linear } from "./cores/linear.ts";
import { linformer } from "./cores/linformer.ts";
import { performer } from "./cores/performer.ts";
import { scaledDotProduct } from "./cores/scaled-dot-product.ts";
import { sparse } from "./cores/sparse.ts";
import { contextAnchor, contextAnchorReference } from "./mixers/context-anchor.ts";
import { densePolynomial, densePolynomialReference } from "./mixers/dense-polynomial.ts";
import { polynomial, polynomialReference } from "./mixers/polynomial.ts";
import type { Core, Grid, Mixer, MixerReference, Near } from "./operator.ts";
import { bigBird } from "./reach/big-bird.ts";
import { spread } from "./reach/grid.ts";
import { band, neighbourhood } from "./reach/near.ts";
import { shifted } from "./reach/shifted.ts";
import { windowed } from "./reach/windowed.ts";

interface Described {
  /** First author, year, arXiv number. */
  readonly paper: string;
  /** Work as a function of the tokens N; `w`: tokens of a window, `k`: side of a kernel,
   * `S`: summaries. */
  readonly cost: string;
  /** Weights of its own for C channels in H heads of D. */
  readonly parameters: string;
}

export interface CoreOperator extends Described {
  readonly kind: "core";
  readonly make: () => Core;
  /** What its mask may tell apart: pairs of query and key, or keys only. */
  readonly masks: "pairs" | "keys";
  /** Queries and keys are one sequence, and keys differ by their place in it. */
  readonly isSelf?: true;
}

export interface MixerOperator extends Described {
  readonly kind: "mixer";
  readonly make: () => Mixer;
  readonly reference: MixerReference;
}

/** A reach around a mixer; every token sees those of which `sees` is true. */
export interface ReachOperator extends Described {
  readonly kind: "reach";
  readonly wrap: (mixer: Mixer) => Mixer;
  /** On grids whose sides are multiples of {@link REACH_SIZE}. */
  readonly sees: (n: number, m: number, grid: Pick<Grid, "rows" | "columns">) => boolean;
}

/** A reach around a core. */
export interface NearOperator extends Described {
  readonly kind: "near";
  readonly make: () => Near;
}

export type Operator = CoreOperator | MixerOperator | ReachOperator | NearOperator;

/** Side of the windows that the table's reaches are made with. */
export const REACH_SIZE = 2;

const HALF = REACH_SIZE / 2;
const place = (n: number, columns: number) => [Math.floor(n / columns), n % columns] as const;

/** Whether two places agree in both directions under `of`. */
const alike =
  (of: (at: number, length: number) => number): ReachOperator["sees"] =>
  (n, m, { rows, columns }) => {
    const [[y, x], [v, u]] = [place(n, columns), place(m, columns)];
    return of(y, rows) === of(v, rows) && of(x, columns) === of(u, columns);
  };

export const OPERATORS: Readonly<Record<string, Operator>> = {
  scaledDotProduct: {
    kind: "core",
    paper: "Vaswani 2017, arXiv:1706.03762",
    cost: "N²",
    parameters: "0",
    masks: "pairs",
    make: () => scaledDotProduct,
  },
  additive: {
    kind: "core",
    paper: "Bahdanau 2015, arXiv:1409.0473",
    cost: "N²",
    parameters: "HD",
    masks: "pairs",
    make: () => additive,
  },
  cosine: {
    kind: "core",
    paper: "Liu 2022, arXiv:2111.09883",
    cost: "N²",
    parameters: "H",
    masks: "pairs",
    make: () => cosine,
  },
  differential: {
    kind: "core",
    paper: "Ye 2024, arXiv:2410.05258",
    cost: "N²",
    parameters: "3D",
    masks: "pairs",
    make: () => differential({ depth: 1 }),
  },
  sparse: {
    kind: "core",
    paper: "Martins 2016, arXiv:1602.02068",
    cost: "N² log N",
    parameters: "0",
    masks: "pairs",
    make: () => sparse(),
  },
  linear: {
    kind: "core",
    paper: "Katharopoulos 2020, arXiv:2006.16236",
    cost: "N",
    parameters: "0",
    masks: "keys",
    make: () => linear,
  },
  lightning: {
    kind: "core",
    paper: "Qin 2024, arXiv:2401.04658",
    cost: "N",
    parameters: "0",
    masks: "keys",
    isSelf: true,
    make: () => lightning(),
  },
  performer: {
    kind: "core",
    paper: "Choromanski 2021, arXiv:2009.14794",
    cost: "N",
    parameters: "0",
    masks: "keys",
    make: () => performer({ features: 6 }),
  },
  linformer: {
    kind: "core",
    paper: "Wang 2020, arXiv:2006.04768",
    cost: "N",
    parameters: "2NS",
    masks: "keys",
    isSelf: true,
    make: () => linformer({ length: 12, summaries: 5 }),
  },
  contextAnchor: {
    kind: "mixer",
    paper: "Cai 2024, arXiv:2403.06258",
    cost: "N k",
    parameters: "2C² + 2kC + 4C",
    make: () => contextAnchor({ length: 5 }),
    reference: contextAnchorReference,
  },
  polynomial: {
    kind: "mixer",
    paper: "Letourneau 2024, arXiv:2407.11306",
    cost: "N k²",
    parameters: "(2d − 1)(C² + k²C + 2C)",
    make: () => polynomial({ degree: 3, size: 3 }),
    reference: polynomialReference({ degree: 3, size: 3 }),
  },
  densePolynomial: {
    kind: "mixer",
    paper: "Letourneau 2024, arXiv:2407.11306",
    cost: "N²",
    parameters: "(2d − 1)(N² + C²) + (d + 1)NC",
    make: () => densePolynomial({ degree: 3 }),
    reference: densePolynomialReference({ degree: 3 }),
  },
  windowed: {
    kind: "reach",
    paper: "Liu 2021, arXiv:2103.14030",
    cost: "N w",
    parameters: "0",
    wrap: (mixer) => windowed(mixer, { size: REACH_SIZE }),
    sees: alike((at) => Math.floor(at / REACH_SIZE)),
  },
  shifted: {
    kind: "reach",
    paper: "Liu 2021, arXiv:2103.14030",
    cost: "N w",
    parameters: "0",
    wrap: (mixer) => shifted(mixer, { size: REACH_SIZE }),
    sees: alike((at) => Math.floor((at + HALF) / REACH_SIZE)),
  },
  spread: {
    kind: "reach",
    paper: "Tu 2022, arXiv:2204.01697",
    cost: "N w",
    parameters: "0",
    wrap: (mixer) => spread(mixer, { size: REACH_SIZE }),
    sees: alike((at, length) => at % (length / REACH_SIZE)),
  },
  band: {
    kind: "near",
    paper: "Beltagy 2020, arXiv:2004.05150",
    cost: "N w",
    parameters: "0",
    make: () => band({ before: 2, after: 1 }),
  },
  neighbourhood: {
    kind: "near",
    paper: "Hassani 2023, arXiv:2204.07143",
    cost: "N w",
    parameters: "0",
    make: () => neighbourhood({ size: 3 }),
  },
  bigBird: {
    kind: "near",
    paper: "Zaheer 2020, arXiv:2007.14062",
    cost: "N w",
    parameters: "0",
    make: () => bigBird({ block: 1, random: [] }),
  },
};

/**
 * The contract of every attention operator: three independent choices that do not multiply.
 *
 * - a {@link Core} says how a query meets keys,
 * - a reach says which tokens see which: it wraps a {@link Mixer} (`reach/windowed.ts`) or a core ({@link Near}),
 * - a block takes a {@link Mixer} and never asks what is in it.
 */
import type { Graph, Value } from "./graph.ts";
import type { Tensor } from "./tensor.ts";

/** What may be said about pairs of query and key. Axes of length 1 broadcast. */
export interface Pairing<Mask, Bias> {
  /** Which keys a query may see: 1 (true) = may. A query that sees none gives zeros. */
  readonly mask?: Mask | undefined;
  /** Added to the scores before the softmax. Finite: what may not be seen is the mask's to say. */
  readonly bias?: Bias | undefined;
}

/** A pairing of graph values: the mask is bool, the bias float32. */
export type Pairs = Pairing<Value<"B H N M">, Value<"B H N M">>;

/** A weight that an operator has asked its graph for, by the name it asked with. */
export type Weights = (name: string) => Tensor;

/** How queries meet keys: `q [B H N D]`, `k [B H M D]`, `v [B H M E]` to `[B H N E]`. */
export interface Core {
  readonly name: string;
  /** The formula in plain loops: the oracle for the other two. */
  readonly reference: (
    q: Tensor<"B H N D">,
    k: Tensor<"B H M D">,
    v: Tensor<"B H M E">,
    pairing?: Pairing<Tensor<"B H N M">, Tensor<"B H N M">>,
    weights?: Weights,
  ) => Tensor<"B H N E">;
  /** The same computation as graph nodes. */
  readonly lower: (
    g: Graph,
    q: Value<"B H N D">,
    k: Value<"B H M D">,
    v: Value<"B H M E">,
    pairing?: Pairs,
  ) => Value<"B H N E">;
  /** Queries (and keys) that lie side by side in the `D` channels of a head. @default 1 */
  readonly maps?: number;
}

/** The rows and columns that the `N` tokens lie on, row by row: `N = rows * columns`. */
export interface Grid {
  readonly rows: number;
  readonly columns: number;
  /** bool: which tokens are image and not padding. No token reads from padding. All, where absent. */
  readonly valid?: Value<"B N"> | undefined;
  /** What a reach says about pairs of these tokens; a mixer that has no pairs refuses it. */
  readonly pairing?: Pairs | undefined;
}

/** Mixes the tokens of a grid: the one slot that every block leaves open. */
export type Mixer = (g: Graph, tokens: Value<"B N C">, grid: Grid) => Value<"B N C">;

/** A mixer's formula in plain loops. `valid` is 1 where a token is image. */
export type MixerReference = (
  tokens: Tensor<"B N C">,
  grid: { readonly rows: number; readonly columns: number; readonly valid?: Tensor<"B N"> },
  weights: Weights,
) => Tensor<"B N C">;

/** A reach that moves with every query: the same core, over the keys near each query of the grid. */
export type Near = (core: Core, grid: Grid) => Core;

/**
 * Lets the tokens of a feature map attend to context tokens (ground resolution, sensor, date, an exemplar).
 * The identity at initialisation; without context an exact no-op. `known` (bool) says which context tokens
 * are there; all, where absent.
 */
export type Conditioner = (
  g: Graph,
  tokens: Value<"B N C">,
  context: Value<"B M E"> | undefined,
  known?: Value<"B M">,
) => Value<"B N C">;

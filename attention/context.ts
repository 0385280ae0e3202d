/**
 * What is known about an image beside its pixels, as context tokens `[B M E]` for a `Conditioner`: how much
 * ground a pixel covers, which sensor and bands, when, and what the wanted object looks like.
 *
 * Every kind has its own projection and an embedding that says which kind it is; leave out what is not known,
 * or hide it for single images with the conditioner's `known`.
 */
import type { Graph, Value } from "./graph.ts";
import { project } from "./projection.ts";
import { bind } from "./shape.ts";

export interface ContextOptions {
  /** Channels of a context token. */
  readonly channels: number;
}

/** Octaves that the slowest wave of {@link groundResolution} spans: 1 cm … 655 m. */
const OCTAVES = 16;
const DAYS_A_YEAR = 365.2425;

/** Joins context tokens of several kinds. */
export const contextTokens = (g: Graph, parts: readonly Value<"B M E">[]): Value<"B M E"> =>
  g.concat(parts, "M");

/**
 * One token for the ground resolution. Waves over its logarithm, since a factor of two means as much at 10 cm as at
 * 10 m; Tancik et al., "Fourier Features", 2020. arXiv:2006.10739
 *
 * @param metres  metres a pixel, `[B, 1]`
 * @param options.waves  the fastest spans `16 / 2^(waves − 1)` octaves. @default 6
 */
export function groundResolution(
  g: Graph,
  metres: Value<"B I">,
  { channels, waves = 6 }: ContextOptions & { readonly waves?: number },
): Value<"B M E"> {
  const octaves = g.scale(g.unary("log", metres), 1 / Math.LN2);
  const turns = Array.from({ length: waves }, (_, i) => 2 ** i / OCTAVES);
  return token(g.at("ground_resolution"), cycles(g, octaves, turns), channels);
}

/**
 * One token for the date: where in the year it lies, and slowly which year.
 *
 * @param days  days since 2000-01-01, `[B, 1]`
 */
export function acquisitionDate(
  g: Graph,
  days: Value<"B I">,
  { channels }: ContextOptions,
): Value<"B M E"> {
  const turns = [4, 3, 2, 1].map((harmonic) => harmonic / DAYS_A_YEAR);
  const season = cycles(g, days, turns);
  const trend = g.scale(days, 1 / (10 * DAYS_A_YEAR));
  return token(g.at("date"), g.concat([season, trend], "I"), channels);
}

/**
 * A token for each entry of a table: the sensor, or each of the bands that an image has.
 *
 * @param name  of the table's weights
 * @param index  int64, rows of the table, `[B, M]`
 * @param options.count  rows of the table
 */
export function categories(
  g: Graph,
  name: string,
  index: Value<"B M">,
  { channels, count }: ContextOptions & { readonly count: number },
): Value<"B M E"> {
  const table = g.at(name).weight("weight", "I E", [count, channels], { kind: "normal", std: 1 });
  return kind(g.at(name), g.gather(table, "I", index, "B M E"), channels);
}

/** A token for each embedding of what is wanted (chips of examples, or of text), `[B M F]`. */
export function exemplars(
  g: Graph,
  embeddings: Value<"B M F">,
  { channels }: ContextOptions,
): Value<"B M E"> {
  const scope = g.at("exemplars");
  return kind(scope, project(scope, "embed", embeddings, "B M E", channels), channels);
}

/** Sines and cosines of `x` at so many turns a unit. */
function cycles(g: Graph, x: Value<"B I">, turns: readonly number[]): Value<"B I"> {
  const speed = Float32Array.from(turns, (t) => 2 * Math.PI * t);
  const angle = g.mul(x, g.constant("B I", [1, turns.length], speed));
  return g.concat([g.unary("sin", angle), g.unary("cos", angle)], "I");
}

function token(g: Graph, features: Value<"B I">, channels: number): Value<"B M E"> {
  const { B } = bind("context", { features });
  const one = g.reshape(project(g, "embed", features, "B E", channels), "B M E", [B, 1, channels]);
  return kind(g, one, channels);
}

/** Tells tokens of one kind from those of another. */
const kind = (g: Graph, tokens: Value<"B M E">, channels: number): Value<"B M E"> =>
  g.add(tokens, g.weight("kind", "E", [channels], { kind: "normal", std: 0.02 }));

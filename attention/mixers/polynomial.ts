/**
 * PADRe: a polynomial of the tokens in place of attention; cost linear in their number.
 *
 *     Yᵢ = Aᵢ(Bᵢ(X)),   Z₁ = Y₁,   Zᵢ₊₁ = Cᵢ(Dᵢ(Zᵢ)) ⊙ Yᵢ₊₁,   i = 1 … degree
 *
 * B and D mix channels (1×1), A and C mix tokens (depthwise k×k), all with biases, which bring in the lower
 * degrees. Y₂ … start around 1, so that Z_degree starts near Z₁. Weights `B1.weight`, `B1.bias`, `A1…`, `D1…`,
 * `C1…`. Padding is set to zero before every token mixing, since biases would leak out of it.
 *
 * Letourneau et al., "PADRe: A Unifying Polynomial Attention Drop-in Replacement for Efficient Vision
 * Transformer", 2024, §3 and §4.1. arXiv:2407.11306
 */
import { convolved, kernel2d, mapOf, times, tokensOf, toMap, toTokens } from "../convolution.ts";
import type { Kernel2d } from "../convolution.ts";
import type { Graph, Value } from "../graph.ts";
import type { Mixer, MixerReference } from "../operator.ts";
import { ONE, ZERO } from "../projection.ts";
import { checkGrid } from "../reach/check-grid.ts";
import { bind, ShapeError } from "../shape.ts";
import { computed, reader, sum, tensor } from "../tensor.ts";
import type { Tensor } from "../tensor.ts";

export interface PolynomialOptions {
  /** Factors of the highest term. Accuracy saturates beyond 3. @default 2 */
  readonly degree?: number;
  /** Side of the token mixing, odd; `[1, k]` where tokens are a sequence. @default 11 */
  readonly size?: number | readonly [y: number, x: number];
  /** Stops at this degree: fewer factors out of the same weights. @default degree */
  readonly stopAt?: number;
  /** `"last"`: Z of the highest degree (a residual around brings degree 1); `"sum"`: Z₁ + … @default "last" */
  readonly terms?: "last" | "sum";
}

const name = "polynomial";

export function polynomial(options: PolynomialOptions = {}): Mixer {
  return (g, tokens, grid) => {
    checkGrid(name, tokens, grid);
    const map = toMap(g, tokens, grid.rows);
    return toTokens(g, polynomialMap(g, map, options, grid.valid));
  };
}

/** The same on a map, for networks that have no tokens: no rearranging, so that convolutions stay a chain. */
export function polynomialMap(
  g: Graph,
  map: Value<"B C Y X">,
  options: PolynomialOptions = {},
  valid?: Value<"B N">,
): Value<"B C Y X"> {
  const { B, C, Y, X } = bind(name, { map });
  const { size, stopAt, terms } = checked(options);
  const weights = factors(g, C, stopAt, size);
  const seen = valid && g.reshape(g.cast(valid, "float32"), "B C Y X", [B, 1, Y, X]);
  const inputs = [...(seen ? [seen] : []), ...weights.flatMap((k) => [k.weight, k.bias as Value])];
  const attributes = { degree: stopAt, size, terms, takes: seen ? "valid" : "" };
  return g.call(name, attributes, [map, ...inputs], (f, [tokens, ...rest]) => {
    const mask = seen ? rest.shift() : undefined;
    const mix = pairsOf(rest).map((pair) => mixing(f, pair, size, mask));
    return evaluate(f, tokens, mix, stopAt, terms);
  });
}

function checked({ degree = 2, size = 11, stopAt = degree, terms = "last" }: PolynomialOptions) {
  if (!Number.isInteger(degree) || degree < 1) {
    throw new ShapeError(`${name}: degree must be a whole number from 1, received ${degree}`);
  }
  if (stopAt < 1 || stopAt > degree) {
    throw new ShapeError(`${name}: stopAt must be in 1 … ${degree}, received ${stopAt}`);
  }
  const [y, x] = typeof size === "number" ? [size, size] : size;
  if (y % 2 !== 1 || x % 2 !== 1) {
    throw new ShapeError(`${name}: size must be odd, received ${y} × ${x}`);
  }
  return { size: [y, x] as const, stopAt, terms };
}

/** Kernels in the order they are used: B₁ A₁, then for every further degree B A D C. */
function factors(g: Graph, C: number, degree: number, [y, x]: readonly [number, number]) {
  const channels = (of: string) =>
    kernel2d(g.at(of), {
      in: C,
      out: C,
      init: { kind: "normal", std: 1 / Math.sqrt(C) },
      bias: ZERO,
    });
  const tokens = (of: string, bias: typeof ZERO) =>
    kernel2d(g.at(of), {
      in: C,
      out: C,
      groups: C,
      size: [y, x],
      init: { kind: "normal", std: 1 / Math.sqrt(y * x) },
      bias,
    });
  const out: Kernel2d[] = [channels("B1"), tokens("A1", ZERO)];
  for (let i = 2; i <= degree; i++) {
    out.push(channels(`B${i}`), tokens(`A${i}`, ONE));
    out.push(channels(`D${i - 1}`), tokens(`C${i - 1}`, ZERO));
  }
  return out;
}

type Mix = (x: Value<"B C Y X">) => Value<"B C Y X">;

/** Weights of channel mixing and token mixing, four values a pair. */
function pairsOf(weights: readonly Value[]): (readonly Value[])[] {
  return Array.from({ length: weights.length / 4 }, (_, i) => weights.slice(4 * i, 4 * i + 4));
}

/** One channel mixing and one token mixing. */
function mixing(
  g: Graph,
  [channels, shift, tokens, bias]: readonly Value[],
  [y, x]: readonly [number, number],
  mask: Value | undefined,
): Mix {
  return (map) => {
    if (!channels || !tokens) throw new ShapeError(`${name}: weights of a factor are missing`);
    const mixed = g.conv(map, channels, shift);
    const clean = mask ? g.mul(mixed, mask) : mixed;
    const pad = [(y - 1) / 2, (x - 1) / 2] as const;
    return g.conv(clean, tokens, bias, { groups: map.shape[1] ?? 1, pad });
  };
}

function evaluate(
  g: Graph,
  x: Value<"B C Y X">,
  mix: readonly Mix[],
  degree: number,
  terms: "last" | "sum",
): Value<"B C Y X"> {
  const at = (i: number, of: Value<"B C Y X">) => mix[i]?.(of) ?? of;
  let z = at(0, x);
  let total = z;
  for (let i = 1; i < degree; i++) {
    const y = at(2 * i - 1, x);
    z = g.mul(at(2 * i, z), y);
    total = terms === "sum" ? g.add(total, z) : z;
  }
  return total;
}

/** The reference of {@link polynomial}. */
export function polynomialReference(options: PolynomialOptions = {}): MixerReference {
  const { stopAt, terms } = checked(options);
  return (tokens, grid, weights) => {
    const { rows, columns, valid } = grid;
    const [x, B] = [mapOf(tokens, grid), tokens.shape[0] ?? 0];
    const mask = valid && tensor("B C Y X", [B, 1, rows, columns], valid.data);
    const conv = (map: Tensor<"B C Y X">, at: string) =>
      convolved(map, weights(`${at}.weight`), weights(`${at}.bias`));
    const mix = (map: Tensor<"B C Y X">, channels: string, places: string) => {
      const mixed = conv(map, channels);
      return conv(mask ? times(mixed, mask) : mixed, places);
    };
    let z = mix(x, "B1", "A1");
    const parts = [z];
    for (let i = 2; i <= stopAt; i++) {
      z = times(mix(z, `D${i - 1}`, `C${i - 1}`), mix(x, `B${i}`, `A${i}`));
      parts.push(z);
    }
    if (terms === "last") return tokensOf(z);
    const all = parts.map((part) => reader(part));
    return tokensOf(
      computed("B C Y X", x.shape, (...i) => sum(all.length, (p) => all[p]?.(...i) ?? 0)),
    );
  };
}

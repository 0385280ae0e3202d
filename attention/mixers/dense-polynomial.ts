/**
 * PADRe's framework with full matrices: every token and channel mixed with every other, for a fixed number of
 * tokens. The convolutional instance is `polynomial.ts`; this one is for tokens without a place, such as the
 * queries of a decoder.
 *
 *     Yᵢ = Aᵢ X Bᵢ,   Z₁ = Y₁,   Zᵢ₊₁ = (Cᵢ Zᵢ Dᵢ) ⊙ Yᵢ₊₁,   P = Σᵢ Wᵢ ⊙ Zᵢ + L
 *
 * Padding is set to zero before every mixing of tokens. Weights `A1 … [N N]`, `B1 … [C C]`, `C1 …`,
 * `D1 …`, `W [N C degree]`, `L [N C]`.
 *
 * Letourneau et al., "PADRe", 2024, §3, equations 1–3. arXiv:2407.11306
 */
import { times } from "../convolution.ts";
import type { Graph, Value } from "../graph.ts";
import type { Mixer, MixerReference } from "../operator.ts";
import { ONE, ZERO } from "../projection.ts";
import { checkGrid } from "../reach/check-grid.ts";
import { bind, ShapeError } from "../shape.ts";
import { computed, reader, sum } from "../tensor.ts";
import type { Tensor } from "../tensor.ts";

const name = "densePolynomial";

export function densePolynomial({ degree = 2 }: { readonly degree?: number } = {}): Mixer {
  return (g, tokens, grid) => {
    checkGrid(name, tokens, grid);
    const { B, N } = bind(name, { tokens });
    const weights = [...denseWeights(g, tokens, degree)];
    const { valid } = grid;
    const keep = valid ? [g.reshape(g.cast(valid, "float32"), "B N C", [B, N, 1])] : [];
    const inputs = [tokens, ...weights.map(([, value]) => value), ...keep] as const;
    const attributes = { degree, takes: valid ? "valid" : "" };
    return g.call(name, attributes, inputs, (f, [x, ...rest]) => {
      const inside = new Map(weights.map(([of], i) => [of, rest[i] as Value]));
      return terms(f, x, degree, inside, valid && rest[weights.length]).total;
    });
  };
}

interface Terms {
  readonly total: Value<"B N C">;
  /** Z₁ … Z_degree. */
  readonly parts: readonly Value<"B N C">[];
}

/** The polynomial and its homogeneous parts. */
export const denseTerms = (g: Graph, x: Value<"B N C">, degree: number): Terms =>
  terms(g, x, degree, denseWeights(g, x, degree));

/** All weights by name, those of a degree after those of the one before. */
function denseWeights(g: Graph, x: Value<"B N C">, degree: number): ReadonlyMap<string, Value> {
  const { N, C } = bind(name, { x });
  const square = (of: string, size: number): [string, Value] => {
    const init = { kind: "normal", std: 1 / Math.sqrt(size) } as const;
    return [of, g.weight(of, "I J", [size, size], init)];
  };
  const later = Array.from({ length: degree - 1 }, (_, i) => i + 1);
  return new Map([
    square("A1", N),
    square("B1", C),
    ...later.flatMap((i) => [square(`A${i + 1}`, N), square(`B${i + 1}`, C)]),
    ...later.flatMap((i) => [square(`C${i}`, N), square(`D${i}`, C)]),
    ["W", g.weight("W", "N C I", [N, C, degree], ONE)],
    ["L", g.weight("L", "N C", [N, C], ZERO)],
  ]);
}

function terms(
  g: Graph,
  x: Value<"B N C">,
  degree: number,
  weights: ReadonlyMap<string, Value>,
  keep?: Value,
): Terms {
  const { N, C } = bind(name, { x });
  const weight = (of: string): Value => {
    const found = weights.get(of);
    if (found === undefined) throw new ShapeError(`${name}: weights must hold ${of}`);
    return found;
  };
  const mix = (a: string, b: string, z: Value<"B N C">) => {
    const clean = keep ? g.mul(z, keep) : z;
    return g.matmul(g.matmul(weight(a), clean, "B N C"), weight(b), "B N C");
  };
  const first = mix("A1", "B1", x);
  const parts = [first];
  for (let i = 2; i <= degree; i++) {
    const before = parts.at(-1) ?? first;
    parts.push(g.mul(mix(`C${i - 1}`, `D${i - 1}`, before), mix(`A${i}`, `B${i}`, x)));
  }
  const shares = g.rename(weight("W"), "N C I");
  const share = (i: number) => g.reshape(g.slice(shares, "I", i, i + 1), "N C", [N, C]);
  const weighted = parts.map((z, i) => g.mul(z, share(i)));
  const total = weighted.reduce((a, z) => g.add(a, z));
  return { total: g.add(total, weight("L")), parts };
}

/** The reference of {@link densePolynomial}. */
export function densePolynomialReference({
  degree = 2,
}: { readonly degree?: number } = {}): MixerReference {
  return (tokens, { valid }, weights) => {
    const [B = 0, N = 0, C = 0] = tokens.shape;
    const keep = valid ? reader(valid) : () => 1;
    const mix = (a: string, b: string, of: Tensor<"B N C">) => {
      const [A, D, Z] = [reader(weights(a)), reader(weights(b)), reader(of)];
      const across = reader(
        computed("B N C", [B, N, C], (i, n, c) => sum(N, (m) => A(n, m) * keep(i, m) * Z(i, m, c))),
      );
      return computed("B N C", [B, N, C], (i, n, c) => sum(C, (e) => across(i, n, e) * D(e, c)));
    };
    const parts = [mix("A1", "B1", tokens)];
    for (let i = 2; i <= degree; i++) {
      const before = mix(`C${i - 1}`, `D${i - 1}`, parts.at(-1) ?? tokens);
      parts.push(times(before, mix(`A${i}`, `B${i}`, tokens)));
    }
    const [W, L, Z] = [reader(weights("W")), reader(weights("L")), parts.map((z) => reader(z))];
    return computed(
      "B N C",
      [B, N, C],
      (b, n, c) => L(n, c) + sum(degree, (i) => W(n, c, i) * (Z[i]?.(b, n, c) ?? 0)),
    );
  };
}

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
import type { Graph, Value } from "../graph.ts";
import type { Mixer, MixerReference } from "../operator.ts";
import { ONE, ZERO } from "../projection.ts";
import { checkGrid } from "../reach/check-grid.ts";
import { bind } from "../shape.ts";
import { times } from "../convolution.ts";
import { computed, reader, sum } from "../tensor.ts";
import type { Tensor } from "../tensor.ts";

const name = "densePolynomial";

export function densePolynomial({ degree = 2 }: { readonly degree?: number } = {}): Mixer {
  return (g, tokens, grid) => {
    checkGrid(name, tokens, grid);
    return denseTerms(g, tokens, degree, grid.valid).total;
  };
}

/** The polynomial and its homogeneous parts Z₁ … Z_degree. */
export function denseTerms(
  g: Graph,
  x: Value<"B N C">,
  degree: number,
  valid?: Value<"B N">,
): { readonly total: Value<"B N C">; readonly parts: readonly Value<"B N C">[] } {
  const { B, N, C } = bind(name, { x });
  const keep = valid && g.reshape(g.cast(valid, "float32"), "B N C", [B, N, 1]);
  const clean = (z: Value<"B N C">) => (keep ? g.mul(z, keep) : z);
  const square = (of: string, size: number) =>
    g.weight(of, "I J", [size, size], { kind: "normal", std: 1 / Math.sqrt(size) });
  const mix = (a: string, b: string, z: Value<"B N C">) =>
    g.matmul(g.matmul(square(a, N), clean(z), "B N C"), square(b, C), "B N C");
  const parts = [mix("A1", "B1", x)];
  for (let i = 2; i <= degree; i++) {
    const before = parts.at(-1) ?? x;
    parts.push(g.mul(mix(`C${i - 1}`, `D${i - 1}`, before), mix(`A${i}`, `B${i}`, x)));
  }
  const weight = g.weight("W", "N C I", [N, C, degree], ONE);
  const weighted = parts.map((z, i) =>
    g.mul(z, g.reshape(g.slice(weight, "I", i, i + 1), "N C", [N, C])),
  );
  const constant = g.weight("L", "N C", [N, C], ZERO);
  const start = g.add(weighted[0] ?? x, constant);
  return { total: weighted.slice(1).reduce((a, z) => g.add(a, z), start), parts };
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

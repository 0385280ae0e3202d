/** Plain-loop oracles and drawn sizes that the tests of operators share. */
import fc from "fast-check";
import { bind, computed, reader, sum, tensor, volume } from "../../attention/index.ts";
import type { Core, Tensor, Weights } from "../../attention/index.ts";
import { eager } from "../eager.ts";
import type { Eager } from "../eager.ts";
import { numbers } from "../numbers.ts";

/** A tensor of numbers without pattern. */
export const noise = <const L extends string>(
  layout: L,
  shape: readonly number[],
  seed: number,
): Tensor<L> => tensor(layout, shape, numbers(volume(shape), seed));

/** A mask: about `share` of its entries are 1. */
export const someOf = <const L extends string>(
  layout: L,
  shape: readonly number[],
  seed: number,
  share = 0.7,
): Tensor<L> =>
  tensor(
    layout,
    shape,
    numbers(volume(shape), seed).map((v) => (v < 3 * share - 1.5 ? 1 : 0)),
  );

/** Weights without pattern, the same for the same name, and all that were asked for. */
export interface Drawn {
  readonly give: (name: string, shape: readonly number[]) => Float32Array;
  readonly weights: Weights;
  readonly all: ReadonlyMap<string, Tensor>;
}

export function drawnWeights(seed: number): Drawn {
  const all = new Map<string, Tensor>();
  return {
    all,
    give(name, shape) {
      const known = all.get(name);
      if (known) return known.data;
      const id =
        Array.from(name).reduce((a, letter) => 3 * a + letter.charCodeAt(0), seed) % 10_007;
      const half = numbers(volume(shape), id).map((v) => v / 2);
      all.set(name, tensor(shape.map((_, i) => `A${i}`).join(" "), shape, half));
      return half;
    },
    weights(name) {
      const found = all.get(name);
      if (found === undefined) throw new RangeError(`weights: nobody asked for ${name}`);
      return found;
    },
  };
}

/** An eager graph over such weights. */
export const computing = (drawn: Drawn): Eager => eager(drawn.give);

export const coreSizes: fc.Arbitrary<{
  B: number;
  H: number;
  N: number;
  M: number;
  D: number;
  E: number;
  seed: number;
}> = fc.record({
  B: fc.integer({ min: 1, max: 2 }),
  H: fc.integer({ min: 1, max: 3 }),
  N: fc.integer({ min: 1, max: 9 }),
  M: fc.integer({ min: 1, max: 9 }),
  D: fc.constantFrom(2, 4, 6),
  E: fc.integer({ min: 1, max: 5 }),
  seed: fc.integer({ min: 0, max: 1000 }),
});

/** Multi-head self-attention over tokens in plain loops, for weights `q k v proj` and a mask of pairs. */
export function plainMultiHead(
  core: Core,
  heads: number,
  x: Tensor<"B N C">,
  weights: Weights,
  sees?: (n: number, m: number) => boolean,
): Tensor<"B N C"> {
  const { B, N, C } = bind("plainMultiHead", { x });
  const D = C / heads;
  const linear = (of: (b: number, n: number, c: number) => number, name: string) => {
    const [W, bias] = [reader(weights(`${name}.weight`)), reader(weights(`${name}.bias`))];
    return reader(
      computed("B N C", [B, N, C], (b, n, o) => sum(C, (c) => W(o, c) * of(b, n, c)) + bias(o)),
    );
  };
  const split = <const L extends string>(name: string, layout: L) => {
    const y = linear(reader(x), name);
    return computed(layout, [B, heads, N, D], (b, h, n, d) => y(b, n, h * D + d));
  };
  const maskOf = (isSeen: NonNullable<typeof sees>) =>
    computed("B H N M", [1, 1, N, N], (_b, _h, n, m) => (isSeen(n, m) ? 1 : 0));
  const [q, k, v] = [split("q", "B H N D"), split("k", "B H M D"), split("v", "B H M E")];
  const out = reader(core.reference(q, k, v, sees && { mask: maskOf(sees) }, weights));
  const y = linear((b, n, c) => out(b, Math.floor(c / D), n, c % D), "proj");
  return computed("B N C", [B, N, C], (b, n, c) => y(b, n, c));
}

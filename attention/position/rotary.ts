/**
 * Rotary position: pairs of channels of queries and keys are turned by angles that grow with the place, so
 * that their product depends on the difference of places only.
 *
 *     [a b] → [a cos θ − b sin θ, b cos θ + a sin θ],   θᵢ = place · base^(−i / pairs)
 *
 * Su et al., "RoFormer", 2021, §3.4.2. arXiv:2104.09864. On a grid the first half of the pairs turns with the
 * column and the second with the row (Heo et al., "Rotary Position Embedding for Vision Transformer", 2024,
 * §3.1, axial. arXiv:2403.13298).
 */
import type { Graph, Value } from "../graph.ts";
import type { Rotate } from "../multi-head.ts";
import type { Grid } from "../operator.ts";
import { shareOf } from "../projection.ts";
import { computed, reader } from "../tensor.ts";
import type { Tensor } from "../tensor.ts";

export interface RotaryOptions {
  /** 1: along the order of tokens. 2: along columns and rows. @default 2 */
  readonly axes?: 1 | 2;
  /** Which channels are a pair: neighbours (0 1)(2 3)…, or halves (0 D/2)(1 D/2+1)… @default "neighbours" */
  readonly pairs?: "neighbours" | "halves";
  /** @default 10000 */
  readonly base?: number;
}

type Places = Pick<Grid, "rows" | "columns">;

export function rotary(options: RotaryOptions = {}): Rotate {
  return (g, heads, grid) => {
    const D = heads.shape[3] ?? 0;
    const angles = rotaryAngles(D, grid, options);
    const table = (of: (angle: number) => number) =>
      g.constant("N D", angles.shape, angles.data.map(of));
    return turned(g, heads, { cos: table(Math.cos), sin: table(Math.sin) }, options.pairs);
  };
}

/** The angle of every pair of channels at every token, `[N, D / 2]`. */
export function rotaryAngles(
  D: number,
  { rows, columns }: Places,
  { axes = 2, base = 10_000 }: RotaryOptions,
): Tensor<"N D"> {
  const pairs = shareOf("rotary", "D", D, 2);
  const each = shareOf("rotary", "D / 2", pairs, axes);
  return computed("N D", [rows * columns, pairs], (n, i) => {
    const place = axes === 1 ? n : i < each ? n % columns : Math.floor(n / columns);
    return place * base ** -((i % each) / each);
  });
}

/** Turns every pair of channels by its angle, given as cosines and sines `[N, D / 2]`. */
export function turned(
  g: Graph,
  heads: Value<"B H N D">,
  { cos, sin }: { readonly cos: Value; readonly sin: Value },
  pairs: NonNullable<RotaryOptions["pairs"]> = "neighbours",
): Value<"B H N D"> {
  const D = heads.shape[3] ?? 0;
  const halves =
    pairs === "halves" ? heads : g.rearrange(heads, "B H N (D I) -> B H N (I D)", { I: 2 });
  const x = g.rename(halves, "B H N D");
  const [a, b] = [g.slice(x, "D", 0, D / 2), g.slice(x, "D", D / 2, D)];
  const [real, imaginary] = [
    g.sub(g.mul(a, cos), g.mul(b, sin)),
    g.add(g.mul(b, cos), g.mul(a, sin)),
  ];
  const out = g.concat([real, imaginary], "D");
  if (pairs === "halves") return out;
  return g.rename(g.rearrange(out, "B H N (I D) -> B H N (D I)", { I: 2 }), "B H N D");
}

/** The reference of {@link rotary}. */
export function rotaryReference(
  heads: Tensor<"B H N D">,
  grid: Places,
  options: RotaryOptions = {},
): Tensor<"B H N D"> {
  const [x, D] = [reader(heads), heads.shape[3] ?? 0];
  const angle = reader(rotaryAngles(D, grid, options));
  const [step, other] = options.pairs === "halves" ? [1, D / 2] : [2, 1];
  const shape = heads.shape as readonly [number, number, number, number];
  return computed("B H N D", shape, (b, h, n, d) => {
    const isFirst = options.pairs === "halves" ? d < D / 2 : d % 2 === 0;
    const first = isFirst ? d : d - other;
    const theta = angle(n, first / step);
    const [p, q] = [x(b, h, n, first), x(b, h, n, first + other)];
    return isFirst
      ? p * Math.cos(theta) - q * Math.sin(theta)
      : q * Math.cos(theta) + p * Math.sin(theta);
  });
}

import type { Graph, Init, Value } from "./graph.ts";
import { ONE, ZERO } from "./projection.ts";
import { computed, reader, sum } from "./tensor.ts";
import type { Tensor } from "./tensor.ts";

export interface KernelOptions {
  readonly out: number;
  readonly in: number;
  /** Rows and columns of the kernel; one number serves both. @default 1 */
  readonly size?: number | readonly [y: number, x: number];
  /** @default 1 */
  readonly groups?: number;
  /** @default uniform in ±1/√(weights an output sums), PyTorch's start of a convolution */
  readonly init?: Init | undefined;
  /** `"none"` leaves the bias out. @default as `init` */
  readonly bias?: Init | "none" | undefined;
}

/** The weights of one convolution. */
export interface Kernel2d {
  readonly weight: Value<"O I P Q">;
  readonly bias: Value<"O"> | undefined;
}

/** Asks for `weight [out, in / groups, y, x]` and `bias [out]` under the graph's scope. */
export function kernel2d(g: Graph, options: KernelOptions): Kernel2d {
  const { out, size = 1, groups = 1 } = options;
  const [y, x] = typeof size === "number" ? [size, size] : size;
  const each = options.in / groups;
  const usual: Init = { kind: "uniform", bound: 1 / Math.sqrt(each * y * x) };
  const { init = usual, bias = usual } = options;
  return {
    weight: g.weight("weight", "O I P Q", [out, each, y, x], init),
    bias: bias === "none" ? undefined : g.weight("bias", "O", [out], bias),
  };
}

/** Batch normalisation with weights `weight`, `bias`, `running_mean`, `running_var` under the graph's scope. */
export function batchNorm(
  g: Graph,
  x: Value<"B C Y X">,
  {
    eps,
    momentum,
    scale = ONE,
    shift = ZERO,
  }: {
    readonly eps: number;
    readonly momentum: number;
    readonly scale?: Init;
    readonly shift?: Init;
  },
): Value<"B C Y X"> {
  const C = x.shape[1] ?? 0;
  const parameters = {
    scale: g.weight("weight", "C", [C], scale),
    bias: g.weight("bias", "C", [C], shift),
    mean: g.buffer("running_mean", "C", [C], ZERO),
    variance: g.buffer("running_var", "C", [C], ONE),
  };
  return g.batchNorm(x, parameters, { eps, momentum });
}

/** Tokens of a grid as a map, channels first. */
export const toMap = (g: Graph, tokens: Value<"B N C">, rows: number): Value<"B C Y X"> =>
  g.rearrange(tokens, "B (Y X) C -> B C Y X", { Y: rows });

/** A map as tokens, row by row. */
export const toTokens = (g: Graph, map: Value<"B C Y X">): Value<"B N C"> =>
  g.rename(g.rearrange(map, "B C Y X -> B (Y X) C"), "B N C");

/** Tokens of a grid as a map, the reference of {@link toMap}. */
export function mapOf(
  tokens: Tensor<"B N C">,
  { rows, columns }: { readonly rows: number; readonly columns: number },
): Tensor<"B C Y X"> {
  const [T, [B = 0, , C = 0]] = [reader(tokens), tokens.shape];
  return computed("B C Y X", [B, C, rows, columns], (b, c, y, x) => T(b, y * columns + x, c));
}

/** A map as tokens, the reference of {@link toTokens}. */
export function tokensOf(map: Tensor<"B C Y X">): Tensor<"B N C"> {
  const [M, [B = 0, C = 0, Y = 0, X = 0]] = [reader(map), map.shape];
  return computed("B N C", [B, Y * X, C], (b, n, c) => M(b, c, Math.floor(n / X), n % X));
}

/** The reference of a convolution of stride 1 that keeps the size: zeros around, odd kernels. */
export function convolved(x: Tensor<"B C Y X">, weight: Tensor, bias?: Tensor): Tensor<"B C Y X"> {
  const [B = 0, C = 0, Y = 0, X = 0] = x.shape;
  const [O = 0, I = 1, P = 1, Q = 1] = weight.shape;
  const [M, W, shift] = [reader(x), reader(weight), bias ? reader(bias) : () => 0];
  const at = (b: number, c: number, y: number, x: number) =>
    y < 0 || y >= Y || x < 0 || x >= X ? 0 : M(b, c, y, x);
  const first = (o: number) => Math.floor(o / ((O * I) / C)) * I;
  return computed(
    "B C Y X",
    [B, O, Y, X],
    (b, o, y, x) =>
      sum(I, (i) =>
        sum(P, (p) =>
          sum(
            Q,
            (q) => W(o, i, p, q) * at(b, first(o) + i, y + p - (P - 1) / 2, x + q - (Q - 1) / 2),
          ),
        ),
      ) + shift(o),
  );
}

/** A tensor times another, whose axes of length 1 broadcast. */
export function times<L extends string>(a: Tensor<L>, b: Tensor): Tensor<L> {
  const [A, B] = [reader(a), reader(b)];
  return computed(a.layout, a.shape, (...index) => A(...index) * B(...index));
}

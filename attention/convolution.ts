import type { Graph, Init, Value } from "./graph.ts";
import { ONE, ZERO } from "./projection.ts";

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

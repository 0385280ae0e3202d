/**
 * Context Anchor Attention: a gate in (0, 1) from long strips of context around every pixel.
 *
 *     gate(X) = σ(W₂ · DW_{k×1} · DW_{1×k} · W₁ · AvgPool₇(X)),   X ⊙ gate(X)
 *
 * PKINet calls it with plain 1×1 convolutions; the class it comes from has batch norm and SiLU after each by
 * default (`norm: "batch"`), which keeps the gate above 0.43. Strips grow with the depth: see {@link stripLength}.
 * Weights are named as PKINet's are.
 *
 * Cai et al., "Poly Kernel Inception Network for Remote Sensing Detection", 2024, §3.2. arXiv:2403.06258
 */
import {
  batchNorm,
  convolved,
  kernel2d,
  mapOf,
  times,
  tokensOf,
  toMap,
  toTokens,
} from "../convolution.ts";
import type { Kernel2d } from "../convolution.ts";
import type { Graph, Init, Value } from "../graph.ts";
import type { Mixer, MixerReference } from "../operator.ts";
import { ZERO } from "../projection.ts";
import { bind, ShapeError } from "../shape.ts";
import { checkGrid } from "../reach/check-grid.ts";
import { computed, reader, tensor } from "../tensor.ts";
import type { Tensor } from "../tensor.ts";

export interface ContextAnchorOptions {
  /** Pixels of a strip, odd. @default 11 */
  readonly length?: number;
  /** What follows the two 1×1 convolutions. @default "none", as PKINet uses it */
  readonly norm?: "none" | "batch";
  /**
   * `"open"`: the last convolution starts at weight 0 and bias 4, so that the gate is 0.98 everywhere and a
   * network that it is put into starts as it was. @default "random"
   */
  readonly start?: "random" | "open";
}

const name = "contextAnchor";
const POOL = 7;
const NORM = { eps: 1e-3, momentum: 0.03 } as const;
const OPEN = { kind: "constant", value: 4 } as const;

/** Strip length of a stage's block, counted from 0: 11, 13, 15, … */
export const stripLength = (block: number): number => 11 + 2 * block;

/** The mixer: tokens times their gate. */
export function contextAnchor(options: ContextAnchorOptions = {}): Mixer {
  return (g, tokens, grid) => {
    checkGrid(name, tokens, grid);
    const map = toMap(g, tokens, grid.rows);
    return toTokens(g, g.mul(map, contextAnchorGate(g, map, options, grid.valid)));
  };
}

/** The gate alone, for blocks that multiply it into another branch. Multiply it into something. */
export function contextAnchorGate(
  g: Graph,
  map: Value<"B C Y X">,
  { length = stripLength(0), norm = "none", start = "random" }: ContextAnchorOptions = {},
  valid?: Value<"B N">,
): Value<"B C Y X"> {
  const { B, C, Y, X } = bind(name, { map });
  if (length % 2 !== 1) throw new ShapeError(`${name}: length must be odd, received ${length}`);
  const bare = norm === "batch" ? ({ bias: "none" } as const) : {};
  const open = start === "open" ? { init: ZERO, ...(norm === "none" && { bias: OPEN }) } : {};
  const strip = (size: readonly [number, number]) => ({ in: C, out: C, groups: C, size });
  const kernels: Kernels = {
    first: kernel2d(g.at("conv1").at("conv"), { in: C, out: C, ...bare }),
    across: kernel2d(g.at("h_conv").at("conv"), strip([1, length])),
    down: kernel2d(g.at("v_conv").at("conv"), strip([length, 1])),
    last: kernel2d(g.at("conv2").at("conv"), { in: C, out: C, ...bare, ...open }),
  };
  const mask = valid && g.reshape(g.cast(valid, "float32"), "B C Y X", [B, 1, Y, X]);
  if (norm === "none") return asCall(g, map, kernels, length, mask);
  const normed = (scope: Graph, x: Value<"B C Y X">, shift: Init = ZERO) =>
    g.unary("silu", batchNorm(scope.at("bn"), x, { ...NORM, shift }));
  return gate(g, map, kernels, length, {
    clean: mask ? (x) => g.mul(x, mask) : same,
    afterFirst: (x) => normed(g.at("conv1"), x),
    afterLast: (x) => normed(g.at("conv2"), x, start === "open" ? OPEN : ZERO),
  });
}

interface Kernels {
  readonly first: Kernel2d;
  readonly across: Kernel2d;
  readonly down: Kernel2d;
  readonly last: Kernel2d;
}

type Step = (x: Value<"B C Y X">) => Value<"B C Y X">;

interface Steps {
  /** Sets padding to zero before anything reads across pixels. */
  readonly clean: Step;
  readonly afterFirst: Step;
  readonly afterLast: Step;
}

const same: Step = (x) => x;

function gate(
  g: Graph,
  map: Value<"B C Y X">,
  { first, across, down, last }: Kernels,
  length: number,
  { clean, afterFirst, afterLast }: Steps,
): Value<"B C Y X"> {
  const [groups, pad] = [map.shape[1] ?? 0, (length - 1) / 2];
  const pooled = g.averagePool(clean(map), POOL, { pad: (POOL - 1) / 2 });
  const one = clean(afterFirst(g.conv(pooled, first.weight, first.bias)));
  const two = clean(g.conv(one, across.weight, across.bias, { groups, pad: [0, pad] }));
  const three = g.conv(two, down.weight, down.bias, { groups, pad: [pad, 0] });
  return g.unary("sigmoid", afterLast(g.conv(three, last.weight, last.bias)));
}

/** The plain gate as a function that an engine may fuse: one linear filter and a sigmoid. */
function asCall(
  g: Graph,
  map: Value<"B C Y X">,
  kernels: Kernels,
  length: number,
  mask: Value<"B C Y X"> | undefined,
): Value<"B C Y X"> {
  const parts = [kernels.first, kernels.across, kernels.down, kernels.last];
  const weights = parts.flatMap(({ weight, bias }) => (bias ? [weight, bias] : [weight]));
  const attributes = { length, pool: POOL, takes: mask ? "valid" : "" };
  const all = [map, ...weights, ...(mask ? [mask] : [])] as const;
  return g.call("contextAnchorGate", attributes, all, (f, [x, ...w]) => {
    const at = (i: number) => ({
      weight: w[2 * i] as Value<"O I P Q">,
      bias: w[2 * i + 1] as Value<"O">,
    });
    const inside = { first: at(0), across: at(1), down: at(2), last: at(3) };
    const keep = w[8];
    const clean: Step = keep ? (z) => f.mul(z, keep) : same;
    return gate(f, x, inside, length, { clean, afterFirst: same, afterLast: same });
  });
}

/** The reference of {@link contextAnchor} with plain convolutions. */
export const contextAnchorReference: MixerReference = (tokens, grid, weights) => {
  const { rows, columns, valid } = grid;
  const [map, B] = [mapOf(tokens, grid), tokens.shape[0] ?? 0];
  const mask = valid && tensor("B C Y X", [B, 1, rows, columns], valid.data);
  const clean = (x: Tensor<"B C Y X">) => (mask ? times(x, mask) : x);
  const conv = (x: Tensor<"B C Y X">, at: string) =>
    convolved(x, weights(`${at}.conv.weight`), weights(`${at}.conv.bias`));
  const C = map.shape[1] ?? 0;
  const mean = computed("O I P Q", [C, 1, POOL, POOL], () => 1 / POOL ** 2);
  const one = clean(conv(convolved(clean(map), mean), "conv1"));
  const strips = conv(clean(conv(one, "h_conv")), "v_conv");
  const last = reader(conv(strips, "conv2"));
  const gate = computed("B C Y X", map.shape, (...i) => 1 / (1 + Math.exp(-last(...i))));
  return tokensOf(times(map, gate));
};

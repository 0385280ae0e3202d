/**
 * PKINet's blocks: texture at five scales at once (poly kernels), context along long strips (CAA).
 *
 *     U = CBS₁ₓ₁(X);  L = DW₃(U);  S = L + DW₅(L) + DW₇(L) + DW₉(L) + DW₁₁(L);  P = CBS₁ₓ₁(S)
 *     out = CBS₁ₓ₁(P + P ⊙ gate(U))
 *
 * Weight names are the published code's. CBS: convolution, batch norm, SiLU.
 *
 * Cai et al., "Poly Kernel Inception Network for Remote Sensing Detection", 2024, §3. arXiv:2403.06258
 */
import type { Graph } from "../../attention/index.ts";
import { batchNorm, bind, contextAnchorGate, stripLength } from "../../attention/index.ts";
import type { FeatureMap } from "../layers/conv.ts";
import { conv, convNormAct } from "../layers/conv.ts";
import { convFfn } from "./conv-ffn.ts";

const NORM = { eps: 1e-3, momentum: 0.03 } as const;

export interface PolyKernelOptions {
  readonly channels: number;
  /** Strip length of the gate; `undefined`: no gate, P is multiplied by U as the published code does. */
  readonly strip: number | undefined;
  /** @default 1 */
  readonly expansion?: number;
}

/** The nearest multiple of eight, not below nine tenths: the published code's widths. */
function inEights(width: number): number {
  const near = Math.max(8, Math.floor((width + 4) / 8) * 8);
  return near < 0.9 * width ? near + 8 : near;
}

/** One poly-kernel inception bottleneck. Without a change of channels P is also added as it is. */
export function polyKernel(g: Graph, x: FeatureMap, options: PolyKernelOptions): FeatureMap {
  const { C } = bind("polyKernel", { x });
  const { channels, strip, expansion = 1 } = options;
  const inside = inEights(C * expansion);
  const entered = convNormAct(g.at("pre_conv"), x, { channels: inside });
  const depthwise = (name: string, map: FeatureMap, kernel: number) =>
    conv(g.at(name).at("conv"), map, { channels: inside, kernel, groups: inside });
  const local = depthwise("dw_conv", entered, 3);
  const scales = [5, 7, 9, 11].map((kernel, i) => depthwise(`dw_conv${i + 1}`, local, kernel));
  const texture = scales.reduce((sum, map) => g.add(sum, map), local);
  const mixed = convNormAct(g.at("pw_conv"), texture, { channels: inside });
  const gate =
    strip === undefined
      ? entered
      : contextAnchorGate(g.at("caa_factor"), entered, { length: strip });
  const gated = g.mul(mixed, gate);
  const joined = C === channels ? g.add(mixed, gated) : gated;
  return convNormAct(g.at("post_conv"), joined, { channels });
}

/** The bottleneck and a feed-forward part, each a residual with batch norm before and LayerScale (1) after. */
export function pkiBlock(
  g: Graph,
  x: FeatureMap,
  { strip, ratio = 4 }: { readonly strip: number | undefined; readonly ratio?: number },
): FeatureMap {
  const { C } = bind("pkiBlock", { x });
  const scale = (name: string) => {
    const gamma = g.weight(name, "C", [C], { kind: "constant", value: 1 });
    return g.reshape(gamma, "B C Y X", [1, C, 1, 1]);
  };
  const block = polyKernel(g.at("block"), batchNorm(g.at("norm1"), x, NORM), {
    channels: C,
    strip,
  });
  const seen = g.add(x, g.mul(block, scale("gamma1")));
  const fed = convFfn(g.at("ffn"), batchNorm(g.at("norm2"), seen, NORM), { ratio, kernel: 3 });
  return g.add(seen, g.mul(fed, scale("gamma2")));
}

export interface PkiStageOptions {
  readonly channels: number;
  readonly blocks: number;
  /** Of the feed-forward part beside the blocks: PKINet has 8, 8, 4, 4 and kernels 5, 7, 9, 11 by stage. */
  readonly ratio: number;
  readonly kernel: number;
  /**
   * `"parallel"`: every block reads the same map and results are summed, as the published weights were made.
   * `"sequential"`: one after another, as the paper's figure has it. @default "parallel"
   */
  readonly mode?: "parallel" | "sequential";
}

/** A stage at half the resolution: half of the channels through PKI blocks, half through a convolutional FFN. */
export function pkiStage(g: Graph, x: FeatureMap, options: PkiStageOptions): FeatureMap {
  const { channels, blocks, ratio, kernel, mode = "parallel" } = options;
  const half = inEights(channels / 2);
  const small = convNormAct(g.at("downsample").at("down_conv"), x, {
    channels,
    kernel: 3,
    stride: 2,
  });
  const both = convNormAct(g.at("conv1"), small, { channels: 2 * half });
  const aside = g.slice(both, "C", 0, half);
  const start = g.slice(both, "C", half, 2 * half);
  const fed = g.add(aside, convFfn(g.at("ffn"), aside, { ratio, kernel }));
  const block = (i: number, map: FeatureMap) =>
    pkiBlock(g.at(`blocks.${i}`), map, { strip: stripLength(i) });
  const order = Array.from({ length: blocks }, (_, i) => i);
  const seen =
    mode === "parallel"
      ? order.map((i) => block(i, start)).reduce((sum, map) => g.add(sum, map))
      : order.reduce((map, i) => block(i, map), start);
  const joined = convNormAct(g.at("conv2"), g.concat([fed, seen], "C"), { channels });
  return convNormAct(g.at("conv3"), joined, { channels });
}

/**
 * PKINet-v2's kernel module: one gate from dense, dilated and long strip kernels. Every branch is linear, so
 * that a trained module folds into one 19×19 depthwise kernel.
 *
 *     out = x ⊙ W(Σ branches(DW₅(x)))
 *
 * "PKINet-v2", 2026. arXiv:2603.16341; names of weights as in its code.
 */
import type { Graph } from "../../attention/index.ts";
import { batchNorm, bind, kernel2d } from "../../attention/index.ts";
import type { FeatureMap } from "../layers/conv.ts";

/** Square kernels: side and dilation. */
const SQUARES = [
  { at: "branch2_sparse", side: 7, dilation: 3 },
  { at: "branch3_sparse", side: 5, dilation: 3 },
  { at: "branch4_sparse", side: 3, dilation: 3 },
  { at: "branch5_dense", side: 3, dilation: 1 },
] as const;
const STRIP = 19;
const NORM = { eps: 1e-5, momentum: 0.1 } as const;

export function pksModule(g: Graph, x: FeatureMap): FeatureMap {
  const { C } = bind("pksModule", { x });
  const depthwise = (
    at: string,
    map: FeatureMap,
    [y, x]: readonly [number, number],
    dilation = 1,
  ) => {
    const { weight } = kernel2d(g.at(at), { in: C, out: C, groups: C, size: [y, x], bias: "none" });
    const pad = [(dilation * (y - 1)) / 2, (dilation * (x - 1)) / 2] as const;
    return g.conv(map, weight, undefined, { groups: C, pad, dilation });
  };
  const norm = (at: string, map: FeatureMap) => batchNorm(g.at(at), map, NORM);
  const first = kernel2d(g.at("conv0"), { in: C, out: C, groups: C, size: 5 });
  const local = g.conv(x, first.weight, first.bias, { groups: C, pad: 2 });
  const across = depthwise("branch1_axial.0", local, [1, STRIP]);
  const strips = norm("branch1_axial.2", depthwise("branch1_axial.1", across, [STRIP, 1]));
  const squares = SQUARES.map(({ at, side, dilation }) =>
    norm(`${at}.1`, depthwise(`${at}.0`, local, [side, side], dilation)),
  );
  const last = kernel2d(g.at("conv1"), { in: C, out: C });
  const seen = squares.reduce((sum, map) => g.add(sum, map), strips);
  return g.mul(x, g.conv(seen, last.weight, last.bias));
}

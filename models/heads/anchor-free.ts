/**
 * The anchor-free detection head that every family shares.
 *
 * Per level two light branches of separable convolutions: class logits, and the distances from the anchor point (the
 * centre of a cell) to the four sides of the box, in strides. A side is either one number (softplus), or the mean of a
 * distribution over `bins` (Li et al., "Generalized Focal Loss", 2020, §3.2, arXiv:2006.04388).
 *
 * Oriented heads give the distances from the box's own centre to its ends and flanks, and a pose: where the centre lies
 * from the anchor point, and the angle as a point (cos 2θ, sin 2θ). Neither jumps as a box turns: turned by 180° it is
 * the same box. Distances from the anchor point along the box's axes, the usual form, change places there.
 * Decoupled branches: Ge et al., "YOLOX", 2021, §2.1, arXiv:2107.08430; point anchors: Tian et al., "FCOS", 2019,
 * arXiv:1904.01355.
 */
import type { Graph, Value } from "../../attention/index.ts";
import { bind } from "../../attention/index.ts";
import type { FeatureMap } from "../layers/conv.ts";
import { separable } from "../layers/conv.ts";

export interface HeadOptions {
  readonly classes: number;
  readonly oriented: boolean;
  /** Bins of the distribution of a side; 0 for one number a side. */
  readonly bins: number;
  /** Channels of both branches. */
  readonly channels: number;
}

/** What the head says of every anchor point, all levels one after another. */
export interface RawHeads {
  /** Class logits. */
  readonly logits: Value<"B N K">;
  /**
   * Distances in strides before decoding, a number or `bins` logits each: to left, top, right, bottom; of oriented heads
   * half the width, half the height.
   */
  readonly sides: Value<"B N S">;
  /** `x y` of the centre from the point, in strides, and (cos 2θ, sin 2θ), unnormalised; oriented heads only. */
  readonly pose: Value<"B N P"> | undefined;
  readonly points: AnchorPoints;
}

/** Centres of all cells, in input pixels, and the stride of each. */
export interface AnchorPoints {
  readonly count: number;
  /** `x y` each. */
  readonly xy: Float32Array;
  readonly stride: Float32Array;
}

/** Chance of an object that an untrained head claims, so that training starts calm (RetinaNet §3.3). */
const PRIOR = 0.01;

export function anchorFreeHead(
  g: Graph,
  maps: readonly FeatureMap[],
  strides: readonly number[],
  options: HeadOptions,
): RawHeads {
  const { classes, oriented, bins, channels } = options;
  const levels = maps.map((map, i) => {
    const at = g.at(`levels.${i}`);
    const classBranch = branch(at.at("class"), map, channels);
    const boxBranch = branch(at.at("box"), map, channels);
    return {
      logits: flat(
        at,
        predict(at.at("class"), classBranch, classes, Math.log(PRIOR / (1 - PRIOR))),
      ),
      sides: flat(at, predict(at.at("box"), boxBranch, (oriented ? 2 : 4) * Math.max(bins, 1), 1)),
      pose: oriented ? [flat(at, predict(at.at("pose"), boxBranch, 4, 0))] : [],
    };
  });
  const joined = (parts: readonly Value<"B N C">[]): Value<"B N C"> => g.concat(parts, "N");
  return {
    logits: g.rename(joined(levels.map(({ logits }) => logits)), "B N K"),
    sides: g.rename(joined(levels.map(({ sides }) => sides)), "B N S"),
    pose: oriented ? g.rename(joined(levels.flatMap(({ pose }) => pose)), "B N P") : undefined,
    points: anchorPoints(maps, strides),
  };
}

function branch(g: Graph, map: FeatureMap, channels: number): FeatureMap {
  return separable(g.at("1"), separable(g.at("0"), map, { channels }), { channels });
}

function predict(g: Graph, x: FeatureMap, channels: number, bias: number): FeatureMap {
  const { C } = bind("anchorFreeHead", { x });
  const at = g.at("predict");
  const weight = at.weight("weight", "O I P Q", [channels, C, 1, 1], { kind: "normal", std: 0.01 });
  return g.conv(x, weight, at.weight("bias", "O", [channels], { kind: "constant", value: bias }));
}

const flat = (g: Graph, map: FeatureMap): Value<"B N C"> =>
  g.rename(g.rearrange(map, "B C Y X -> B (Y X) C"), "B N C");

/** Row by row, level by level. */
export function anchorPoints(
  maps: readonly FeatureMap[],
  strides: readonly number[],
): AnchorPoints {
  const sizes = maps.map((map) => bind("anchorPoints", { map }));
  const count = sizes.reduce((total, { Y, X }) => total + Y * X, 0);
  const [xy, stride] = [new Float32Array(2 * count), new Float32Array(count)];
  let at = 0;
  for (const [level, { Y, X }] of sizes.entries()) {
    const step = strides[level] ?? 1;
    for (let row = 0; row < Y; row++) {
      for (let column = 0; column < X; column++) {
        xy.set([(column + 0.5) * step, (row + 0.5) * step], 2 * at);
        stride[at++] = step;
      }
    }
  }
  return { count, xy, stride };
}

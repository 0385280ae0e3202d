/** Layer and batch normalisation. */
import { ShapeError, volume } from "../../../attention/index.ts";
import type { NamedValue } from "../graph.ts";
import { cotangent, input, int, range } from "./operation.ts";
import type { BackwardSite, Operation, Site, Writer } from "./operation.ts";
import { add, div, mul, reshape, sub, sum, sumTo, swapLast, times } from "./write.ts";

const epsilonOf = (site: Site): number => Number(site.attributes["epsilon"] ?? 1e-5);

/** A list of one value per channel, to be multiplied with `[B C Y X]`. */
const perChannel = (w: Writer, x: NamedValue): NamedValue => reshape(w, x, [x.shape[0] ?? 0, 1, 1]);

/** Pixels from which a matrix product of one row and one column is faster than two maps. */
const MANY_PIXELS = 512;

/** Σ a·b of every channel. */
function dots(w: Writer, a: NamedValue, b: NamedValue): NamedValue {
  const [B = 0, C = 0, Y = 0, X = 0] = a.shape;
  if (Y * X < MANY_PIXELS) return sum(w, mul(w, a, b), [0, 2, 3], false);
  const [row, other] = [a, b].map((x) => reshape(w, x, [B, C, 1, Y * X])) as [
    NamedValue,
    NamedValue,
  ];
  return sum(w, w.node("MatMul", [row, swapLast(w, other)]), [0, 2, 3], false);
}

function layerNormGradient(w: Writer, site: BackwardSite) {
  const [x, scale, g] = [input(site, 0), input(site, 1), cotangent(site)];
  const last = x.shape.length - 1;
  const n = x.shape[last] ?? 1;
  const ones = w.constant([n], new Float32Array(n).fill(1));
  const [normal, , inverse] = w.nodes("LayerNormalization", [x, ones], site.attributes, 3);
  if (normal === undefined || inverse === undefined) return [];
  const toX = () => {
    const gs = mul(w, g, scale);
    const mean = times(w, sum(w, gs, [last]), 1 / n);
    const along = times(w, sum(w, mul(w, gs, normal), [last]), 1 / n);
    return mul(w, sub(w, sub(w, gs, mean), mul(w, normal, along)), inverse);
  };
  return [
    site.wants(0) ? toX() : undefined,
    site.wants(1) ? sumTo(w, mul(w, g, normal), scale.shape) : undefined,
    site.wants(2) ? sumTo(w, g, [n]) : undefined,
  ];
}

/**
 * With the batch's own statistics the mean and deviation depend on x too. Written as `g·a + x·b + c`, three numbers a
 * channel, so that only three maps are written.
 */
function batchNormTrainingGradient(w: Writer, site: BackwardSite) {
  const [x, scale, g] = [input(site, 0), input(site, 1), cotangent(site)];
  const [, mean, variance] = site.outputs;
  if (mean === undefined || variance === undefined) return [];
  const channels = scale.shape[0] ?? 1;
  const count = volume(x.shape) / channels;
  const one = w.number(1);
  const inverse = div(w, one, w.node("Sqrt", [add(w, variance, w.number(epsilonOf(site)))]));
  const toBias = sum(w, g, [0, 2, 3], false);
  const along = dots(w, g, x);
  const toScale = mul(w, inverse, sub(w, along, mul(w, mean, toBias)));
  const toX = () => {
    const a = mul(w, scale, inverse);
    const b = times(w, mul(w, mul(w, a, inverse), toScale), -1 / count);
    const c = sub(w, times(w, mul(w, a, toBias), -1 / count), mul(w, b, mean));
    const [zero, unit] = [0, 1].map((v) =>
      w.constant([channels], new Float32Array(channels).fill(v)),
    ) as [NamedValue, NamedValue];
    // Scale and shift in one pass: a batch norm whose statistics are those of a normal one.
    const shifted = w.node("BatchNormalization", [x, b, c, zero, unit], { epsilon: 0 });
    return add(w, mul(w, g, perChannel(w, a)), shifted);
  };
  return [
    site.wants(0) ? toX() : undefined,
    site.wants(1) ? toScale : undefined,
    site.wants(2) ? toBias : undefined,
  ];
}

/** Running statistics are no function of the loss: only x, scale and bias have gradients. */
function batchNormGradient(w: Writer, site: BackwardSite) {
  if (int(site, "training_mode", 0) === 1) return batchNormTrainingGradient(w, site);
  const [x, scale, g] = [input(site, 0), input(site, 1), cotangent(site)];
  const [mean, variance] = [input(site, 3), input(site, 4)];
  const deviation = w.node("Sqrt", [add(w, variance, w.number(epsilonOf(site)))]);
  const overAll = (v: NamedValue) => sum(w, v, [0, 2, 3], false);
  const toScale = () => {
    const centred = sub(w, x, perChannel(w, mean));
    return div(w, overAll(mul(w, g, centred)), deviation);
  };
  return [
    site.wants(0) ? mul(w, g, perChannel(w, div(w, scale, deviation))) : undefined,
    site.wants(1) ? toScale() : undefined,
    site.wants(2) ? overAll(g) : undefined,
  ];
}

export const NORMALISATION: Readonly<Record<string, Operation>> = {
  LayerNormalization: {
    attributes: { axis: "int", epsilon: "float" },
    outputs: (site) => {
      const [x, scale] = [input(site, 0), input(site, 1)];
      const n = x.shape.at(-1) ?? 0;
      if (volume(scale.shape) !== n) {
        throw new ShapeError(
          `LayerNormalization: scale must have the ${n} values of the last axis, received [${scale.shape.join(" ")}]`,
        );
      }
      const row = { type: "float32", shape: x.shape.with(-1, 1) } as const;
      return [{ type: "float32", shape: x.shape }, row, row];
    },
    gradient: layerNormGradient,
  },
  BatchNormalization: {
    attributes: { epsilon: "float", momentum: "float", training_mode: "int" },
    outputs: (site) => {
      const { shape } = input(site, 0);
      for (const i of range(4)) {
        const given = input(site, i + 1);
        if (given.shape.length !== 1 || given.shape[0] !== shape[1]) {
          throw new ShapeError(
            `BatchNormalization: C is ${shape[1]} in x, received [${given.shape.join(" ")}] for ${given.name}`,
          );
        }
      }
      const row = { type: "float32", shape: [shape[1] ?? 0] } as const;
      const batch = int(site, "training_mode", 0) === 1 ? [row, row] : [];
      return [{ type: "float32", shape }, ...batch];
    },
    gradient: batchNormGradient,
  },
};

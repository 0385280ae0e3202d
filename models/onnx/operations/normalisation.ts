/** Layer and batch normalisation. */
import { ShapeError, volume } from "../../../attention/index.ts";
import type { NamedValue } from "../graph.ts";
import { cotangent, input, range } from "./operation.ts";
import type { BackwardSite, Operation, Site, Writer } from "./operation.ts";
import { add, div, mul, reshape, sub, sum, sumTo, times } from "./write.ts";

const epsilonOf = (site: Site): number => Number(site.attributes["epsilon"] ?? 1e-5);

/** A list of one value per channel, to be multiplied with `[B C Y X]`. */
const perChannel = (w: Writer, x: NamedValue): NamedValue => reshape(w, x, [x.shape[0] ?? 0, 1, 1]);

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

/** Running statistics are no function of the loss: only x, scale and bias have gradients. */
function batchNormGradient(w: Writer, site: BackwardSite) {
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
    attributes: { epsilon: "float", momentum: "float" },
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
      return [{ type: "float32", shape }];
    },
    gradient: batchNormGradient,
  },
};

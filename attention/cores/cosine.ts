/**
 * Cosine attention: scores are cosines over a learned temperature of each head, so that they stay bounded
 * however large queries and keys grow.
 *
 *     out[n] = Σm softmax_m(cos(q[n], k[m]) · min(exp(s_h), 100) + bias[n m]) v[m]
 *
 * Weight `logit_scale [H 1 1]` = s, starting at ln 10.
 *
 * Liu et al., "Swin Transformer V2", 2022, §3.3. arXiv:2111.09883
 */
import { unitNorm } from "../norm.ts";
import type { Core } from "../operator.ts";
import { checkPairing, pairingInputs, pairingOf } from "../pairing.ts";
import { bind } from "../shape.ts";
import { maskedSoftmax, softmaxRows } from "../softmax.ts";
import { computed, reader, sum, tensor } from "../tensor.ts";

const name = "cosine";
const mostScale = 100;
const eps = 1e-12;

export const cosine: Core = {
  name,

  reference(q, k, v, pairing = {}, weights) {
    const { B, H, N, M, D, E } = bind(name, { q, k, v });
    checkPairing(name, [B, H, N, M], pairing);
    const [Q, K, V] = [reader(q), reader(k), reader(v)];
    const start = tensor("H I J", [1, 1, 1], Float32Array.of(Math.log(10)));
    const S = reader(weights?.("logit_scale") ?? start);
    const length = (x: (d: number) => number) => Math.max(Math.sqrt(sum(D, (d) => x(d) ** 2)), eps);
    const weight = softmaxRows([B, H, N, M], pairing, (b, h, n, m) => {
      const cos = sum(D, (d) => Q(b, h, n, d) * K(b, h, m, d));
      const lengths = length((d) => Q(b, h, n, d)) * length((d) => K(b, h, m, d));
      return (cos / lengths) * Math.min(Math.exp(S(h, 0, 0)), mostScale);
    });
    return computed("B H N E", [B, H, N, E], (b, h, n, e) =>
      sum(M, (m) => weight(b, h, n, m) * V(b, h, m, e)),
    );
  },

  lower(g, q, k, v, pairing = {}) {
    const { B, H, N, M } = bind(name, { q, k, v });
    checkPairing(name, [B, H, N, M], pairing);
    const { inputs, takes } = pairingInputs(pairing);
    const start = { kind: "constant", value: Math.log(10) } as const;
    const logScale = g.weight("logit_scale", "H I J", [H, 1, 1], start);
    const all = [q, k, v, logScale, ...inputs] as const;
    return g.call(name, { mostScale, eps, takes }, all, (f, [Q, K, V, S, ...rest]) => {
      const scale = f.binary("min", f.unary("exp", S), mostScale);
      const keys = f.rearrange(unitNorm(f, K, eps), "B H M D -> B H D M");
      const scores = f.matmul(f.mul(unitNorm(f, Q, eps), scale), keys, "B H N M");
      return f.matmul(maskedSoftmax(f, scores, pairingOf(takes, rest)), V, "B H N E");
    });
  },
};

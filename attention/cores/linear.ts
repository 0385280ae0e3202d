/**
 * Linear attention: the softmax kernel replaced by a dot product of positive features, so that keys and
 * values are summed once for all queries.
 *
 *     out[n] = φ(q[n]) Σm φ(k[m]) v[m]ᵀ / (φ(q[n])·Σm φ(k[m]) + ε),   φ(x) = elu(x) + 1,  ε = 10⁻⁶
 *
 * Keys that may not be seen have φ(k) = 0. There are no scores: a mask may tell keys apart, not queries,
 * and biases are refused.
 *
 * Katharopoulos et al., "Transformers are RNNs", 2020, §3.2. arXiv:2006.16236
 */
import type { Core } from "../operator.ts";
import { checkKeyMask, pairingInputs, pairingOf } from "../pairing.ts";
import { bind } from "../shape.ts";
import { computed, reader, sum } from "../tensor.ts";

const name = "linear";
const eps = 1e-6;

const phi = (x: number): number => (x > 0 ? x + 1 : Math.exp(x));

export const linear: Core = {
  name,

  reference(q, k, v, pairing = {}) {
    const { B, H, N, M, D, E } = bind(name, { q, k, v });
    checkKeyMask(name, [B, H, N, M], pairing);
    const [Q, K, V] = [reader(q), reader(k), reader(v)];
    const mask = pairing.mask ? reader(pairing.mask) : () => 1;
    const weight = (b: number, h: number, n: number, m: number) =>
      mask(b, h, 0, m) * sum(D, (d) => phi(Q(b, h, n, d)) * phi(K(b, h, m, d)));
    return computed("B H N E", [B, H, N, E], (b, h, n, e) => {
      const total = sum(M, (m) => weight(b, h, n, m));
      return sum(M, (m) => weight(b, h, n, m) * V(b, h, m, e)) / (total + eps);
    });
  },

  lower(g, q, k, v, pairing = {}) {
    const { B, H, N, M } = bind(name, { q, k, v });
    checkKeyMask(name, [B, H, N, M], pairing);
    const { inputs, takes } = pairingInputs(pairing);
    return g.call(name, { eps, takes }, [q, k, v, ...inputs], (f, [Q, K, V, ...rest]) => {
      const { mask } = pairingOf(takes, rest);
      const keep = mask && f.rearrange(mask, "B H N M -> B H M N");
      const queries = f.add(f.unary("elu", Q), 1);
      const features = f.add(f.unary("elu", K), 1);
      const keys = keep ? f.where(keep, features, 0) : features;
      const values = f.matmul(f.rearrange(keys, "B H M D -> B H D M"), V, "B H D E");
      const total = f.rearrange(f.reduce("sum", keys, ["M"]), "B H M D -> B H D M");
      const weight = f.add(f.matmul(queries, total, "B H N E"), eps);
      return f.div(f.matmul(queries, values, "B H N E"), weight);
    });
  },
};

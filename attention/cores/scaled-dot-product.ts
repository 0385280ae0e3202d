/**
 * Scaled dot-product attention.
 *
 *     out[n] = Σm softmax_m(q[n]·k[m] / √D + bias[n m]) v[m]
 *
 * Vaswani et al., "Attention Is All You Need", 2017, §3.2.1. arXiv:1706.03762
 */
import type { Core } from "../operator.ts";
import { checkPairing, pairingInputs, pairingOf } from "../pairing.ts";
import { bind } from "../shape.ts";
import { maskedSoftmax, softmaxRows } from "../softmax.ts";
import { computed, reader, sum } from "../tensor.ts";

const name = "scaledDotProduct";

/**
 * Softmax attention.
 *
 * @param options.scale  what the scores are multiplied by. @default 1 / √D
 */
export function dotProduct({ scale }: { readonly scale?: number } = {}): Core {
  return {
    name,

    reference(q, k, v, pairing = {}) {
      const { B, H, N, M, D, E } = bind(name, { q, k, v });
      checkPairing(name, [B, H, N, M], pairing);
      const [Q, K, V] = [reader(q), reader(k), reader(v)];
      const by = scale ?? 1 / Math.sqrt(D);
      const weight = softmaxRows(
        [B, H, N, M],
        pairing,
        (b, h, n, m) => by * sum(D, (d) => Q(b, h, n, d) * K(b, h, m, d)),
      );
      return computed("B H N E", [B, H, N, E], (b, h, n, e) =>
        sum(M, (m) => weight(b, h, n, m) * V(b, h, m, e)),
      );
    },

    lower(g, q, k, v, pairing = {}) {
      const { B, H, N, M, D } = bind(name, { q, k, v });
      checkPairing(name, [B, H, N, M], pairing);
      const by = scale ?? 1 / Math.sqrt(D);
      const { inputs, takes } = pairingInputs(pairing);
      return g.call(name, { scale: by, takes }, [q, k, v, ...inputs], (f, [Q, K, V, ...rest]) => {
        const keys = f.rearrange(K, "B H M D -> B H D M");
        const scores = f.matmul(f.scale(Q, by), keys, "B H N M");
        return f.matmul(maskedSoftmax(f, scores, pairingOf(takes, rest)), V, "B H N E");
      });
    },
  };
}

/** Softmax attention with scores over √D. */
export const scaledDotProduct: Core = dotProduct();

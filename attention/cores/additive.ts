/**
 * Additive attention: a small network scores every pair.
 *
 *     out[n] = Σm softmax_m(v_h·tanh(q[n] + k[m]) + bias[n m]) v[m]
 *
 * The projections of queries and keys (and their bias) are those of the heads around it. Weight `score [H D]`.
 * Memory grows with N·M·D.
 *
 * Bahdanau, Cho and Bengio, "Neural Machine Translation by Jointly Learning to Align and Translate", 2015,
 * appendix A.1.2. arXiv:1409.0473
 */
import type { Core } from "../operator.ts";
import { checkPairing, pairingInputs, pairingOf } from "../pairing.ts";
import { bind } from "../shape.ts";
import { maskedSoftmax, softmaxRows } from "../softmax.ts";
import { computed, reader, sum, tensor } from "../tensor.ts";

const name = "additive";

export const additive: Core = {
  name,

  reference(q, k, v, pairing = {}, weights) {
    const { B, H, N, M, D, E } = bind(name, { q, k, v });
    checkPairing(name, [B, H, N, M], pairing);
    const [Q, K, V] = [reader(q), reader(k), reader(v)];
    const W = reader(weights?.("score") ?? tensor("H D", [H, D]));
    const weight = softmaxRows([B, H, N, M], pairing, (b, h, n, m) =>
      sum(D, (d) => W(h, d) * Math.tanh(Q(b, h, n, d) + K(b, h, m, d))),
    );
    return computed("B H N E", [B, H, N, E], (b, h, n, e) =>
      sum(M, (m) => weight(b, h, n, m) * V(b, h, m, e)),
    );
  },

  lower(g, q, k, v, pairing = {}) {
    const { B, H, N, M, D } = bind(name, { q, k, v });
    checkPairing(name, [B, H, N, M], pairing);
    const { inputs, takes } = pairingInputs(pairing);
    const score = g.weight("score", "H D", [H, D], { kind: "normal", std: 1 / Math.sqrt(D) });
    return g.call(name, { takes }, [q, k, v, score, ...inputs], (f, [Q, K, V, W, ...rest]) => {
      const queries = f.reshape(Q, "B H N M D", [B, H, N, 1, D]);
      const keys = f.reshape(K, "B H N M D", [B, H, 1, M, D]);
      const column = f.reshape(W, "B H N D I", [1, H, 1, D, 1]);
      const pairs = f.unary("tanh", f.add(queries, keys));
      const scores = f.reshape(f.matmul(pairs, column, "B H N M I"), "B H N M", [B, H, N, M]);
      return f.matmul(maskedSoftmax(f, scores, pairingOf(takes, rest)), V, "B H N E");
    });
  },
};

/** The softmax that honours masks and biases: a query that sees no key gets a row of zeros, never NaN. */
import type { Graph, Value } from "./graph.ts";
import type { Pairing, Pairs } from "./operator.ts";
import { reader } from "./tensor.ts";
import type { Tensor } from "./tensor.ts";

/** Written over scores that may not be seen: finite, so that a row of them is no NaN. */
const HIDDEN = -1e30;

/** Weights of the keys from their scores, as graph nodes. */
export function maskedSoftmax(
  g: Graph,
  scores: Value<"B H N M">,
  { mask, bias }: Pairs,
): Value<"B H N M"> {
  const biased = bias ? g.add(scores, bias) : scores;
  if (mask === undefined) return g.softmax(biased);
  return g.where(mask, g.softmax(g.where(mask, biased, HIDDEN)), 0);
}

/** The same in plain loops: reads the weight of key `m` for query `n`, from the formula of the scores. */
export function softmaxRows(
  [B, H, N, M]: readonly [B: number, H: number, N: number, M: number],
  pairing: Pairing<Tensor, Tensor>,
  score: (b: number, h: number, n: number, m: number) => number,
): (b: number, h: number, n: number, m: number) => number {
  const mask = pairing.mask ? reader(pairing.mask) : () => 1;
  const bias = pairing.bias ? reader(pairing.bias) : () => 0;
  const weights = new Float64Array(B * H * N * M);
  for (let b = 0; b < B; b++) {
    for (let h = 0; h < H; h++) {
      for (let n = 0; n < N; n++) {
        const row = weights.subarray(((b * H + h) * N + n) * M).subarray(0, M);
        for (let m = 0; m < M; m++)
          row[m] = mask(b, h, n, m) ? score(b, h, n, m) + bias(b, h, n, m) : -Infinity;
        const top = row.reduce((a, s) => Math.max(a, s), -Infinity);
        if (top === -Infinity) row.fill(0);
        else normalise(row, top);
      }
    }
  }
  return (b, h, n, m) => weights[((b * H + h) * N + n) * M + m] ?? Number.NaN;
}

function normalise(row: Float64Array, top: number): void {
  for (const [m, s] of row.entries()) row[m] = Math.exp(s - top);
  const total = row.reduce((a, e) => a + e, 0);
  for (const [m, e] of row.entries()) row[m] = e / total;
}

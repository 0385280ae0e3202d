/**
 * A memory read in several hops: each answer becomes part of the next question.
 *
 *     p = softmax(m u),   o = pᵀ c,   u ← H u + o
 *
 * Sukhbaatar et al., "End-To-End Memory Networks", 2015, §2 (layer-wise weights). arXiv:1503.08895
 */
import type { Graph, Value } from "../graph.ts";
import { bind } from "../shape.ts";

export interface Read {
  /** The question after the last hop. */
  readonly state: Value<"B C">;
  /** What each hop looked at. */
  readonly weights: readonly Value<"B M">[];
}

/**
 * Reads a memory.
 *
 * @param question  u
 * @param keys  m, what is asked
 * @param values  c, what is answered
 * @param carry  H
 */
export function readMemory(
  g: Graph,
  question: Value<"B C">,
  keys: Value<"B M C">,
  values: Value<"B M C">,
  carry: Value<"I C">,
  { hops }: { readonly hops: number },
): Read {
  const { B, M, C } = bind("readMemory", { question, keys, values, carry });
  const weights: Value<"B M">[] = [];
  let state = question;
  for (let hop = 0; hop < hops; hop++) {
    const scores = g.matmul(keys, g.reshape(state, "B C I", [B, C, 1]), "B M I");
    const p = g.softmax(g.reshape(scores, "B I M", [B, 1, M]));
    const answer = g.reshape(g.matmul(p, values, "B I C"), "B C", [B, C]);
    state = g.add(g.matmul(state, g.rearrange(carry, "I C -> C I"), "B C"), answer);
    weights.push(g.reshape(p, "B M", [B, M]));
  }
  return { state, weights };
}

/**
 * Sums embedded words by their places, so that order counts: `l[j k] = (1 − j/J) − (k/C)(1 − 2j/J)`, from 1.
 *
 * @param ids  int64 rows of `table`; 0 is no word and counts as zero
 * @param places  the weights of places, see {@link sentencePlaces}
 */
export function encodeSentence(
  g: Graph,
  table: Value<"V C">,
  ids: Value<"B M J">,
  places: Value<"J C">,
): Value<"B M C"> {
  const { B, M, J } = bind("encodeSentence", { ids });
  const C = table.shape[1] ?? 0;
  const words = g.gather(table, "V", ids, "B M J C");
  const isNone = g.binary("equal", g.cast(ids, "float32"), 0);
  const seen = g.where(g.reshape(isNone, "B M J C", [B, M, J, 1]), 0, words);
  return g.reshape(g.reduce("sum", g.mul(seen, places), ["J"]), "B M C", [B, M, C]);
}

/** The weights of places in sentences of `J` words. */
export const sentencePlaces = (J: number, C: number): Float32Array<ArrayBuffer> =>
  Float32Array.from({ length: J * C }, (_, at) => {
    const [j, k] = [Math.floor(at / C) + 1, (at % C) + 1];
    return 1 - j / J - (k / C) * (1 - (2 * j) / J);
  });

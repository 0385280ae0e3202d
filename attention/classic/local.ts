/**
 * Local attention to a predicted place (Luong's "local-p"): a query says where it looks and sees a window there.
 *
 *     p = S σ(v·tanh(W_p q)),   α[s] = softmax over |s − round(p)| ≤ D of (W_a h[s])·q,  times exp(−(s − p)² / 2σ²)
 *
 * σ = D / 2; not normalised again. Rounding has no gradient; the bell around `p` has one. Weights `Wp`, `vp`, `Wa`.
 *
 * Luong, Pham and Manning, 2015, §3.2. arXiv:1508.04025
 */
import type { Graph, Init, Value } from "../graph.ts";
import { bind } from "../shape.ts";
import { maskedSoftmax } from "../softmax.ts";

const NARROW: Init = { kind: "normal", std: 0.1 };

export interface Local {
  readonly context: Value<"B C">;
  /** Where the query looks, in places from 0. */
  readonly place: Value<"B">;
  readonly weights: Value<"B M">;
}

/**
 * One query an image over a memory.
 *
 * @param length  places of the memory that there are, float32
 * @param options.half  D: places seen on each side
 */
export function localAttention(
  g: Graph,
  query: Value<"B C">,
  memory: Value<"B M C">,
  length: Value<"B">,
  { half }: { readonly half: number },
): Local {
  const { B, M, C } = bind("localAttention", { query, memory, length });
  const turned = (name: string) => g.rearrange(g.weight(name, "I C", [C, C], NARROW), "I C -> C I");
  const v = g.reshape(g.weight("vp", "C", [C], NARROW), "C I", [C, 1]);
  const hidden = g.unary("tanh", g.matmul(query, turned("Wp"), "B C"));
  const share = g.unary("sigmoid", g.matmul(hidden, v, "B I"));
  const column = g.reshape(length, "B I", [B, 1]);
  const place = g.mul(column, share);
  const one = g.constant(
    "B M",
    [1, M],
    Float32Array.from({ length: M }, (_, m) => m),
  );
  const at = g.expand(one, "B M", [B, M]);
  const isNear = g.binary("less", g.unary("abs", g.sub(at, g.unary("round", place))), half + 0.5);
  const mask = g.binary("and", isNear, g.binary("less", at, column));
  const keys = g.matmul(memory, turned("Wa"), "B M C");
  const scores = g.matmul(keys, g.reshape(query, "B C I", [B, C, 1]), "B M I");
  const soft = maskedSoftmax(g, g.reshape(scores, "B H N M", [B, 1, 1, M]), {
    mask: g.reshape(mask, "B H N M", [B, 1, 1, M]),
  });
  const away = g.sub(at, place);
  const bell = g.unary("exp", g.scale(g.mul(away, away), -1 / (2 * (half / 2) ** 2)));
  const weights = g.mul(g.reshape(soft, "B M", [B, M]), bell);
  const context = g.matmul(g.reshape(weights, "B N M", [B, 1, M]), memory, "B N C");
  return {
    context: g.reshape(context, "B C", [B, C]),
    place: g.reshape(place, "B", [B]),
    weights,
  };
}

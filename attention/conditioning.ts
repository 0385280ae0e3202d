/**
 * Cross-attention conditioning: feature tokens ask context tokens, and add what they hear.
 *
 *     out = tokens + W_o · attend(LN(tokens) W_q, [k₀, context W_k], [0, context W_v])
 *
 * Beside the context there is always one learned key `null_key` whose value is zero: a token may hear nothing,
 * and where no context token is known it hears exactly nothing. Starts as the identity.
 */
import type { Graph, Value } from "./graph.ts";
import type { Conditioner, Core } from "./operator.ts";
import { keyPadding } from "./pairing.ts";
import { ONE, project, shareOf, ZERO } from "./projection.ts";
import { bind } from "./shape.ts";
import { scaledDotProduct } from "./cores/scaled-dot-product.ts";

export interface ConditioningOptions {
  readonly heads: number;
  /** @default {@link scaledDotProduct} */
  readonly core?: Core;
  /**
   * How it starts as the identity. `"zero output"`: `W_o` is zero (ControlNet's way). `"gate"`: the output is
   * times `tanh(gate)`, a channel each, gate zero (Flamingo's way). @default "zero output"
   */
  readonly start?: "zero output" | "gate";
}

const name = "conditioned";

/** A conditioner by cross-attention; weights under the graph's scope. */
export function conditioned({
  heads,
  core = scaledDotProduct,
  start = "zero output",
}: ConditioningOptions): Conditioner {
  return (g, tokens, context, known) => {
    if (context === undefined) return tokens;
    const all = { layout: "B M", shape: context.shape.slice(0, 2) } as const;
    const { B, C } = bind(name, { tokens, context, known: known ?? all });
    const D = shareOf(name, "C", C, heads);
    const split = <L extends string>(x: Value, layout: L) =>
      g.rename(g.rearrange(g.rename(x, "B N C"), "B N (H D) -> B H N D", { D }), layout);
    const q = project(g, "q", normed(g, tokens), "B N C", C, { bias: false });
    const k = project(g, "k", context, "B M C", C, { bias: false });
    const v = project(g, "v", context, "B M C", C, { bias: false });
    const nullKey = g.weight("null_key", "B M C", [1, 1, C], { kind: "normal", std: 0.02 });
    const keys = g.concat([g.expand(nullKey, "B M C", [B, 1, C]), k], "M");
    const values = g.pad(v, "M", 1, 0);
    const pairing = { mask: known && keyPadding(g, withNull(g, known)) };
    const heard = core.lower(
      g,
      split(q, "B H N D"),
      split(keys, "B H M D"),
      split(values, "B H M E"),
      pairing,
    );
    const joined = g.rearrange(heard, "B H N E -> B N (H E)");
    const init = start === "zero output" ? ZERO : undefined;
    const said = project(g, "proj", joined, "B N C", C, { bias: false, init });
    const open = start === "gate" && g.unary("tanh", g.weight("gate", "C", [C], ZERO));
    return g.add(tokens, open ? g.mul(said, open) : said);
  };
}

function normed(g: Graph, tokens: Value<"B N C">): Value<"B N C"> {
  const { C } = bind(name, { tokens });
  const scope = g.at("norm");
  const scale = scope.weight("weight", "C", [C], ONE);
  return scope.layerNorm(tokens, scale, scope.weight("bias", "C", [C], ZERO), 1e-6);
}

/** The null key may always be seen. */
const withNull = (g: Graph, known: Value<"B M">): Value<"B M"> =>
  g.cast(g.pad(g.cast(known, "float32"), "M", 1, 0, 1), "bool");

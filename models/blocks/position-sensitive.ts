/**
 * A cross-stage partial block whose second half mixes tokens over the whole map: the attention stage at the end
 * of a YOLO-style backbone, with an open mixer slot.
 *
 *     (a, b) = split(conv₁ₓ₁(x));  b ← b + mixer(b);  b ← b + ffn(b);  y = conv₁ₓ₁([a, b])
 */
import type { Graph, Mixer } from "../../attention/index.ts";
import { bind } from "../../attention/index.ts";
import type { FeatureMap } from "../layers/conv.ts";
import { convNormAct } from "../layers/conv.ts";
import { mixMap } from "../layers/tokens.ts";

export function positionSensitiveBlock(
  g: Graph,
  x: FeatureMap,
  { depth, mixer }: { readonly depth: number; readonly mixer: Mixer },
): FeatureMap {
  const { C } = bind("positionSensitiveBlock", { x });
  const both = convNormAct(g.at("enter"), x, { channels: C });
  const aside = g.slice(both, "C", 0, C / 2);
  let path = g.slice(both, "C", C / 2, C);
  for (let i = 0; i < depth; i++) {
    const at = g.at(`blocks.${i}`);
    path = g.add(path, mixMap(at.at("mixer"), path, mixer));
    const wide = convNormAct(at.at("ffn.expand"), path, { channels: C });
    path = g.add(
      path,
      convNormAct(at.at("ffn.reduce"), wide, { channels: C / 2, activation: "none" }),
    );
  }
  return convNormAct(g.at("leave"), g.concat([aside, path], "C"), { channels: C });
}

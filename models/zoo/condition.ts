/** Tells feature maps how much ground a pixel covers, by cross-attention; the same for every family. */
import type { Graph, Value } from "../../attention/index.ts";
import { bind, conditioned, groundResolution, toMap, toTokens } from "../../attention/index.ts";
import type { FeatureMap } from "../layers/conv.ts";

/** Channels of a context token. */
const CONTEXT_CHANNELS = 32;

/** Stands in for an unknown resolution, so that its logarithm is finite; the token is hidden then. */
const ANY_M = 1;

/** @param gsdM  metres per pixel `[B 1]`, 0 where unknown: such an image is left as it is */
export function conditionOnResolution(g: Graph, map: FeatureMap, gsdM: Value<"B I">): FeatureMap {
  const { C, Y } = bind("conditionOnResolution", { map });
  const known = g.binary("greater", gsdM, 0);
  const context = groundResolution(g, g.where(known, gsdM, ANY_M), { channels: CONTEXT_CHANNELS });
  const heads = C % 32 === 0 ? C / 32 : 1;
  const tokens = conditioned({ heads })(g, toTokens(g, map), context, g.rename(known, "B M"));
  return toMap(g, tokens, Y);
}

/** Which row answers for which case: one row for every beginning of a case's name. */
import type { Row } from "./row.ts";
import { BOXES } from "./rows/boxes.ts";
import { CLASSIC } from "./rows/classic.ts";
import { CORES } from "./rows/cores.ts";
import { MIXERS } from "./rows/mixers.ts";
import { OPTIMIZERS } from "./rows/optimizers.ts";
import { PKI } from "./rows/pki.ts";
import { PRIMITIVES } from "./rows/primitives.ts";
import { SWIN } from "./rows/swin.ts";
import { DOT_PRODUCT } from "./rows/dot-product.ts";
import { VISION } from "./rows/vision.ts";

export const TABLE: readonly Row[] = [
  ...DOT_PRODUCT,
  ...CORES,
  ...MIXERS,
  ...CLASSIC,
  ...PKI,
  ...SWIN,
  ...VISION,
  ...PRIMITIVES,
  ...OPTIMIZERS,
  ...BOXES,
];

/** The row of a case: the one with the longest prefix that fits. */
export function rowOf(name: string): Row | undefined {
  return TABLE.filter(({ prefix }) => name.startsWith(prefix)).toSorted(
    (a, b) => b.prefix.length - a.prefix.length,
  )[0];
}

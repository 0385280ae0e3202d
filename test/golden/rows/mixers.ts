/** Mixers without queries: Context Anchor Attention, PADRe. */
import { contextAnchorGate, denseTerms, polynomialMap } from "../../../attention/index.ts";
import type { Value } from "../../../attention/index.ts";
import { shapeOf } from "../case.ts";
import type { Case } from "../case.ts";
import type { Desk, Row } from "../row.ts";

const map = ({ input }: Desk): Value<"B C Y X"> => input("x", "B C Y X");

/** A side of a kernel of the case. */
const side = (c: Case, weight: string): number => shapeOf(c, `w.${weight}`).at(-1) ?? 0;

const has = (c: Case, weight: string): boolean => c.tensors.has(`w.${weight}`);

function caa(desk: Desk): Record<string, Value> {
  const { c, g } = desk;
  const x = map(desk);
  const norm = has(c, "conv1.bn.weight") ? "batch" : "none";
  const gate = contextAnchorGate(g, x, { length: side(c, "h_conv.conv.weight"), norm });
  const gated = g.mul(x, gate);
  return { y: gate, gate, gated, gated_plus: g.add(x, gated) };
}

function dense(desk: Desk): Record<string, Value> {
  const { c, g, input } = desk;
  const degree = shapeOf(c, "w.W")[2] ?? 1;
  const { total, parts } = denseTerms(g, input("x", "B N C"), degree);
  return { P: total, ...Object.fromEntries(parts.map((z, i) => [`Z${i + 1}`, z])) };
}

function convolutional(desk: Desk): Record<string, Value> {
  const { c, named } = desk;
  const g = named((name) => name.replace(".weight", "_w").replace(".bias", "_b"));
  const x = map(desk);
  const degree = [...c.tensors.keys()].filter((n) => /^w\.A\d+_w$/.test(n)).length;
  const size = side(c, "A1_w");
  const at = (terms: "last" | "sum") => polynomialMap(g, x, { degree, size, terms });
  return { y: at("last"), y_sum: at("sum") };
}

export const MIXERS: readonly Row[] = [
  { prefix: "caa_", build: caa },
  { prefix: "padre_dense", build: dense },
  { prefix: "padre_conv2d", build: convolutional },
];

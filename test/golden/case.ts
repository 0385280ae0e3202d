/** One golden case: a `.safetensors` file with inputs, weights, outputs, cotangents and gradients. */
import { readFileSync } from "node:fs";
import { basename } from "node:path";
import { readSafetensors, toFloat32 } from "../../models/index.ts";
import type { StoredType } from "../../models/index.ts";

/** A tensor of a case. Whole numbers are small enough for float32. */
export interface Held {
  readonly shape: readonly number[];
  readonly type: StoredType;
  readonly data: Float32Array;
}

export interface Case {
  readonly name: string;
  readonly meta: Readonly<Record<string, string>>;
  readonly tensors: ReadonlyMap<string, Held>;
}

/** Reads a case from its file. */
export function readCase(path: string): Case {
  const { metadata, tensors } = readSafetensors(new Uint8Array(readFileSync(path)));
  const held = [...tensors].map(
    ([name, t]) => [name, { shape: t.shape, type: t.type, data: toFloat32(t) }] as const,
  );
  return { name: basename(path, ".safetensors"), meta: metadata, tensors: new Map(held) };
}

/** A tensor that the case must have. */
export function tensorOf(c: Case, name: string): Held {
  const found = c.tensors.get(name);
  if (found !== undefined) return found;
  throw new RangeError(
    `${c.name}: must hold ${name}, received ${[...c.tensors.keys()].join(", ")}`,
  );
}

/** The shape of a tensor that the case must have. */
export const shapeOf = (c: Case, name: string): readonly number[] => tensorOf(c, name).shape;

/** Other names under which descriptions say a number. */
const ALSO: Readonly<Record<string, readonly string[]>> = { heads: ["num_heads", "nhead"] };

/** A number out of the metadata: of its own entry, or in the description as `name=3`, `name 3` or `3 name`. */
export function numberOf(c: Case, name: string, otherwise?: number): number {
  const op = c.meta["op"] ?? "";
  for (const known of [name, ...(ALSO[name] ?? [])]) {
    const told =
      c.meta[known] ??
      new RegExp(`\\b${known}[ =:]+(-?[0-9.]+)`).exec(op)?.[1] ??
      new RegExp(`(?<![0-9.])([0-9]+) ${known}\\b`).exec(op)?.[1];
    const value = Number.parseFloat(told ?? "");
    if (Number.isFinite(value)) return value;
  }
  if (otherwise !== undefined) return otherwise;
  throw new RangeError(
    `${c.name}: its metadata must say ${name}, received ${JSON.stringify(c.meta)}`,
  );
}

/** How far results may be off: `"1e-5 rel"` (of the largest value) unless the case says otherwise. */
export function toleranceOf(c: Case): { readonly most: number; readonly kind: "rel" | "abs" } {
  const told = /([0-9.]+e-?[0-9]+)\s*(abs)?/.exec(c.meta["tol"] ?? "");
  return { most: Number(told?.[1] ?? 1e-5), kind: told?.[2] === "abs" ? "abs" : "rel" };
}

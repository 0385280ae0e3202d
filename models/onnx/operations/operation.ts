/**
 * What must be known of an ONNX operation to write it into a graph: the shapes it gives, and its gradient.
 *
 * One file a family: a rule for shapes stands beside the rule for gradients. `table.ts` lists them all.
 */
import { ShapeError } from "../../../attention/index.ts";
import type { AttributeValue, Data, NamedValue, OnnxNode, ValueType } from "../graph.ts";

export type AttributeKind = "int" | "float" | "string" | "ints" | "floats";

/** A node as its rules see it. */
export interface Site {
  readonly op: string;
  /** An input that is left out is undefined. */
  readonly inputs: readonly (NamedValue | undefined)[];
  readonly attributes: Readonly<Record<string, AttributeValue>>;
  /** The numbers of an input that is a constant. */
  readonly constant: (input: number) => Data | undefined;
}

/** A node as its gradient rule sees it. */
export interface BackwardSite extends Site {
  readonly outputs: readonly NamedValue[];
  /** What the loss gains per unit of each output; undefined where it does not depend on it. */
  readonly cotangents: readonly (NamedValue | undefined)[];
  /** Whether anybody asks for the gradient of an input. */
  readonly wants: (input: number) => boolean;
  /** The node that writes an input; none where the graph is given it. */
  readonly producer: (input: number) => OnnxNode | undefined;
}

/** Writes nodes, each with the shape its operation gives. */
export interface Writer {
  readonly node: (
    op: string,
    inputs: readonly (NamedValue | undefined)[],
    attributes?: Readonly<Record<string, AttributeValue>>,
  ) => NamedValue;
  /** A node of several outputs. */
  readonly nodes: (
    op: string,
    inputs: readonly (NamedValue | undefined)[],
    attributes: Readonly<Record<string, AttributeValue>>,
    count: number,
  ) => readonly NamedValue[];
  readonly constant: (shape: readonly number[], data: Data) => NamedValue;
  /** A float32 of no axes. */
  readonly number: (value: number) => NamedValue;
  /** A list of int64, as shapes and axes are given to ONNX. */
  readonly ints: (values: readonly number[]) => NamedValue;
}

/** Gradients of the inputs, in order; undefined where there is none. */
export type GradientRule = (w: Writer, site: BackwardSite) => readonly (NamedValue | undefined)[];

export interface Operation {
  readonly attributes?: Readonly<Record<string, AttributeKind>>;
  readonly outputs: (site: Site) => readonly ValueType[];
  /** `"none"` where the outputs move in steps or not at all; absent where no rule has been written. */
  readonly gradient?: GradientRule | "none";
}

/** Input `i`, which must be there. */
export function input(site: Site, i: number): NamedValue {
  const value = site.inputs[i];
  if (value === undefined) throw new ShapeError(`${site.op}: input ${i} must be given`);
  return value;
}

/** The cotangent of the first output, which must be there. */
export function cotangent(site: BackwardSite): NamedValue {
  const value = site.cotangents[0];
  if (value === undefined) throw new ShapeError(`${site.op}: its first output has no gradient`);
  return value;
}

/** The first output. */
export function output(site: BackwardSite): NamedValue {
  const value = site.outputs[0];
  if (value === undefined) throw new ShapeError(`${site.op}: it has no output`);
  return value;
}

/** An attribute that is a whole number. */
export const int = (site: Site, name: string, otherwise: number): number => {
  const value = site.attributes[name];
  return typeof value === "number" ? value : otherwise;
};

/** An attribute that is a list of numbers. */
export const list = (site: Site, name: string, otherwise: readonly number[]): readonly number[] => {
  const value = site.attributes[name];
  return typeof value === "object" ? value : otherwise;
};

/** A constant input as a list of numbers: shapes, axes, starts and ends. */
export function constantInts(site: Site, i: number): readonly number[] {
  const data = site.constant(i);
  if (data === undefined) {
    throw new ShapeError(
      `${site.op}: input ${i} must be a constant, received the computed value ${input(site, i).name}`,
    );
  }
  return Array.from(data, Number);
}

/** An axis counted from the front. */
export function axisOf(op: string, axis: number, rank: number): number {
  const at = axis < 0 ? axis + rank : axis;
  if (at < 0 || at >= rank) {
    throw new ShapeError(`${op}: axis must be one of ${rank} axes, received ${axis}`);
  }
  return at;
}

/** Broadcasts shapes as NumPy does. */
export function broadcast(op: string, ...shapes: readonly (readonly number[])[]): number[] {
  const rank = Math.max(...shapes.map((s) => s.length));
  return Array.from({ length: rank }, (_, axis) => {
    let size = 1;
    for (const shape of shapes) {
      const here = shape[axis - rank + shape.length] ?? 1;
      if (here !== 1 && size !== 1 && here !== size) {
        const all = shapes.map((s) => `[${s.join(" ")}]`).join(" and ");
        throw new ShapeError(
          `${op}: axis ${axis - rank} must be equal or 1, received ${size} and ${here} of ${all}`,
        );
      }
      if (here !== 1) size = here;
    }
    return size;
  });
}

/** Equal lists. */
export const same = (a: readonly number[], b: readonly number[]): boolean =>
  a.length === b.length && a.every((v, i) => v === b[i]);

/** `[0, 1, … n − 1]`. */
export const range = (n: number): number[] => Array.from({ length: n }, (_, i) => i);

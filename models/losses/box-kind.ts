/** What assigner and loss must know of a kind of boxes; `upright.ts` and `oriented.ts` are the two there are. */
import type { Graph, Value } from "../../attention/index.ts";
import type { HeadOptions, RawHeads } from "../heads/anchor-free.ts";
import type { Column, PointColumns } from "../heads/box-decoding.ts";

/** A number for every labelled object with every anchor point. */
export type Pairs = Value<"B G N">;

/** Boxes as rows: those of the labels `[B G F]`, and what each point predicts `[B N F]`, in the same numbers. */
export interface BoxKind {
  /** Numbers of a box in the training graph's input; {@link rows} makes what the head decodes to of them. */
  readonly columns: number;
  readonly rows: (g: Graph, labelled: Value<"B G F">) => Value<"B G F">;
  readonly decode: (g: Graph, heads: RawHeads, head: HeadOptions) => Value<"B N F">;
  /** Of every object with every predicted box, 0…1. */
  readonly overlap: (g: Graph, objects: Value<"B G F">, predicted: Value<"B N F">) => Pairs;
  /**
   * 1 where a point may serve an object: inside its box, or within one stride of its centre, so that objects smaller
   * than a cell find points too.
   */
  readonly near: (g: Graph, objects: Value<"B G F">, points: PointColumns) => Pairs;
  /** How wrong a predicted box is; finite for any two. */
  readonly error: (g: Graph, predicted: Value<"B N F">, target: Value<"B N F">) => Column;
  /** The numbers that a head with bins gives as distributions, in strides. */
  readonly sides: (g: Graph, target: Value<"B N F">, points: PointColumns) => Value<"B N F">;
}

/** Number `at` of each object, to be held against all points. */
export const ofObjects = (g: Graph, objects: Value<"B G F">, at: number): Pairs =>
  g.rename(g.slice(objects, "F", at, at + 1), "B G N");

/** Numbers of each predicted box, to be held against all objects. */
export function ofPredicted(g: Graph, predicted: Value<"B N F">): (at: number) => Pairs {
  const across = g.rearrange(predicted, "B N F -> B F N");
  return (at) => g.rename(g.slice(across, "F", at, at + 1), "B G N");
}

/** 1 where a point lies nearer to the centre, along one axis of the box, than half the box or one stride. */
export function within(
  g: Graph,
  { from, half }: { readonly from: Pairs; readonly half: Pairs },
  points: PointColumns,
): Pairs {
  const radius = g.binary("max", half, g.rearrange(points.stride, "N A -> A N"));
  return g.cast(g.binary("less", g.unary("abs", from), radius), "float32");
}

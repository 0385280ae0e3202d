/** From raw heads to boxes in input pixels, as graph nodes: the network that ships emits boxes and scores. */
import type { Graph, Value } from "../../attention/index.ts";
import { bind } from "../../attention/index.ts";
import type { AnchorPoints, HeadOptions, RawHeads } from "./anchor-free.ts";

/** A column of numbers, one per anchor point. */
export type Column = Value<"B N A">;

/** `sides [B N S·bins]` to S columns: the mean of each distribution, or softplus of a plain number. */
export function sidesOf(g: Graph, sides: Value<"B N S">, bins: number): Value<"B N F"> {
  if (bins === 0) return g.rename(g.unary("softplus", sides), "B N F");
  const { B, N, S } = bind("sidesOf", { sides });
  const split = g.reshape(sides, "B N F J", [B, N, S / bins, bins]);
  const centres = g.constant(
    "J",
    [bins],
    Float32Array.from({ length: bins }, (_, j) => j),
  );
  const mean = g.reduce("sum", g.mul(g.softmax(split), centres), ["J"]);
  return g.reshape(mean, "B N F", [B, N, S / bins]);
}

export function column(g: Graph, x: Value<"B N F">, at: number): Column {
  return g.rename(g.slice(x, "F", at, at + 1), "B N A");
}

export interface PointColumns {
  readonly x: Value<"N A">;
  readonly y: Value<"N A">;
  readonly stride: Value<"N A">;
}

export function pointColumns(g: Graph, { count, xy, stride }: AnchorPoints): PointColumns {
  const of = (f: (i: number) => number): Value<"N A"> =>
    g.constant(
      "N A",
      [count, 1],
      Float32Array.from({ length: count }, (_, i) => f(i)),
    );
  return {
    x: of((i) => xy[2 * i] ?? 0),
    y: of((i) => xy[2 * i + 1] ?? 0),
    stride: of((i) => stride[i] ?? 1),
  };
}

/** Upright boxes `x1 y1 x2 y2` in input pixels. */
export function decodeUpright(g: Graph, heads: RawHeads, { bins }: HeadOptions): Value<"B N F"> {
  const { x, y, stride } = pointColumns(g, heads.points);
  const sides = g.mul(sidesOf(g, heads.sides, bins), stride);
  const side = (at: number): Column => column(g, sides, at);
  const corners = [
    g.sub(g.unary("neg", side(0)), g.unary("neg", x)),
    g.sub(g.unary("neg", side(1)), g.unary("neg", y)),
    g.add(side(2), x),
    g.add(side(3), y),
  ];
  return g.rename(g.concat(corners, "A"), "B N F");
}

/**
 * Oriented boxes `x y w h cos2θ sin2θ` in input pixels: the side called `w` points along θ, which turns +x towards +y.
 * Losses and assigner work on these rows, in which nothing jumps as a box turns.
 */
export function decodeOriented(g: Graph, heads: RawHeads, { bins }: HeadOptions): Value<"B N F"> {
  const { pose, sides, points } = heads;
  if (pose === undefined)
    throw new TypeError("decodeOriented: an oriented head must be given, received an upright one");
  const { x, y, stride } = pointColumns(g, points);
  const part = (from: number, to: number): Value<"B N F"> =>
    g.rename(g.slice(pose, "P", from, to), "B N F");
  const size = g.scale(g.mul(sidesOf(g, sides, bins), stride), 2);
  const centre = g.add(g.mul(part(0, 2), stride), g.concat([x, y], "A"));
  const direction = part(2, 4);
  const square = g.reduce("sum", g.mul(direction, direction), ["F"]);
  const unit = g.div(direction, g.unary("sqrt", g.add(square, 1e-8)));
  return g.concat([centre, size, unit], "F");
}

/** Corners `x1 y1 … x4 y4` of {@link decodeOriented}'s rows, clockwise on the screen. */
export function cornersOf(g: Graph, rows: Value<"B N F">): Value<"B N F"> {
  const [x, y, w, h] = [0, 1, 2, 3].map((at) => column(g, rows, at)) as [
    Column,
    Column,
    Column,
    Column,
  ];
  const { cos, sin } = halfAngle(g, column(g, rows, 4), column(g, rows, 5));
  const [hw, hh] = [g.scale(w, 0.5), g.scale(h, 0.5)];
  const [ux, uy] = [g.mul(hw, cos), g.mul(hw, sin)];
  const [vx, vy] = [g.unary("neg", g.mul(hh, sin)), g.mul(hh, cos)];
  const corner = (u: "add" | "sub", v: "add" | "sub"): Column[] => [
    g.binary(v, g.binary(u, x, ux), vx),
    g.binary(v, g.binary(u, y, uy), vy),
  ];
  const all = [
    ...corner("sub", "sub"),
    ...corner("add", "sub"),
    ...corner("add", "add"),
    ...corner("sub", "add"),
  ];
  return g.rename(g.concat(all, "A"), "B N F");
}

/**
 * (cos θ, sin θ) of a direction (cos 2θ, sin 2θ), −90° < θ ≤ 90°. The larger of the two comes by the half-angle formula,
 * the smaller from sin 2θ = 2 sin θ cos θ: each formula where it loses no digits.
 */
export function halfAngle<L extends string>(
  g: Graph,
  cos2: Value<L>,
  sin2: Value<L>,
): { readonly cos: Value<L>; readonly sin: Value<L> } {
  const large = g.unary("sqrt", g.scale(g.add(g.unary("abs", cos2), 1), 0.5));
  const small = g.div(g.scale(sin2, 0.5), large);
  const [steep, below] = [g.binary("less", cos2, 0), g.binary("less", sin2, 0)];
  return {
    cos: g.where(steep, g.unary("abs", small), large),
    sin: g.where(steep, g.where(below, g.unary("neg", large), large), small),
  };
}

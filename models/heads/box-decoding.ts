/** From raw heads to boxes in input pixels, as graph nodes: the network that ships emits boxes and scores. */
import type { Graph, Value } from "../../attention/index.ts";
import { bind } from "../../attention/index.ts";
import type { AnchorPoints, HeadOptions, RawHeads } from "./anchor-free.ts";

/** A column of numbers, one per anchor point. */
export type Column = Value<"B N A">;

/** `sides [B N 4·bins]` to four columns: the mean of each distribution, or softplus of a plain number. */
export function sidesOf(g: Graph, sides: Value<"B N S">, bins: number): Value<"B N F"> {
  if (bins === 0) return g.rename(g.unary("softplus", sides), "B N F");
  const { B, N } = bind("sidesOf", { sides });
  const split = g.reshape(sides, "B N F J", [B, N, 4, bins]);
  const centres = g.constant(
    "J",
    [bins],
    Float32Array.from({ length: bins }, (_, j) => j),
  );
  const mean = g.reduce("sum", g.mul(g.softmax(split), centres), ["J"]);
  return g.reshape(mean, "B N F", [B, N, 4]);
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

/** Centre, size and direction of oriented boxes: what both the decoder and the loss work on. */
export interface OrientedColumns {
  readonly x: Column;
  readonly y: Column;
  readonly width: Column;
  readonly height: Column;
  /** Unit vector along the width. */
  readonly cos: Column;
  readonly sin: Column;
}

export function decodeOriented(g: Graph, heads: RawHeads, { bins }: HeadOptions): OrientedColumns {
  const { x, y, stride } = pointColumns(g, heads.points);
  const sides = g.mul(sidesOf(g, heads.sides, bins), stride);
  const [left, top, right, bottom] = [0, 1, 2, 3].map((at) => column(g, sides, at)) as [
    Column,
    Column,
    Column,
    Column,
  ];
  const { cos, sin } = direction(g, heads.direction);
  const across = g.scale(g.sub(right, left), 0.5);
  const along = g.scale(g.sub(bottom, top), 0.5);
  return {
    x: g.add(g.sub(g.mul(across, cos), g.mul(along, sin)), x),
    y: g.add(g.add(g.mul(across, sin), g.mul(along, cos)), y),
    width: g.add(left, right),
    height: g.add(top, bottom),
    cos,
    sin,
  };
}

/** Corners `x1 y1 … x4 y4`, clockwise on the screen. */
export function cornersOf(g: Graph, box: OrientedColumns): Value<"B N F"> {
  const [hw, hh] = [g.scale(box.width, 0.5), g.scale(box.height, 0.5)];
  const [ux, uy] = [g.mul(hw, box.cos), g.mul(hw, box.sin)];
  const [vx, vy] = [g.unary("neg", g.mul(hh, box.sin)), g.mul(hh, box.cos)];
  const corner = (u: "add" | "sub", v: "add" | "sub"): Column[] => [
    g.binary(v, g.binary(u, box.x, ux), vx),
    g.binary(v, g.binary(u, box.y, uy), vy),
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
 * (cos 2θ, sin 2θ), unnormalised, to (cos θ, sin θ) by the half-angle formulas, −90° < θ ≤ 90°. The small number keeps
 * the root's gradient finite at θ = 0 and 90°.
 */
function direction(
  g: Graph,
  raw: Column | undefined,
): { readonly cos: Column; readonly sin: Column } {
  if (raw === undefined)
    throw new TypeError("decodeOriented: an oriented head must be given, received an upright one");
  const c = g.slice(raw, "A", 0, 1);
  const s = g.slice(raw, "A", 1, 2);
  const norm = g.unary("sqrt", g.add(g.add(g.mul(c, c), g.mul(s, s)), 1e-6));
  const cos2 = g.div(c, norm);
  const half = (sum: Column): Column => g.unary("sqrt", g.add(g.scale(sum, 0.5), 1e-6));
  const cos = half(g.add(cos2, 1));
  const size = half(g.sub(g.scale(cos2, -1), -1));
  return { cos, sin: g.where(g.binary("less", s, 0), g.unary("neg", size), size) };
}

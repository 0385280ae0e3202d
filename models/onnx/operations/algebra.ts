/** Matrix products, sums over axes, and the softmax. */
import { ShapeError } from "../../../attention/index.ts";
import type { NamedValue } from "../graph.ts";
import {
  axisOf,
  broadcast,
  constantInts,
  cotangent,
  input,
  int,
  output,
  range,
} from "./operation.ts";
import type { BackwardSite, Operation, Site, Writer } from "./operation.ts";
import { div, expand, mul, reshape, sub, sum, sumTo, swapLast, times, toFloat } from "./write.ts";

/** Axes that a reduction takes, counted from the front, and the input's shape with ones in their place. */
function reduced(site: Site): { axes: readonly number[]; kept: readonly number[] } {
  const { shape } = input(site, 0);
  const given = site.inputs[1] === undefined ? range(shape.length) : constantInts(site, 1);
  const axes = given.map((axis) => axisOf(site.op, axis, shape.length));
  return { axes, kept: shape.map((size, axis) => (axes.includes(axis) ? 1 : size)) };
}

const count = (site: Site): number => {
  const { axes } = reduced(site);
  return axes.reduce((n, axis) => n * (input(site, 0).shape[axis] ?? 1), 1);
};

function reduction(
  gradient: (w: Writer, g: NamedValue, site: BackwardSite) => NamedValue,
): Operation {
  return {
    attributes: { keepdims: "int" },
    outputs: (site) => {
      const { axes, kept } = reduced(site);
      const shape =
        int(site, "keepdims", 1) === 1 ? kept : kept.filter((_, axis) => !axes.includes(axis));
      return [{ type: input(site, 0).type, shape }];
    },
    gradient: (w, site) => [gradient(w, reshape(w, cotangent(site), reduced(site).kept), site)],
  };
}

/** The gradient of a largest or smallest value, shared evenly among equals. */
function toExtremes(w: Writer, g: NamedValue, site: BackwardSite): NamedValue {
  const x = input(site, 0);
  const { axes, kept } = reduced(site);
  const hit = toFloat(w, w.node("Equal", [x, reshape(w, output(site), kept)]));
  return mul(w, hit, div(w, g, sum(w, hit, axes)));
}

/** Shape of a product over the last two axes. */
function matmulShape(site: Site): number[] {
  const [a, b] = [input(site, 0).shape, input(site, 1).shape];
  const all = `[${a.join(" ")}] and [${b.join(" ")}]`;
  if (a.length < 2 || b.length < 2) {
    throw new ShapeError(`MatMul: both operands must have two axes or more, received ${all}`);
  }
  if (a.at(-1) !== b.at(-2)) {
    throw new ShapeError(
      `MatMul: the last axis of a must be the last but one of b, received ${a.at(-1)} and ${b.at(-2)} of ${all}`,
    );
  }
  const batch = broadcast("MatMul", a.slice(0, -2), b.slice(0, -2));
  return [...batch, a.at(-2) ?? 0, b.at(-1) ?? 0];
}

/** dB of A·B; rows of several matrices that share one B are summed inside one product. */
function gradientOfRight(w: Writer, g: NamedValue, a: NamedValue, b: NamedValue): NamedValue {
  const [k, m] = [b.shape.at(-2) ?? 0, b.shape.at(-1) ?? 0];
  const shared = b.shape.slice(0, -2).every((size) => size === 1);
  const alike = g.shape.length === a.shape.length;
  if (!shared || !alike) return sumTo(w, w.node("MatMul", [swapLast(w, a), g]), b.shape);
  const [rows, right] = [reshape(w, a, [-1, k]), reshape(w, g, [-1, m])];
  return reshape(w, w.node("MatMul", [swapLast(w, rows), right]), b.shape);
}

const softmaxAxis = (site: Site): number =>
  axisOf(site.op, int(site, "axis", -1), input(site, 0).shape.length);

export const ALGEBRA: Readonly<Record<string, Operation>> = {
  MatMul: {
    outputs: (site) => [{ type: "float32", shape: matmulShape(site) }],
    gradient: (w, site) => {
      const [g, a, b] = [cotangent(site), input(site, 0), input(site, 1)];
      return [
        site.wants(0) ? sumTo(w, w.node("MatMul", [g, swapLast(w, b)]), a.shape) : undefined,
        site.wants(1) ? gradientOfRight(w, g, a, b) : undefined,
      ];
    },
  },
  ReduceSum: reduction((w, g, site) => expand(w, g, input(site, 0).shape)),
  ReduceMean: reduction((w, g, site) =>
    expand(w, times(w, g, 1 / count(site)), input(site, 0).shape),
  ),
  ReduceMax: reduction(toExtremes),
  ReduceMin: reduction(toExtremes),
  Softmax: {
    attributes: { axis: "int" },
    outputs: (site) => [input(site, 0)],
    gradient: (w, site) => {
      const [g, y] = [cotangent(site), output(site)];
      const inner = mul(w, g, y);
      return [sub(w, inner, mul(w, y, sum(w, inner, [softmaxAxis(site)])))];
    },
  },
  LogSoftmax: {
    attributes: { axis: "int" },
    outputs: (site) => [input(site, 0)],
    gradient: (w, site) => {
      const [g, y] = [cotangent(site), output(site)];
      return [sub(w, g, mul(w, w.node("Exp", [y]), sum(w, g, [softmaxAxis(site)])))];
    },
  },
};

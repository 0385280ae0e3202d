/** Operations that move numbers and change none: shapes, pieces, and picks by index. */
import { ShapeError, volume } from "../../../attention/index.ts";
import type { NamedValue } from "../graph.ts";
import { axisOf, constantInts, cotangent, input, int, list, range, same } from "./operation.ts";
import type { Operation, Site, Writer } from "./operation.ts";
import { pad, reshape, slice, sumTo, transpose, zeros } from "./write.ts";

const rankOf = (site: Site): number => input(site, 0).shape.length;

/** A shape in which −1 stands for what is left. */
function reshaped(site: Site): number[] {
  const { shape } = input(site, 0);
  const wanted = constantInts(site, 1).map((size, i) => (size === 0 ? (shape[i] ?? 0) : size));
  const known = volume(wanted.filter((size) => size >= 0));
  const result = wanted.map((size) => (size === -1 ? volume(shape) / known : size));
  if (volume(result) !== volume(shape) || result.some((size) => !Number.isInteger(size))) {
    throw new ShapeError(
      `Reshape: [${wanted.join(" ")}] must hold the ${volume(shape)} values of [${shape.join(" ")}]`,
    );
  }
  return result;
}

/** Start and step of every axis of a slice, and the shape that is left. */
function sliced(site: Site): { starts: number[]; steps: number[]; shape: number[] } {
  const { shape } = input(site, 0);
  const [from, to] = [constantInts(site, 1), constantInts(site, 2)];
  const axes = site.inputs[3] === undefined ? range(from.length) : constantInts(site, 3);
  const step = site.inputs[4] === undefined ? axes.map(() => 1) : constantInts(site, 4);
  const [starts, steps, left] = [shape.map(() => 0), shape.map(() => 1), [...shape]];
  for (const [i, given] of axes.entries()) {
    const axis = axisOf("Slice", given, shape.length);
    const size = shape[axis] ?? 0;
    const clamp = (v: number) => Math.min(Math.max(v < 0 ? v + size : v, 0), size);
    const [start, end] = [clamp(from[i] ?? 0), clamp(to[i] ?? size)];
    starts[axis] = start;
    steps[axis] = step[i] ?? 1;
    left[axis] = Math.max(0, Math.ceil((end - start) / (step[i] ?? 1)));
  }
  if (steps.some((s) => s < 1)) {
    throw new ShapeError(`Slice: steps must be 1 or more, received [${steps.join(" ")}]`);
  }
  return { starts, steps, shape: left };
}

/** What is added before and after every axis. */
function padding(site: Site): { before: number[]; after: number[] } {
  const { shape } = input(site, 0);
  const pads = constantInts(site, 1);
  const axes = site.inputs[3] === undefined ? range(shape.length) : constantInts(site, 3);
  const [before, after] = [shape.map(() => 0), shape.map(() => 0)];
  for (const [i, given] of axes.entries()) {
    const axis = axisOf("Pad", given, shape.length);
    before[axis] = pads[i] ?? 0;
    after[axis] = pads[i + axes.length] ?? 0;
  }
  return { before, after };
}

/** Puts `step − 1` zeros between the elements of every axis, and after the last. */
function spread(w: Writer, x: NamedValue, steps: readonly number[]): NamedValue {
  if (steps.every((s) => s === 1)) return x;
  const inner = x.shape.flatMap((size) => [size, 1]);
  const after = x.shape.flatMap((_, axis) => [0, (steps[axis] ?? 1) - 1]);
  const wide = pad(
    w,
    reshape(w, x, inner),
    inner.map(() => 0),
    after,
  );
  return reshape(
    w,
    wide,
    x.shape.map((size, axis) => size * (steps[axis] ?? 1)),
  );
}

/** Adds rows of `updates` to zeros of `shape`, at `indices` of the first axis. */
function scatterRows(
  w: Writer,
  updates: NamedValue,
  indices: NamedValue,
  shape: readonly number[],
): NamedValue {
  const rows = reshape(w, indices, [...indices.shape, 1]);
  return w.node("ScatterND", [zeros(w, shape), rows, updates], { reduction: "add" });
}

export const LAYOUT: Readonly<Record<string, Operation>> = {
  Reshape: {
    outputs: (site) => [{ type: input(site, 0).type, shape: reshaped(site) }],
    gradient: (w, site) => [reshape(w, cotangent(site), input(site, 0).shape)],
  },
  Transpose: {
    attributes: { perm: "ints" },
    outputs: (site) => {
      const { type, shape } = input(site, 0);
      const perm = list(site, "perm", range(shape.length).reverse());
      if (
        !same(
          perm.toSorted((a, b) => a - b),
          range(shape.length),
        )
      ) {
        throw new ShapeError(
          `Transpose: perm must name each of ${shape.length} axes once, received [${perm.join(" ")}]`,
        );
      }
      return [{ type, shape: perm.map((axis) => shape[axis] ?? 0) }];
    },
    gradient: (w, site) => {
      const perm = list(site, "perm", range(rankOf(site)).reverse());
      return [
        transpose(
          w,
          cotangent(site),
          range(perm.length).map((axis) => perm.indexOf(axis)),
        ),
      ];
    },
  },
  Expand: {
    outputs: (site) => {
      const { type, shape } = input(site, 0);
      const to = constantInts(site, 1);
      const fits = shape.every(
        (size, i) => size === 1 || size === to[to.length - shape.length + i],
      );
      if (!fits || to.length < shape.length) {
        throw new ShapeError(
          `Expand: only axes of length 1 can grow, received [${shape.join(" ")}] for [${to.join(" ")}]`,
        );
      }
      return [{ type, shape: to }];
    },
    gradient: (w, site) => [sumTo(w, cotangent(site), input(site, 0).shape)],
  },
  Concat: {
    attributes: { axis: "int" },
    outputs: (site) => {
      const parts = site.inputs.map((_, i) => input(site, i));
      const first = input(site, 0);
      const axis = axisOf("Concat", int(site, "axis", 0), first.shape.length);
      for (const { shape } of parts) {
        if (!same(first.shape.toSpliced(axis, 1), shape.toSpliced(axis, 1))) {
          throw new ShapeError(
            `Concat: parts must agree but for axis ${axis}, received [${first.shape.join(" ")}] and [${shape.join(" ")}]`,
          );
        }
      }
      const total = parts.reduce((sum, { shape }) => sum + (shape[axis] ?? 0), 0);
      return [{ type: first.type, shape: first.shape.with(axis, total) }];
    },
    gradient: (w, site) => {
      const axis = axisOf("Concat", int(site, "axis", 0), rankOf(site));
      let start = 0;
      return site.inputs.map((_, i) => {
        const size = input(site, i).shape[axis] ?? 0;
        start += size;
        return site.wants(i) ? slice(w, cotangent(site), axis, start - size, start) : undefined;
      });
    },
  },
  Slice: {
    outputs: (site) => [{ type: input(site, 0).type, shape: sliced(site).shape }],
    gradient: (w, site) => {
      const { starts, steps } = sliced(site);
      const { shape } = input(site, 0);
      const g = spread(w, cotangent(site), steps);
      const after = shape.map((size, axis) => size - (starts[axis] ?? 0) - (g.shape[axis] ?? 0));
      return [pad(w, g, starts, after)];
    },
  },
  /** Of the axes that input 3 names, or of all. */
  Pad: {
    attributes: { mode: "string" },
    outputs: (site) => {
      const { type, shape } = input(site, 0);
      const { before, after } = padding(site);
      return [{ type, shape: shape.map((n, i) => n + (before[i] ?? 0) + (after[i] ?? 0)) }];
    },
    gradient: (w, site) => {
      const { before, after } = padding(site);
      const back = (list: readonly number[]) => list.map((p) => (p === 0 ? 0 : -p));
      return [pad(w, cotangent(site), back(before), back(after))];
    },
  },
  Gather: {
    attributes: { axis: "int" },
    outputs: (site) => {
      const [x, indices] = [input(site, 0), input(site, 1)];
      const axis = axisOf("Gather", int(site, "axis", 0), x.shape.length);
      return [{ type: x.type, shape: x.shape.toSpliced(axis, 1, ...indices.shape) }];
    },
    gradient: (w, site) => {
      const [x, indices, g] = [input(site, 0), input(site, 1), cotangent(site)];
      const axis = axisOf("Gather", int(site, "axis", 0), x.shape.length);
      const [rank, wide] = [x.shape.length, indices.shape.length];
      // The indexed axis to the front, the rows added up there, and back again.
      const others = range(rank).filter((a) => a !== axis);
      const shift = (a: number) => (a < axis ? a : a + wide - 1);
      const front = [...range(wide).map((i) => axis + i), ...others.map(shift)];
      const shape = [axis, ...others].map((a) => x.shape[a] ?? 0);
      const rows = scatterRows(w, transpose(w, g, front), indices, shape);
      const order = [axis, ...others];
      return [
        transpose(
          w,
          rows,
          range(rank).map((a) => order.indexOf(a)),
        ),
      ];
    },
  },
  GatherElements: {
    attributes: { axis: "int" },
    outputs: (site) => [{ type: input(site, 0).type, shape: input(site, 1).shape }],
    gradient: (w, site) => {
      const [x, indices, g] = [input(site, 0), input(site, 1), cotangent(site)];
      const attributes = { axis: int(site, "axis", 0), reduction: "add" };
      return [w.node("ScatterElements", [zeros(w, x.shape), indices, g], attributes)];
    },
  },
  ScatterElements: {
    attributes: { axis: "int", reduction: "string" },
    outputs: (site) => [input(site, 0)],
  },
  ScatterND: {
    attributes: { reduction: "string" },
    outputs: (site) => [input(site, 0)],
  },
  TopK: {
    attributes: { axis: "int", largest: "int", sorted: "int" },
    outputs: (site) => {
      const { type, shape } = input(site, 0);
      const axis = axisOf("TopK", int(site, "axis", -1), shape.length);
      const k = constantInts(site, 1)[0] ?? 0;
      if (k > (shape[axis] ?? 0)) {
        throw new ShapeError(`TopK: k must be at most ${shape[axis]}, received ${k}`);
      }
      const found = shape.with(axis, k);
      return [
        { type, shape: found },
        { type: "int64", shape: found },
      ];
    },
    gradient: (w, site) => {
      const [x, indices] = [input(site, 0), site.outputs[1]];
      const attributes = { axis: int(site, "axis", -1), reduction: "add" };
      return [w.node("ScatterElements", [zeros(w, x.shape), indices, cotangent(site)], attributes)];
    },
  },
};

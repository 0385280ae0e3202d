/** Maps at other sizes, and maps read at given places. */
import { ShapeError } from "../../../attention/index.ts";
import type { NamedValue } from "../graph.ts";
import { resampling } from "../resample.ts";
import { constantInts, cotangent, input } from "./operation.ts";
import type { BackwardSite, Operation, Site, Writer } from "./operation.ts";
import {
  add,
  expand,
  mul,
  reshape,
  slice,
  sub,
  sum,
  times,
  toFloat,
  zeros,
  concat,
} from "./write.ts";

/** The matrix that takes one axis of a resize from `from` to `to` samples. */
function matrixOf(site: Site, from: number, to: number): Float32Array {
  const { mode, nearest_mode: rounding, coordinate_transformation_mode: centres } = site.attributes;
  if (mode === "nearest" && (rounding !== "floor" || centres !== "asymmetric")) {
    throw new TypeError(
      `Resize: a gradient needs nearest_mode floor and asymmetric coordinates, received ${String(rounding)}, ${String(centres)}`,
    );
  }
  return resampling(mode === "linear" ? "bilinear" : "nearest", from, to);
}

/** A resize is a matrix along each direction; its gradient goes through both of them backwards. */
function resizeGradient(w: Writer, site: BackwardSite): NamedValue {
  const [x, g] = [input(site, 0), cotangent(site)];
  const [Y = 1, X = 1] = x.shape.slice(2);
  const [rows = 1, columns = 1] = g.shape.slice(2);
  const [fY, fX] = [rows / Y, columns / X];
  if (site.attributes["mode"] === "nearest" && Number.isInteger(fY) && Number.isInteger(fX)) {
    const window = { kernel_shape: [fY, fX], strides: [fY, fX] };
    return times(w, w.node("AveragePool", [g], window), fY * fX);
  }
  const across = w.constant([columns, X], matrixOf(site, X, columns));
  const down = matrixOf(site, Y, rows);
  const upward = new Float32Array(down.length);
  for (let r = 0; r < rows; r++) {
    for (let y = 0; y < Y; y++) upward[y * rows + r] = down[r * Y + y] ?? 0;
  }
  return w.node("MatMul", [w.constant([Y, rows], upward), w.node("MatMul", [g, across])]);
}

/** The four pixels around a place: weights of all, and where they lie. */
interface Corner {
  readonly index: NamedValue;
  readonly inside: NamedValue;
  readonly weightY: NamedValue;
  readonly weightX: NamedValue;
  readonly signY: 1 | -1;
  readonly signX: 1 | -1;
}

/** Pixels around each place of a grid in −1…1, `[B N]` each; pixel centres are half a pixel inside. */
function corners(w: Writer, x: NamedValue, grid: NamedValue): Corner[] {
  const [B = 0, , Y = 0, X = 0] = x.shape;
  const count = (grid.shape[1] ?? 0) * (grid.shape[2] ?? 0);
  const along = (axis: number, size: number) => {
    const g = reshape(w, slice(w, grid, 3, axis, axis + 1), [B, count]);
    const at = add(w, times(w, g, size / 2), w.number((size - 1) / 2));
    const low = w.node("Floor", [at]);
    const part = sub(w, at, low);
    const inside = (v: NamedValue) =>
      w.node("And", [
        w.node("Greater", [v, w.number(-0.5)]),
        w.node("Less", [v, w.number(size - 0.5)]),
      ]);
    const high = add(w, low, w.number(1));
    return [
      { at: low, weight: sub(w, w.number(1), part), inside: inside(low), sign: -1 },
      { at: high, weight: part, inside: inside(high), sign: 1 },
    ] as const;
  };
  const [columns, rows] = [along(0, X), along(1, Y)];
  return rows.flatMap((r) =>
    columns.map((c): Corner => {
      const inside = w.node("And", [r.inside, c.inside]);
      const flat = add(w, times(w, r.at, X), c.at);
      const safe = w.node("Where", [inside, flat, w.number(0)]);
      return {
        index: w.node("Cast", [safe], { to: 7 }),
        inside: toFloat(w, inside),
        weightY: r.weight,
        weightX: c.weight,
        signY: r.sign,
        signX: c.sign,
      };
    }),
  );
}

function gridSampleGradient(w: Writer, site: BackwardSite) {
  const [x, grid] = [input(site, 0), input(site, 1)];
  const [B = 0, C = 0, Y = 0, X = 0] = x.shape;
  const count = (grid.shape[1] ?? 0) * (grid.shape[2] ?? 0);
  const [pixels, g] = [reshape(w, x, [B, C, Y * X]), reshape(w, cotangent(site), [B, C, count])];
  const overChannels = (v: NamedValue) => reshape(w, v, [B, 1, count]);
  let toX = zeros(w, [B, C, Y * X]);
  const toGrid: NamedValue[] = [];
  for (const corner of corners(w, x, grid)) {
    const index = expand(w, overChannels(corner.index), [B, C, count]);
    if (site.wants(0)) {
      const weight = mul(w, mul(w, corner.weightY, corner.weightX), corner.inside);
      const part = mul(w, g, overChannels(weight));
      toX = w.node("ScatterElements", [toX, index, part], { axis: 2, reduction: "add" });
    }
    if (site.wants(1)) {
      const seen = mul(w, w.node("GatherElements", [pixels, index], { axis: 2 }), g);
      const felt = mul(w, sum(w, seen, [1], false), corner.inside);
      const across = times(w, mul(w, felt, corner.weightY), (corner.signX * X) / 2);
      const down = times(w, mul(w, felt, corner.weightX), (corner.signY * Y) / 2);
      const pair = [across, down].map((v) => reshape(w, v, [B, count, 1]));
      toGrid.push(concat(w, pair, 2));
    }
  }
  return [
    site.wants(0) ? reshape(w, toX, x.shape) : undefined,
    site.wants(1)
      ? reshape(
          w,
          toGrid.reduce((a, b) => add(w, a, b)),
          grid.shape,
        )
      : undefined,
  ];
}

export const RESAMPLING: Readonly<Record<string, Operation>> = {
  /** To exact `sizes` (input 3) or by `scales` (input 2). */
  Resize: {
    attributes: {
      mode: "string",
      coordinate_transformation_mode: "string",
      nearest_mode: "string",
    },
    outputs: (site) => {
      const { type, shape } = input(site, 0);
      const scales = site.inputs[2] === undefined ? undefined : constantInts(site, 2);
      const to = scales?.map((s, i) => Math.floor(s * (shape[i] ?? 0))) ?? constantInts(site, 3);
      if (to.length !== shape.length) {
        throw new ShapeError(
          `Resize: sizes must be ${shape.length} numbers, received [${to.join(" ")}]`,
        );
      }
      return [{ type, shape: to }];
    },
    gradient: (w, site) => [resizeGradient(w, site)],
  },
  /** Bilinear, zeros outside, pixel centres half a pixel inside: the one form that has a gradient here. */
  GridSample: {
    attributes: { mode: "string", padding_mode: "string", align_corners: "int" },
    outputs: (site) => {
      const [x, grid] = [input(site, 0), input(site, 1)];
      const [B, rows, columns, two] = grid.shape;
      if (x.shape.length !== 4 || two !== 2 || B !== x.shape[0]) {
        throw new ShapeError(
          `GridSample: grid must be [${x.shape[0]} Y X 2], received [${grid.shape.join(" ")}]`,
        );
      }
      return [{ type: "float32", shape: [...x.shape.slice(0, 2), rows ?? 0, columns ?? 0] }];
    },
    gradient: gridSampleGradient,
  },
};

/** Convolutions, plain, grouped, strided, dilated and transposed. */
import { ShapeError } from "../../../attention/index.ts";
import type { NamedValue } from "../graph.ts";
import { cotangent, input, int, list } from "./operation.ts";
import type { BackwardSite, Operation, Site, Writer } from "./operation.ts";
import { concat, pad, reshape, slice, sum, swapLast, transpose } from "./write.ts";
import { reach, spans, steps } from "./window.ts";
import type { Span } from "./window.ts";

const ATTRIBUTES = {
  strides: "ints",
  pads: "ints",
  dilations: "ints",
  group: "int",
  kernel_shape: "ints",
} as const;

const size = (value: NamedValue, axis: number): number => value.shape[axis] ?? 0;
const groupsOf = (site: Site): number => int(site, "group", 1);

/** Checks channels against weight and groups; `ofX` is the weight's axis that runs over the channels of x. */
function checkChannels(site: Site, ofX: 0 | 1): void {
  const [x, weight] = [input(site, 0), input(site, 1)];
  const groups = groupsOf(site);
  const takes = ofX === 1 ? size(weight, 1) * groups : size(weight, 0);
  const shapes = `x [${x.shape.join(" ")}], weight [${weight.shape.join(" ")}]`;
  if (weight.shape.length !== 4 || size(x, 1) !== takes) {
    throw new ShapeError(
      `${site.op}: C must be ${takes} for ${groups} groups, received ${size(x, 1)} in ${shapes}`,
    );
  }
  if (size(weight, 0) % groups !== 0) {
    throw new ShapeError(
      `${site.op}: ${size(weight, 0)} channels must divide into groups, received ${groups} groups in ${shapes}`,
    );
  }
  const bias = site.inputs[2];
  const out = ofX === 1 ? size(weight, 0) : size(weight, 1) * groups;
  if (bias !== undefined && (bias.shape.length !== 1 || size(bias, 0) !== out)) {
    throw new ShapeError(`${site.op}: bias must be [${out}], received [${bias.shape.join(" ")}]`);
  }
}

/** The windows of one tap of the kernel: every `stride`-th pixel from the tap's place. */
function tap(
  w: Writer,
  padded: NamedValue,
  s: readonly Span[],
  at: readonly number[],
  count: readonly number[],
) {
  return at.reduce((x, k, i) => {
    const { dilation, stride } = s[i] ?? { dilation: 1, stride: 1 };
    const start = k * dilation;
    return slice(w, x, i + 2, start, start + ((count[i] ?? 1) - 1) * stride + 1, stride);
  }, padded);
}

/**
 * The gradient of a kernel `[O, I, kY, kX]`: what `x` shows under every tap, times what comes back at `g`.
 *
 * A depthwise kernel is itself a convolution, of `x` with `g` as kernel. Others are one matrix product a tap, which is
 * faster in ONNX Runtime on a CPU than a convolution with `x` and `g` transposed (`test/bench/gradients.bench.ts`).
 */
function kernelGradient(
  w: Writer,
  x: NamedValue,
  g: NamedValue,
  kernel: readonly number[],
  s: readonly [Span, Span],
  groups: number,
): NamedValue {
  const [B, C, O] = [size(x, 0), size(x, 1), size(g, 1)];
  const [kY, kX] = [kernel[2] ?? 1, kernel[3] ?? 1];
  const [rows, columns] = [size(g, 2), size(g, 3)];
  const ends = s.map((d, i) => {
    const used = reach(d) + ((i === 0 ? rows : columns) - 1) * d.stride;
    return used - d.size - d.before;
  });
  const padded = pad(w, x, [0, 0, s[0].before, s[1].before], [0, 0, ends[0] ?? 0, ends[1] ?? 0]);
  if (groups === C && O === C && groups > 1) {
    const map = reshape(w, padded, [1, B * C, size(padded, 2), size(padded, 3)]);
    const filter = reshape(w, g, [B * C, 1, rows, columns]);
    const swapped = {
      group: B * C,
      kernel_shape: [rows, columns],
      strides: s.map((d) => d.dilation),
      dilations: s.map((d) => d.stride),
    };
    const each = reshape(w, w.node("Conv", [map, filter], swapped), [B, C, 1, kY, kX]);
    return reshape(w, sum(w, each, [0]), kernel);
  }
  const back = reshape(w, g, [B, groups, O / groups, rows * columns]);
  const taps = [];
  for (let y = 0; y < kY; y++) {
    for (let c = 0; c < kX; c++) {
      const seen = tap(w, padded, s, [y, c], [rows, columns]);
      const shown = reshape(w, seen, [B, groups, C / groups, rows * columns]);
      taps.push(sum(w, w.node("MatMul", [back, swapLast(w, shown)]), [0]));
    }
  }
  const all = transpose(w, concat(w, taps, 0), [1, 2, 3, 0]);
  return reshape(w, all, kernel);
}

/** Sums what comes back over everything but the channels. */
const biasGradient = (w: Writer, g: NamedValue): NamedValue => sum(w, g, [0, 2, 3], false);

/** The kernel turned by half a turn, with its two channel axes exchanged within each group. */
function turned(w: Writer, weight: NamedValue, groups: number): NamedValue {
  const [O = 0, I = 0, kY = 1, kX = 1] = weight.shape;
  const taps = kY * kX;
  const flatWeight = reshape(w, weight, [groups, O / groups, I, taps]);
  const order = w.constant(
    [taps],
    BigInt64Array.from({ length: taps }, (_, i) => BigInt(taps - 1 - i)),
  );
  const flipped = taps === 1 ? flatWeight : w.node("Gather", [flatWeight, order], { axis: 3 });
  return reshape(w, transpose(w, flipped, [0, 2, 1, 3]), [groups * I, O / groups, kY, kX]);
}

/** The gradient of the map a convolution reads: a convolution by the turned kernel, or a transposed one for strides. */
function mapGradient(w: Writer, site: BackwardSite): NamedValue {
  const [x, weight, g] = [input(site, 0), input(site, 1), cotangent(site)];
  const groups = groupsOf(site);
  const s = spans(site, weight.shape.slice(2));
  const kernel_shape = weight.shape.slice(2);
  const dilations = s.map((d) => d.dilation);
  const outward = s.every((d) => d.before <= reach(d) - 1 && d.after <= reach(d) - 1);
  if (s.every((d) => d.stride === 1) && outward) {
    const ends = (key: "before" | "after") => s.map((d) => reach(d) - 1 - d[key]);
    const pads = [...ends("before"), ...ends("after")];
    return w.node("Conv", [g, turned(w, weight, groups)], {
      group: groups,
      kernel_shape,
      dilations,
      pads,
    });
  }
  const rest = s.map(
    (d, i) => d.size + d.before + d.after - reach(d) - (size(g, i + 2) - 1) * d.stride,
  );
  const strides = s.map((d) => d.stride);
  const wide = w.node("ConvTranspose", [g, weight], {
    group: groups,
    kernel_shape,
    dilations,
    strides,
  });
  const before = s.map((d) => -d.before);
  const after = s.map((d, i) => (rest[i] ?? 0) - d.after);
  const map = pad(w, wide, [0, 0, ...before], [0, 0, ...after]);
  return reshape(w, map, x.shape);
}

export const CONVOLUTION: Readonly<Record<string, Operation>> = {
  Conv: {
    attributes: ATTRIBUTES,
    outputs: (site) => {
      const [x, weight] = [input(site, 0), input(site, 1)];
      checkChannels(site, 1);
      const [y, c] = spans(site, weight.shape.slice(2));
      const map = [steps("Conv", "Y", y), steps("Conv", "X", c)];
      return [{ type: "float32", shape: [size(x, 0), size(weight, 0), ...map] }];
    },
    gradient: (w, site) => {
      const [x, weight, g] = [input(site, 0), input(site, 1), cotangent(site)];
      const s = spans(site, weight.shape.slice(2));
      return [
        site.wants(0) ? mapGradient(w, site) : undefined,
        site.wants(1) ? kernelGradient(w, x, g, weight.shape, s, groupsOf(site)) : undefined,
        site.wants(2) ? biasGradient(w, g) : undefined,
      ];
    },
  },
  ConvTranspose: {
    attributes: { ...ATTRIBUTES, output_padding: "ints" },
    outputs: (site) => {
      const [x, weight] = [input(site, 0), input(site, 1)];
      checkChannels(site, 0);
      const extra = list(site, "output_padding", [0, 0]);
      const map = spans(site, weight.shape.slice(2)).map(
        (d, i) => (d.size - 1) * d.stride + reach(d) + (extra[i] ?? 0) - d.before - d.after,
      );
      const channels = size(weight, 1) * groupsOf(site);
      return [{ type: "float32", shape: [size(x, 0), channels, ...map] }];
    },
    gradient: (w, site) => {
      const [x, weight, g] = [input(site, 0), input(site, 1), cotangent(site)];
      const { output_padding: _, ...attributes } = site.attributes;
      const s = spans(site, weight.shape.slice(2));
      // Seen from its output a transposed convolution is a plain one, so its rules are those with x and g exchanged.
      const mirrored = s.map((d, i) => ({ ...d, size: size(g, i + 2) })) as unknown as [Span, Span];
      const back = () => {
        const map = w.node("Conv", [g, weight], attributes);
        const before = [0, 0, 0, 0];
        return pad(
          w,
          map,
          before,
          map.shape.map((n, i) => size(x, i) - n),
        );
      };
      return [
        site.wants(0) ? back() : undefined,
        site.wants(1) ? kernelGradient(w, g, x, weight.shape, mirrored, groupsOf(site)) : undefined,
        site.wants(2) ? biasGradient(w, g) : undefined,
      ];
    },
  },
};

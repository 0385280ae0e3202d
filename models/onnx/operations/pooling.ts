/** Means and maxima of windows. */
import { volume } from "../../../attention/index.ts";
import type { NamedValue } from "../graph.ts";
import { cotangent, input, int, list } from "./operation.ts";
import type { BackwardSite, Operation, Site, Writer } from "./operation.ts";
import { flat, pad, reshape, zeros } from "./write.ts";
import { reach, spans, steps } from "./window.ts";

const ATTRIBUTES = {
  kernel_shape: "ints",
  strides: "ints",
  pads: "ints",
  dilations: "ints",
  ceil_mode: "int",
} as const;

function pooled(site: Site): number[] {
  const { shape } = input(site, 0);
  const [y, x] = spans(site, list(site, "kernel_shape", []));
  const beyond = int(site, "ceil_mode", 0) === 1;
  return [...shape.slice(0, 2), steps(site.op, "Y", y, beyond), steps(site.op, "X", x, beyond)];
}

/** Spreads what comes back evenly over the window it came from. */
function spreadMean(w: Writer, site: BackwardSite): NamedValue {
  const [x, g] = [input(site, 0), cotangent(site)];
  if (int(site, "count_include_pad", 0) !== 1 && list(site, "pads", []).some((p) => p > 0)) {
    throw new TypeError("AveragePool: a gradient needs count_include_pad where there is padding");
  }
  if (int(site, "ceil_mode", 0) === 1) {
    throw new TypeError(
      "AveragePool: a gradient needs windows that stay on the map, not ceil_mode",
    );
  }
  const kernel_shape = list(site, "kernel_shape", []);
  const s = spans(site, kernel_shape);
  if (s.every((d) => d.stride === 1)) {
    // The mean over the windows that a pixel lies in: the same pool, with the opposite padding.
    const grown = s.flatMap((d) => [reach(d) - 1 - d.before, reach(d) - 1 - d.after]);
    const [top = 0, bottom = 0, left = 0, right = 0] = grown;
    const wide = pad(w, g, [0, 0, top, left], [0, 0, bottom, right]);
    return w.node("AveragePool", [wide], { kernel_shape });
  }
  const channels = x.shape[1] ?? 0;
  const taps = volume(kernel_shape);
  const even = new Float32Array(channels * taps).fill(1 / taps);
  const kernel = w.constant([channels, 1, ...kernel_shape], even);
  const strides = s.map((d) => d.stride);
  const wide = w.node("ConvTranspose", [g, kernel], { group: channels, strides, kernel_shape });
  const after = s.map((d, i) => d.size + d.before - (wide.shape[i + 2] ?? 0));
  return pad(w, wide, [0, 0, ...s.map((d) => -d.before)], [0, 0, ...after]);
}

export const POOLING: Readonly<Record<string, Operation>> = {
  AveragePool: {
    attributes: { ...ATTRIBUTES, count_include_pad: "int" },
    outputs: (site) => [{ type: "float32", shape: pooled(site) }],
    gradient: (w, site) => [spreadMean(w, site)],
  },
  MaxPool: {
    attributes: ATTRIBUTES,
    outputs: (site) => [
      { type: "float32", shape: pooled(site) },
      { type: "int64", shape: pooled(site) },
    ],
    /** All of it goes to the first of the largest, as PyTorch has it; `Indices` count through the whole tensor. */
    gradient: (w, site) => {
      const [x, g] = [input(site, 0), cotangent(site)];
      const [, places] = w.nodes("MaxPool", [x], site.attributes, 2);
      if (places === undefined) return [undefined];
      const empty = zeros(w, [volume(x.shape)]);
      const attributes = { axis: 0, reduction: "add" };
      const row = w.node("ScatterElements", [empty, flat(w, places), flat(w, g)], attributes);
      return [reshape(w, row, x.shape)];
    },
  },
};

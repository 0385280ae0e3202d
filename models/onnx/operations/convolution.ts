/** Convolutions, plain, grouped, strided, dilated and transposed. Their gradients are in `convolution-gradients.ts`. */
import { ShapeError } from "../../../attention/index.ts";
import type { NamedValue } from "../graph.ts";
import { biasGradient, kernelGradient, mapGradient, padTo } from "./convolution-gradients.ts";
import { cotangent, input, int, list } from "./operation.ts";
import type { Operation, Site } from "./operation.ts";
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
        site.wants(0) ? mapGradient(w, weight, g, s, groupsOf(site)) : undefined,
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
      if (site.attributes["output_shape"] !== undefined) {
        throw new ShapeError("ConvTranspose: the padding must be said, received output_shape");
      }
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
      const back = () => padTo(w, w.node("Conv", [g, weight], attributes), x.shape);
      return [
        site.wants(0) ? back() : undefined,
        site.wants(1) ? kernelGradient(w, g, x, weight.shape, mirrored, groupsOf(site)) : undefined,
        site.wants(2) ? biasGradient(w, g) : undefined,
      ];
    },
  },
};

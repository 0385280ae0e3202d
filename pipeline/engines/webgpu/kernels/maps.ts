/** Maps at other sizes, transposed convolutions, and values picked by index. */
import { perValue, strides, volume } from "../../../../attention/index.ts";
import type { Operand, Step } from "../../../../attention/index.ts";
import { literal } from "../formulas.ts";

type Pair = readonly [y: number, x: number];

/** WGSL that takes `at` apart into `plane`, `row` and `column` of a map. */
const pixel = ([rows, columns]: Pair): string => /* wgsl */ `
  let column = at % ${columns}u;
  let row = at / ${columns}u % ${rows}u;
  let plane = at / ${rows * columns}u;`;

/** ONNX `Resize`: nearest with asymmetric coordinates rounded down, or bilinear with half-pixel centres. */
export function resize(out: string, x: Operand, how: "nearest" | "linear", to: Pair): Step {
  const [B = 0, C = 0, Y = 0, X = 0] = x.view.shape;
  const along = (name: string, index: string, from: number, size: number) => /* wgsl */ `
  let ${name} = clamp((f32(${index}) + 0.5) * ${from / size} - 0.5, 0.0, ${from - 1}.0);
  let ${name}0 = u32(${name});
  let ${name}1 = min(${name}0 + 1u, ${from - 1}u);`;
  const value = (y: string, x: string) => `in0((plane * ${Y}u + ${y}) * ${X}u + ${x})`;
  const near = value(`row * ${Y}u / ${to[0]}u`, `column * ${X}u / ${to[1]}u`);
  const between = (y: string) => `mix(${value(y, "x0")}, ${value(y, "x1")}, x - floor(x))`;
  const body =
    how === "nearest"
      ? `  put(at, ${near});`
      : `${along("y", "row", Y, to[0])}${along("x", "column", X, to[1])}
  put(at, mix(${between("y0")}, ${between("y1")}, y - floor(y)));`;
  return {
    label: `${how} resize of ${C} to ${to.join("×")}`,
    ...perValue(B * C * to[0] * to[1], pixel(to) + body),
    reads: [x],
    writes: out,
    shape: [B, C, ...to],
  };
}

/** A transposed convolution: every result gathers the taps that reach it. `weight` is `[C O/groups P Q]`. */
export function convolutionTransposed(
  out: string,
  x: Operand,
  weight: Operand,
  { stride, pad, groups }: { readonly stride: Pair; readonly pad: Pair; readonly groups: number },
  to: Pair,
): Step {
  const [B = 0, C = 0, Y = 0, X = 0] = x.view.shape;
  const [, each = 0, P = 1, Q = 1] = weight.view.shape;
  const [O, taken] = [each * groups, C / groups];
  const body = /* wgsl */ `
  let o = plane % ${O}u;
  let b = plane / ${O}u;
  var total = 0.0;
  for (var p = 0; p < ${P}; p++) {
    let down = i32(row) + ${pad[0]} - p;
    if (down < 0 || down % ${stride[0]} != 0 || down / ${stride[0]} >= ${Y}) { continue; }
    for (var q = 0; q < ${Q}; q++) {
      let across = i32(column) + ${pad[1]} - q;
      if (across < 0 || across % ${stride[1]} != 0 || across / ${stride[1]} >= ${X}) { continue; }
      let place = u32(down / ${stride[0]} * ${X} + across / ${stride[1]});
      for (var i = 0u; i < ${taken}u; i++) {
        let c = o / ${each}u * ${taken}u + i;
        let tap = (c * ${each}u + o % ${each}u) * ${P * Q}u + u32(p * ${Q} + q);
        total += in1(tap) * in0((b * ${C}u + c) * ${Y * X}u + place);
      }
    }
  }
  put(at, total);`;
  return {
    label: `transposed convolution ${P}×${Q} ${C}→${O} at ${to.join("×")}`,
    ...perValue(B * O * to[0] * to[1], pixel(to) + body),
    reads: [x, weight],
    writes: out,
    shape: [B, O, ...to],
    rereads: 2,
  };
}

/** ONNX `Gather`: slices of `x` along an axis at `indices`, whose axes replace it. */
export function gather(out: string, x: Operand, indices: Operand, axis: number): Step {
  const { shape: from } = x.view;
  const inner = volume(from.slice(axis + 1));
  const [length, count] = [from[axis] ?? 1, volume(indices.view.shape)];
  const shape = from.toSpliced(axis, 1, ...indices.view.shape);
  return {
    label: `gather of ${from.join("×")}`,
    ...perValue(
      volume(shape),
      /* wgsl */ `
  let inner = at % ${inner}u;
  let asked = i32(in1(at / ${inner}u % ${count}u));
  let place = u32(select(asked, asked + ${length}, asked < 0));
  put(at, in0((at / ${inner * count}u * ${length}u + place) * ${inner}u + inner));`,
    ),
    reads: [x, indices],
    writes: out,
    shape,
  };
}

/** `x` with `value` before and behind it, so many in every direction. */
export function pad(
  out: string,
  x: Operand,
  before: readonly number[],
  shape: readonly number[],
  value: number,
): Step {
  const { shape: from } = x.view;
  const [own, step] = [strides(shape), strides(from)];
  const axes = shape.map(
    (size, axis) =>
      `  let i${axis} = i32(at / ${own[axis]}u % ${size}u) - ${before[axis] ?? 0};
  inside = inside && i${axis} >= 0 && i${axis} < ${from[axis]};
  place += i${axis} * ${step[axis]};`,
  );
  return {
    label: `pad to ${shape.join("×")}`,
    ...perValue(
      volume(shape),
      `  var inside = true;
  var place = 0;
${axes.join("\n")}
  var value = ${literal(value)};
  if (inside) { value = in0(u32(place)); }
  put(at, value);`,
    ),
    reads: [x],
    writes: out,
    shape,
  };
}

/**
 * Matrix products, and the convolutions that are matrix products.
 *
 * Large ones are tiled: a workgroup makes 32 × 32 results, a lane 4 × 4 of them; both operands pass through workgroup
 * memory sixteen columns at a time. `b` may be any function of its place: a convolution reads its windows there, and
 * no matrix of windows is ever stored. Small ones are made directly (`direct.wgsl.ts`).
 */
import { ShapeError } from "../shape.ts";
import type { Operand, Step } from "../webgpu/shader.ts";
import { broadcast, reshaped } from "../webgpu/view.ts";
import { directConvolution, directProduct } from "./direct.wgsl.ts";

/** Side of the results of a workgroup, and columns it reads at a time. */
const [SIDE, DEEP] = [32, 16];

/** Multiplications from which tiles pay. */
const TILED_FROM = 2 ** 24;

export interface ProductOptions {
  /** @default from {@link TILED_FROM} multiplications */
  readonly tiled?: boolean;
}

interface Product {
  /** Products beside each other. */
  readonly Z: number;
  readonly M: number;
  readonly N: number;
  readonly K: number;
  /** WGSL over `z row k`, and over `z k column`. */
  readonly a: string;
  readonly b: string;
  /** WGSL over `z row column`: where a result goes. */
  readonly to: string;
}

const tiled = ({ Z, M, N, K, a, b, to }: Product): Pick<Step, "code" | "workgroups"> => ({
  workgroups: [Math.ceil(N / SIDE), Math.ceil(M / SIDE), Z],
  code: /* wgsl */ `
var<workgroup> left: array<f32, ${DEEP * SIDE}>;
var<workgroup> right: array<f32, ${DEEP * SIDE}>;
fn a(z: u32, row: u32, k: u32) -> f32 {
  if (row >= ${M}u || k >= ${K}u) { return 0.0; }
  return ${a};
}
fn b(z: u32, k: u32, column: u32) -> f32 {
  if (column >= ${N}u || k >= ${K}u) { return 0.0; }
${b}
}
@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lane: u32) {
  let z = group.z;
  let top = group.y * ${SIDE}u;
  let start = group.x * ${SIDE}u;
  let y = lane / 8u;
  let x = lane % 8u;
  var first: vec4f;
  var second: vec4f;
  var third: vec4f;
  var fourth: vec4f;
  for (var deep = 0u; deep < ${K}u; deep += ${DEEP}u) {
    workgroupBarrier();
    for (var i = lane; i < ${DEEP * SIDE}u; i += 64u) {
      let k = deep + i / ${SIDE}u;
      left[i] = a(z, top + i % ${SIDE}u, k);
      right[i] = b(z, k, start + i % ${SIDE}u);
    }
    workgroupBarrier();
    for (var k = 0u; k < ${DEEP}u; k++) {
      let l = k * ${SIDE}u + 4u * y;
      let i = k * ${SIDE}u + 4u * x;
      let r = vec4f(right[i], right[i + 1u], right[i + 2u], right[i + 3u]);
      first += left[l] * r;
      second += left[l + 1u] * r;
      third += left[l + 2u] * r;
      fourth += left[l + 3u] * r;
    }
  }
  for (var i = 0u; i < 4u; i++) {
    let sums = select(select(third, fourth, i == 3u), select(first, second, i == 1u), i < 2u);
    for (var j = 0u; j < 4u; j++) {
      let row = top + 4u * y + i;
      let column = start + 4u * x + j;
      if (row < ${M}u && column < ${N}u) { put(${to}, sums[j]); }
    }
  }
}`,
});

/** `out = a b` over the last two axes; axes before them broadcast. */
export function matmul(out: string, a: Operand, b: Operand, options: ProductOptions = {}): Step {
  const [M = 1, K = 1] = a.view.shape.slice(-2);
  const [inner, N = 1] = b.view.shape.slice(-2);
  if (inner !== K) throw new ShapeError(`matmul: K is ${K} in a but ${inner} in b`);
  const [A, B] = [a.view.shape.slice(0, -2), b.view.shape.slice(0, -2)];
  const rank = Math.max(A.length, B.length);
  const lead = Array.from({ length: rank }, (_, i) => {
    const [p = 1, q = 1] = [A[i - rank + A.length], B[i - rank + B.length]];
    return Math.max(p, q);
  });
  const Z = lead.reduce((p, q) => p * q, 1);
  // One matrix for all: its products are one tall product.
  const shared = B.every((size) => size === 1);
  const [z, m] = shared ? [1, Z * M] : [Z, M];
  const left = broadcast(a.view, [...lead, M, K]);
  const right = shared ? reshaped(b.view, [K, N]) : broadcast(b.view, [...lead, K, N]);
  const isTiled = options.tiled ?? z * m * N * K >= TILED_FROM;
  return {
    label: `matmul ${z}×${m}×${K}×${N}`,
    reads: [
      { from: a.from, view: left },
      { from: b.from, view: right },
    ],
    writes: out,
    shape: [...lead, M, N],
    ...(!isTiled && { rereads: 2 }),
    ...(isTiled
      ? tiled({
          ...{ Z: z, M: m, N, K },
          a: `in0((z * ${m}u + row) * ${K}u + k)`,
          b: `  return in1((z * ${K}u + k) * ${N}u + column);`,
          to: `(z * ${m}u + row) * ${N}u + column`,
        })
      : directProduct(z, m, N, K)),
  };
}

/** Rows and columns of a convolution's window. */
export interface Window {
  readonly size: readonly [y: number, x: number];
  readonly stride?: readonly [y: number, x: number];
  /** Zeros before the first row and column. */
  readonly pad?: readonly [y: number, x: number];
  readonly dilation?: readonly [y: number, x: number];
}

/** A window, and how many groups of channels keep apart. */
export interface ConvolutionOptions extends Window, ProductOptions {
  /** @default 1 */
  readonly groups?: number;
}

/**
 * A convolution over all channels of a group.
 *
 * @param x  `[B C Y X]`
 * @param weight  `[O C/groups P Q]`
 * @param to  rows and columns of the result
 */
export function convolution(
  out: string,
  x: Operand,
  weight: Operand,
  options: ConvolutionOptions,
  to: readonly [rows: number, columns: number],
): Step {
  const [B = 0, C = 0, Y = 0, X = 0] = x.view.shape;
  const O = weight.view.shape[0] ?? 0;
  const { size, stride = [1, 1], pad = [0, 0], dilation = [1, 1], groups = 1 } = options;
  const window = { size, stride, pad, dilation };
  const work = (B * O * C * size[0] * size[1] * to[0] * to[1]) / groups;
  const isTiled = groups === 1 && (options.tiled ?? work >= TILED_FROM);
  return {
    label: `convolution ${size.join("×")} ${C}→${O} at ${to.join("×")}`,
    reads: [x, weight],
    writes: out,
    shape: [B, O, ...to],
    rereads: 2,
    ...(isTiled
      ? tiledConvolution([B, C, Y, X], O, window, to)
      : directConvolution({ B, C, O, groups, from: [Y, X], to, ...window })),
  };
}

function tiledConvolution(
  [B, C, Y, X]: readonly [number, number, number, number],
  O: number,
  { size, stride, pad, dilation }: Required<Window>,
  [rows, columns]: readonly [number, number],
): Pick<Step, "code" | "workgroups"> {
  const [K, N] = [C * size[0] * size[1], rows * columns];
  const isPlain = K === C && N === Y * X;
  return tiled({
    ...{ Z: B, M: O, N, K },
    a: `in1(row * ${K}u + k)`,
    b: isPlain
      ? `  return in0((z * ${C}u + k) * ${N}u + column);`
      : /* wgsl */ `
  let tap = k % ${size[0] * size[1]}u;
  let y = i32(column / ${columns}u * ${stride[0]}u + tap / ${size[1]}u * ${dilation[0]}u) - ${pad[0]};
  let x = i32(column % ${columns}u * ${stride[1]}u + tap % ${size[1]}u * ${dilation[1]}u) - ${pad[1]};
  if (y < 0 || y >= ${Y} || x < 0 || x >= ${X}) { return 0.0; }
  return in0(((z * ${C}u + k / ${size[0] * size[1]}u) * ${Y}u + u32(y)) * ${X}u + u32(x));`,
    to: `(z * ${O}u + row) * ${N}u + column`,
  });
}

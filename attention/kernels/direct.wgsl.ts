/**
 * Products and convolutions without workgroup memory: a lane makes four rows (or channels) of one column (or pixel),
 * so that every value it reads serves four results. Ahead of tiles where there is little to share, and quick to compile.
 */
import { perValue } from "../webgpu/shader.ts";
import type { Step } from "../webgpu/shader.ts";

/** Lines of WGSL for four results at once. */
const four = (line: (i: number) => string): string => [0, 1, 2, 3].map(line).join("\n");

/** `Z` products `[M K] [K N]`, of operands 0 and 1. */
export function directProduct(
  Z: number,
  M: number,
  N: number,
  K: number,
): Pick<Step, "code" | "workgroups"> {
  const blocks = Math.ceil(M / 4);
  return perValue(
    Z * blocks * N,
    /* wgsl */ `
  let column = at % ${N}u;
  let row = at / ${N}u % ${blocks}u * 4u;
  let z = at / ${N * blocks}u;
${four((i) => `  let row${i} = (z * ${M}u + min(row + ${i}u, ${M - 1}u)) * ${K}u;`)}
  var sums: vec4f;
  for (var k = 0u; k < ${K}u; k++) {
    let rows = vec4f(in0(row0 + k), in0(row1 + k), in0(row2 + k), in0(row3 + k));
    sums += rows * in1((z * ${K}u + k) * ${N}u + column);
  }
${four((i) => `  if (row + ${i}u < ${M}u) { put((z * ${M}u + row + ${i}u) * ${N}u + column, sums[${i}]); }`)}`,
  );
}

export interface DirectSizes {
  readonly B: number;
  /** Channels of the input, and of the result. */
  readonly C: number;
  readonly O: number;
  readonly groups: number;
  readonly from: readonly [Y: number, X: number];
  readonly to: readonly [rows: number, columns: number];
  readonly size: readonly [y: number, x: number];
  readonly stride: readonly [y: number, x: number];
  readonly pad: readonly [y: number, x: number];
  readonly dilation: readonly [y: number, x: number];
}

/** A convolution of operand 0 `[B C Y X]` with operand 1 `[O C/groups P Q]`. */
export function directConvolution(s: DirectSizes): Pick<Step, "code" | "workgroups"> {
  const { B, C, O, groups, size } = s;
  const [Y, X] = s.from;
  const [rows, columns] = s.to;
  const [each, made] = [C / groups, O / groups];
  const [blocks, taps] = [Math.ceil(made / 4), size[0] * size[1]];
  return perValue(
    B * groups * blocks * rows * columns,
    /* wgsl */ `
  let column = at % ${columns}u;
  let row = at / ${columns}u % ${rows}u;
  let block = at / ${rows * columns}u;
  let o = block % ${blocks}u * 4u;
  let part = block / ${blocks}u % ${groups}u;
  let b = block / ${blocks * groups}u;
${four((i) => `  let w${i} = (part * ${made}u + min(o + ${i}u, ${made - 1}u)) * ${each * taps}u;`)}
  var sums: vec4f;
  for (var c = 0u; c < ${each}u; c++) {
    let plane = (b * ${C}u + part * ${each}u + c) * ${Y}u;
    for (var p = 0; p < ${size[0]}; p++) {
      let y = i32(row) * ${s.stride[0]} + p * ${s.dilation[0]} - ${s.pad[0]};
      if (y < 0 || y >= ${Y}) { continue; }
      for (var q = 0; q < ${size[1]}; q++) {
        let x = i32(column) * ${s.stride[1]} + q * ${s.dilation[1]} - ${s.pad[1]};
        if (x < 0 || x >= ${X}) { continue; }
        let tap = c * ${taps}u + u32(p * ${size[1]} + q);
        let weights = vec4f(in1(w0 + tap), in1(w1 + tap), in1(w2 + tap), in1(w3 + tap));
        sums += weights * in0((plane + u32(y)) * ${X}u + u32(x));
      }
    }
  }
${four(
  (i) => `  if (o + ${i}u < ${made}u) {
    put(((b * ${O}u + part * ${made}u + o + ${i}u) * ${rows}u + row) * ${columns}u + column, sums[${i}]);
  }`,
)}`,
  );
}
